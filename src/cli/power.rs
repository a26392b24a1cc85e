//! `runnerctl up`, `down`, `restart`

use super::context::{Context, GlobalArgs, block_on};
use super::ending::{self, Endings, Patience};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::selection::Selection;
use crate::apply::{self, Host, drain};
use crate::fleet::{Runner, names};
use crate::status::{self, Explanation};
use crate::systemd::{Error as SystemdError, JobMode, JobOutcome, Systemd, UnitJob, Verb};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Down,
    Restart,
}

/// Options of `up`.
#[derive(Debug, clap::Args)]
pub(super) struct UpArgs {
    #[command(flatten)]
    selection: Selection,
}

/// Options of `down` and `restart`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    patience: Patience,
}

pub(super) fn up(args: &UpArgs, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.selection.of(&context.fleet)?;
    block_on(async {
        let host = context.host().await?;
        let systemd = host.systemd.as_ref().ok_or_else(ending::nothing_runs)?;
        let (meant, is_well) = leave_drained(&host, selected, &args.selection);
        let mut unit_jobs: Vec<UnitJob> =
            meant.iter().map(|runner| UnitJob::start(names::service(runner.number))).collect();
        if args.selection.is_all() {
            unit_jobs.push(UnitJob::start(names::TARGET));
        }
        let all_well = run_jobs(&context, systemd, &unit_jobs).await?;
        Ok(if all_well && is_well { Exit::Done } else { Exit::No })
    })
}

pub(super) fn run(power: Power, args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.selection.of(&context.fleet)?;
    block_on(async {
        let host = context.host().await?;
        let systemd = host.systemd.as_ref().ok_or_else(ending::nothing_runs)?;
        let (selected, is_well) = match power {
            Power::Down => (selected, true),
            Power::Restart => leave_drained(&host, selected, &args.selection),
        };
        let all_well = if args.patience.force {
            force(power, &selected, &context, systemd).await?
        } else {
            let endings = ending::of(&context, &host, args.patience.waiting)?;
            ending::all_well(selected.iter().map(|runner| one(power, runner, &endings))).await?
        };
        // The target follows the fleet as a whole; its stop would end a busy runner, and its restart all of them twice.
        if args.selection.is_all() && all_well && power == Power::Down {
            run_jobs(&context, systemd, &[UnitJob::stop(names::TARGET)]).await?;
        }
        Ok(if all_well && is_well { Exit::Done } else { Exit::No })
    })
}

/// Those of `selected` that are not drained, after a word about the others; and whether that is all that was asked for. Whoever asks for all has the drained ones in
/// mind no more than systemd has.
fn leave_drained<'a>(
    host: &Host,
    selected: Vec<&'a Runner>,
    selection: &Selection,
) -> (Vec<&'a Runner>, bool) {
    let is_drained = |runner: &&Runner| drain::is_marked(&host.root, &runner.paths);
    let (drained, meant): (Vec<&Runner>, Vec<&Runner>) = selected.into_iter().partition(is_drained);
    for runner in &drained {
        tell_drained(runner.number);
    }
    (meant, drained.is_empty() || selection.is_all())
}

async fn one(power: Power, runner: &Runner, endings: &Endings<'_>) -> Result<bool, Failure> {
    if power == Power::Restart {
        return endings.restart(runner.number).await;
    }
    let is_stopped = endings.end(runner.number).await?;
    if is_stopped {
        output::say(&format!("{}: stopped", runner.name));
    }
    Ok(is_stopped)
}

async fn force(
    power: Power,
    selected: &[&Runner],
    context: &Context,
    systemd: &Systemd,
) -> Result<bool, Failure> {
    let unit_job = |runner: &&Runner| match power {
        Power::Down => UnitJob::stop(names::service(runner.number)),
        Power::Restart => UnitJob::restart(names::service(runner.number)),
    };
    run_jobs(context, systemd, &selected.iter().map(unit_job).collect::<Vec<_>>()).await
}

/// Says why a drained runner is not started.
pub(super) fn tell_drained(number: u16) {
    let undrain = format!("take it back into service: runnerctl undrain {number}");
    output::warn(&format!("runner {number} is drained: it is left alone"), Some(&undrain));
}

/// Starts or stops units and says for each what became of it; is all well?
pub(super) async fn run_jobs(
    context: &Context,
    systemd: &Systemd,
    unit_jobs: &[UnitJob],
) -> Result<bool, Failure> {
    let limit = context.fleet.unit_limit();
    let outcomes = systemd.run_jobs(unit_jobs, &JobMode::Replace, limit, &mut |_| {}).await;
    tell_outcomes(context, systemd, &outcomes).await
}

/// Says for each runner what became of it; is all well?
pub(super) async fn tell_outcomes(
    context: &Context,
    systemd: &Systemd,
    outcomes: &[JobOutcome],
) -> Result<bool, Failure> {
    let mut all_well = true;
    for outcome in outcomes {
        let unit = &outcome.unit_job.unit;
        let runner = names::runner_of(unit).and_then(|number| context.fleet.runner(number));
        if outcome.is_success() {
            let name = runner.map_or(unit.as_str(), |runner| runner.name.as_str());
            output::say(&format!("{name}: {}", done(outcome.unit_job.verb, runner.is_some())));
            continue;
        }
        all_well = false;
        let states = systemd.observe(&[unit.as_str()]).await?;
        let exit_status = states.first().and_then(|state| state.exec_main_status);
        let explanation = runner.and_then(|runner| last_words(context, runner, exit_status));
        match (explanation, outcome.clone().into_result()) {
            (Some(why), _) => output::error(&format!("{unit}: {}", why.cause), why.hint.as_deref()),
            (None, Err(error)) => output::error(&error.to_string(), hint(context, &error, unit).as_deref()),
            (None, Ok(())) => {}
        }
    }
    Ok(all_well)
}

/// A runner that started is online: its unit becomes active no sooner.
fn done(verb: Verb, is_runner: bool) -> &'static str {
    match verb {
        Verb::Stop => "stopped",
        Verb::Start | Verb::Restart if is_runner => "online",
        Verb::Start | Verb::Restart => "started",
    }
}

fn hint(context: &Context, error: &SystemdError, unit: &str) -> Option<String> {
    let number = names::runner_of(unit)?;
    let user = context.fleet.layout.scope.option();
    if matches!(error, SystemdError::UnitNotFound { .. }) {
        return Some(format!("run `runnerctl install-units{user}` first"));
    }
    Some(error.hint().unwrap_or_else(|| format!("read its journal: runnerctl logs{user} {number}")))
}

/// Why a runner failed, as its entrypoint and its exit status tell it.
fn last_words(context: &Context, runner: &Runner, exit_status: Option<i32>) -> Option<Explanation> {
    let session = apply::session(&context.root, &runner.paths);
    status::explain(exit_status, session.as_ref(), &context.fleet.token_source(runner.number))
}
