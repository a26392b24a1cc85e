//! `runnerctl up`, `down`, `restart`

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::selection::Selection;
use super::{install_units, output};
use crate::apply;
use crate::files;
use crate::fleet::{Runner, names};
use crate::runner::Session;
use crate::status::{self, Explanation};
use crate::systemd::{Error as SystemdError, JobMode, JobOutcome, Systemd, UnitJob, Verb};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Up,
    Down,
    Restart,
}

/// Options of `up`, `down` and `restart`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Also stop runners on which a workflow job runs; the workflow job is cancelled
    #[arg(long)]
    force: bool,
}

pub(super) fn run(power: Power, args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.selection.of(&context.fleet)?;
    block_on(async {
        let host = context.host().await?;
        let Some(systemd) = &host.systemd else {
            return Err(Failure::new("nothing runs below a --root", "leave --root out"));
        };
        let numbers: Vec<u16> = selected.iter().map(|runner| runner.number).collect();
        let busy = if power == Power::Up || args.force { Vec::new() } else { apply::busy(&host, &numbers)? };
        for number in &busy {
            output::warn(
                &format!("runner {number} runs a workflow job: it is left alone"),
                Some("run this again when it is idle, or with --force (the workflow job is cancelled)"),
            );
        }
        let unit_job = |number: &u16| {
            let unit = names::service(*number);
            match power {
                Power::Up => UnitJob::start(unit),
                Power::Down => UnitJob::stop(unit),
                Power::Restart => UnitJob::restart(unit),
            }
        };
        let mut unit_jobs: Vec<UnitJob> =
            numbers.iter().filter(|number| !busy.contains(number)).map(unit_job).collect();
        if args.selection.is_all() && busy.is_empty() {
            // The target follows the fleet as a whole; its stop would end a busy runner, and its restart all of them twice.
            unit_jobs.extend(match power {
                Power::Up => Some(UnitJob::start(names::TARGET)),
                Power::Down => Some(UnitJob::stop(names::TARGET)),
                Power::Restart => None,
            });
        }
        let limit = install_units::unit_limit(&context);
        let outcomes = systemd.run_jobs(&unit_jobs, &JobMode::Replace, limit, &mut |_| {}).await;
        let all_well = tell_outcomes(&context, systemd, &outcomes).await?;
        Ok(if all_well && busy.is_empty() { Exit::Done } else { Exit::No })
    })
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
    let text = files::read_untrusted(&context.root.at(&runner.paths.session()));
    let session: Option<Session> = text.and_then(|text| text.parse().ok());
    let variable = crate::config::variable(runner.number);
    let file = context.fleet.layout.tokens.display().to_string();
    let token = crate::runner::TokenSource { name: &variable, file: &file };
    status::explain(exit_status, session.as_ref(), token)
}
