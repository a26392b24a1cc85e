//! `runnerctl drain` and `undrain`

use super::context::{Context, GlobalArgs, block_on};
use super::ending::{self, Waiting};
use super::exit::Exit;
use super::failure::Failure;
use super::selection::Selection;
use super::{output, power};
use crate::apply::drain;
use crate::fleet::{Runner, names};
use crate::systemd::UnitJob;

/// Options of `drain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    waiting: Waiting,
    /// What follows
    #[arg(long, value_enum, default_value_t = Then::Stop)]
    then: Then,
}

/// Options of `undrain`.
#[derive(Debug, clap::Args)]
pub(super) struct UndrainArgs {
    #[command(flatten)]
    which: Which,
}

/// Numbers or all: a whole fleet is not drained by a word left out.
#[derive(Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    selection: Selection,
    /// All runners
    #[arg(long, required_unless_present = "numbers", conflicts_with = "numbers")]
    all: bool,
}

/// What becomes of a drained runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Then {
    /// It stays stopped, also after a reboot, until `undrain`
    Stop,
    /// It is started again
    Restart,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.which.selection.of(&context.fleet)?;
    block_on(async {
        let host = context.host().await?;
        let endings = ending::of(&context, &host, args.waiting)?;
        let each = selected.iter().map(|runner| drain_one(&endings, runner, args.then));
        let all_well = tokio::select! {
            all_well = ending::all_well(each) => all_well?,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                for runner in &selected {
                    drain::unmark(&host, runner)?;
                }
                return Err(Failure::new("interrupted: no runner is drained any more", "what has ended already starts with `runnerctl up`"));
            }
        };
        Ok(if all_well { Exit::Done } else { Exit::No })
    })
}

async fn drain_one(endings: &ending::Endings<'_>, runner: &Runner, then: Then) -> Result<bool, Failure> {
    // Before anything is asked: what is restarted meanwhile, by systemd or a reboot, is not to come back.
    drain::mark(endings.host(), runner)?;
    let ended = endings.end(runner.number).await;
    if !matches!(ended, Ok(true)) {
        drain::unmark(endings.host(), runner)?;
        return ended;
    }
    match then {
        Then::Stop => {
            let undrain = format!("`runnerctl undrain {}` brings it back", runner.number);
            output::say(&format!("{}: drained; {undrain}", runner.name));
            Ok(true)
        }
        Then::Restart => {
            drain::unmark(endings.host(), runner)?;
            endings.start(runner.number).await
        }
    }
}

pub(super) fn undrain(args: &UndrainArgs, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.which.selection.of(&context.fleet)?;
    block_on(async {
        let host = context.host().await?;
        let Some(systemd) = &host.systemd else { return Err(ending::nothing_runs()) };
        let mut starts = Vec::new();
        for runner in selected {
            if drain::unmark(&host, runner)? {
                starts.push(UnitJob::start(names::service(runner.number)));
            } else {
                output::say(&format!("{}: was not drained", runner.name));
            }
        }
        let all_well = power::run_jobs(&context, systemd, &starts).await?;
        Ok(if all_well { Exit::Done } else { Exit::No })
    })
}
