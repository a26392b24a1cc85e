//! `runnerctl doctor`

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::facts;
use super::failure::Failure;
use super::output;
use crate::doctor::{Finding, Needs, Verdict, examine, table};
use crate::files::{self, Root};
use crate::systemd::{Scope, Systemd};

/// A config of defaults, for hosts that have none yet.
const DEFAULTS: &str = "url = \"https://github.com/OWNER/REPOSITORY\"\n";

/// Options of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let needs = needs(global)?;
    let findings = block_on(async { Ok(findings(global, &needs).await) })?;
    if args.json {
        output::json(&findings)?;
    } else {
        output::data(&table(&findings))?;
        tell(&findings);
    }
    let is_missing = findings.iter().any(|finding| finding.verdict == Verdict::Missing);
    Ok(if is_missing { Exit::No } else { Exit::Done })
}

async fn findings(global: &GlobalArgs, needs: &Needs) -> Vec<Finding> {
    let mut facts = facts::gather(global, needs).await;
    if global.root() == Root::host() {
        facts.is_clock_synchronized = clock().await;
    }
    examine(&facts, needs)
}

/// What the config asks for; without one, what the defaults ask for.
fn needs(global: &GlobalArgs) -> Result<Needs, Failure> {
    let file = global.config_file()?;
    if files::can_see(&file) != Some(false) {
        return Ok(facts::needs(&Context::load(global)?));
    }
    let context = Context::parse(DEFAULTS, "the default config", global)?;
    output::say(&format!("{} does not exist: this is for the default config", file.display()));
    Ok(facts::needs(&context))
}

/// timedated is on the system bus, whoever asks.
async fn clock() -> Option<bool> {
    let answer = async { Systemd::connect(Scope::System).await?.is_clock_synchronized().await };
    match answer.await {
        Ok(is_synchronized) => Some(is_synchronized),
        Err(error) => {
            tracing::debug!(%error, "the clock is not known");
            None
        }
    }
}

fn tell(findings: &[Finding]) {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    output::say(&match (count(Verdict::Missing), count(Verdict::Warning)) {
        (0, 0) => "nothing is missing".to_owned(),
        (0, 1) => "nothing is missing, 1 warning".to_owned(),
        (0, warnings) => format!("nothing is missing, {warnings} warnings"),
        (missing, _) => format!("{missing} of {} are missing", findings.len()),
    });
}
