//! `runnerctl logs`: journalctl, asked the right question.

use super::context::{Context, GlobalArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::selection;
use crate::fleet::{Scope, names};
use crate::programs;

/// Options of `logs`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number of the runner
    #[arg(value_name = "N")]
    number: u16,
    /// Go on showing new lines
    #[arg(long, short)]
    follow: bool,
    /// So many of the last lines
    #[arg(long, short = 'n', value_name = "LINES", default_value_t = 200)]
    lines: u32,
    /// Since when, in journalctl's words: "yesterday", "-1h", "2026-11-23 18:00"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let runner = selection::one(args.number, &context.fleet)?;
    let unit_option = match context.fleet.layout.scope {
        Scope::System => "--unit",
        Scope::User => "--user-unit",
    };
    let mut arguments =
        vec![format!("{unit_option}={}", names::service(runner.number)), "--no-hostname".to_owned()];
    if let Some(since) = &args.since {
        arguments.push(format!("--since={since}"));
    } else {
        arguments.push(format!("--lines={}", args.lines));
    }
    if args.follow {
        arguments.push("--follow".to_owned());
    }
    let path = std::env::var_os("PATH");
    let journalctl = programs::find("journalctl", path.as_deref())
        .ok_or_else(|| Failure::new("journalctl is not installed", "this needs a host that runs systemd"))?;
    Err(programs::become_journalctl(&journalctl, &arguments).into())
}
