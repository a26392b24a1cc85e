//! `runnerctl unit-step …`: hidden, called by the runners' own units.

use std::path::PathBuf;

use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::fleet::RunnerPaths;
use crate::unit_step;

/// The steps.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Step {
    /// ExecStartPre=: make the directories, hand the registration token over
    Prepare(PrepareArgs),
    /// ExecStartPost=: wait until the runner has a session at GitHub
    AwaitOnline(AwaitArgs),
}

/// Options of `unit-step prepare`.
#[derive(Debug, clap::Args)]
pub(super) struct PrepareArgs {
    #[arg(long)]
    runner: u16,
    #[arg(long)]
    unit_digest: String,
    #[arg(long)]
    tokens: PathBuf,
    #[arg(long)]
    shared_token: bool,
    #[arg(long)]
    state_dir: PathBuf,
    #[arg(long)]
    runtime_dir: PathBuf,
    #[arg(long)]
    reports_dir: PathBuf,
}

/// Options of `unit-step await-online`.
#[derive(Debug, clap::Args)]
pub(super) struct AwaitArgs {
    #[arg(long)]
    runner: u16,
    #[arg(long)]
    runtime_dir: PathBuf,
}

pub(super) fn run(step: Step) -> Result<Exit, Failure> {
    match step {
        Step::Prepare(args) => {
            let said = unit_step::prepare(&unit_step::Prepare {
                runner: args.runner,
                unit_digest: args.unit_digest,
                tokens: args.tokens,
                shared_token: args.shared_token,
                paths: RunnerPaths::new(args.state_dir, args.runtime_dir),
                reports: args.reports_dir,
            })?;
            for line in &said {
                output::say(line);
            }
        }
        Step::AwaitOnline(args) => {
            // systemd.service(5): the unit's main process, for ExecStartPost= and the like.
            let main_process = std::env::var("MAINPID").ok().and_then(|pid| pid.parse().ok());
            let paths = RunnerPaths::new(PathBuf::new(), args.runtime_dir);
            if let Err(error) = unit_step::await_online(&paths, main_process) {
                output::error(&format!("runner {}: {error}", args.runner), None);
                return Ok(Exit::No);
            }
        }
    }
    Ok(Exit::Done)
}
