//! `runnerctl status`

mod watch;

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::context::{Context, GlobalArgs, TokensFailure, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::selection::Selection;
use super::{ending, output};
use crate::apply::{self, Host, notes};
use crate::config::{TokenError, Tokens};
use crate::files::{self, SecretFileError};
use crate::fleet::{Runner, names};
use crate::runner::{Health, Session, SessionState};
use crate::status::{self, Explanation, RunnerStatus};
use crate::systemd::{ActiveState, UnitState};

/// CPU in use is measured over this long at least.
const CPU_WINDOW: Duration = Duration::from_millis(100);

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// As JSON, for scripts
    #[arg(long, conflicts_with = "watch")]
    json: bool,
    /// Go on showing it, in a terminal: every two seconds, or as often as said
    #[arg(long, short, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "2s", value_parser = humantime::parse_duration)]
    watch: Option<Duration>,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.selection.of(&context.fleet)?;
    if let Some(pause) = args.watch {
        watch::run(&context, &selected, pause)?;
        return Ok(Exit::Done);
    }
    let runners = block_on(gather(&context, &selected))?;
    if args.json {
        output::json(&runners)?;
    } else {
        output::data(&table(&runners))?;
        for warning in warnings(&runners, &context) {
            output::warn(&warning.cause, warning.hint.as_deref());
        }
    }
    Ok(if runners.iter().all(RunnerStatus::is_well) { Exit::Done } else { Exit::No })
}

fn table(runners: &[RunnerStatus]) -> String {
    status::table(runners, &|since| ago(since)) + "\n"
}

/// What is the matter with runners and images.
fn warnings(runners: &[RunnerStatus], context: &Context) -> Vec<Explanation> {
    let of_runner = |runner: &RunnerStatus| {
        let cause = format!("{}: {}", runner.name, runner.problem.as_ref()?);
        Some(Explanation { cause, hint: runner.hint.clone() })
    };
    let of_runners = runners.iter().filter_map(of_runner);
    of_runners.chain(status::old_images(runners, context.fleet.layout.scope.option())).collect()
}

/// All of it in one text.
fn in_words(runners: &[RunnerStatus], context: &Context) -> String {
    let mut text = table(runners);
    for warning in warnings(runners, context) {
        text += &["\nwarning: ", &warning.cause].concat();
        if let Some(hint) = warning.hint {
            text += &["\nhint: ", &hint].concat();
        }
    }
    text
}

/// What the witnesses say, each asked once for all runners.
struct Witnesses {
    services: Vec<UnitState>,
    slices: Vec<UnitState>,
    later_slices: Vec<UnitState>,
    window: Duration,
    tokens: Option<Result<Tokens, String>>,
    busy: Vec<u16>,
}

/// All that `status` tells of the `selected` runners.
pub(super) async fn gather(context: &Context, selected: &[&Runner]) -> Result<Vec<RunnerStatus>, Failure> {
    let host = context.host().await?;
    let witnesses = ask(context, &host, selected).await?;
    selected.iter().enumerate().map(|(index, runner)| one(context, runner, index, &witnesses)).collect()
}

async fn ask(context: &Context, host: &Host, selected: &[&Runner]) -> Result<Witnesses, Failure> {
    let Some(systemd) = &host.systemd else {
        return Err(ending::nothing_runs());
    };
    let services: Vec<String> = selected.iter().map(|runner| names::service(runner.number)).collect();
    let slices: Vec<String> = selected.iter().map(|runner| names::slice(runner.number)).collect();
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    let slices: Vec<&str> = slices.iter().map(String::as_str).collect();
    let first = tokio::time::Instant::now();
    let first_slices = systemd.observe(&slices).await?;
    let services = systemd.observe(&services).await?;
    tokio::time::sleep_until(first + CPU_WINDOW).await;
    let later_slices = systemd.observe(&slices).await?;
    let numbers: Vec<u16> = selected.iter().map(|runner| runner.number).collect();
    Ok(Witnesses {
        services,
        slices: first_slices,
        later_slices,
        window: first.elapsed(),
        tokens: tokens(context),
        busy: apply::busy(host, &numbers)?,
    })
}

/// What the tokens file says, or what is wrong with it; `None` where it may not be read, as it should be without root, and where nobody needs it.
fn tokens(context: &Context) -> Option<Result<Tokens, String>> {
    if context.fleet.github.has_api() {
        return None;
    }
    match context.tokens() {
        Ok(tokens) => Some(Ok(tokens)),
        Err(TokensFailure::Content(errors)) => {
            Some(Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
        }
        Err(TokensFailure::File(SecretFileError::Io { .. })) => None,
        Err(TokensFailure::File(error)) => Some(Err(error.to_string())),
    }
}

fn token_word(tokens: &Result<Tokens, String>, number: u16) -> String {
    match tokens.as_ref().map(|tokens| tokens.of(number)) {
        Ok(Ok(_)) => "present".to_owned(),
        Ok(Err(TokenError::Missing { .. })) => "missing".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.clone(),
    }
}

fn one(
    context: &Context,
    runner: &Runner,
    index: usize,
    witnesses: &Witnesses,
) -> Result<RunnerStatus, Failure> {
    let missing = || UnitState::not_found(&names::service(runner.number));
    let service = witnesses.services.get(index).cloned().unwrap_or_else(missing);
    let slice = witnesses.later_slices.get(index).cloned().unwrap_or_else(missing);
    let earlier_cpu = witnesses.slices.get(index).and_then(|slice| slice.cpu_usage_nsec);
    let running = service.active_state.is_started();
    let session = apply::session(&context.root, &runner.paths);
    // Until the next start there is what the last container left.
    let has_ended = service.sub_state == "auto-restart" || session.as_ref().is_some_and(Session::is_over);
    let source = context.fleet.token_source(runner.number);
    let is_well = service.active_state == ActiveState::Active;
    let explanation =
        if is_well { None } else { status::explain(service.exec_main_status, session.as_ref(), &source) };
    let explanation = explanation.unwrap_or(status::Explanation { cause: String::new(), hint: None });
    let identity = runner.paths.identity_mark();
    let mark = if runner.ephemeral { &runner.paths.ephemeral } else { &identity };
    let token = witnesses.tokens.as_ref().map(|tokens| token_word(tokens, runner.number));
    Ok(RunnerStatus {
        number: runner.number,
        name: runner.name.clone(),
        unit: service.unit.clone(),
        active_state: service.active_state.to_string(),
        sub_state: service.sub_state.clone(),
        session: session.as_ref().filter(|_| running).map(|session| session.state.to_string()),
        health: (running && !has_ended)
            .then(|| health(context, runner, &service, session.as_ref()).to_string()),
        busy: witnesses.busy.contains(&runner.number),
        registered: files::can_see(&context.root.at(mark)).map(|seen| seen && (running || !runner.ephemeral)),
        ephemeral: runner.ephemeral,
        registered_as: registered_as(context, runner),
        token,
        drained: apply::drain::is_marked(&context.root, &runner.paths),
        restart_pending: running && restart_pending(context, runner, &service)?,
        since: service.state_change.and_then(rfc3339),
        restarts: service.n_restarts.unwrap_or(0),
        cpu_percent: cpu_percent(earlier_cpu, slice.cpu_usage_nsec, witnesses.window).filter(|_| running),
        cpu_quota_percent: slice.cpu_quota_per_sec.map(|quota| quota.as_secs_f64() * 100.0),
        memory_bytes: slice.memory_current.filter(|_| running),
        memory_max_bytes: slice.memory_max,
        image: running.then(|| apply::image(&context.root, runner)).flatten(),
        problem: Some(explanation.cause).filter(|cause| !cause.is_empty()),
        hint: explanation.hint,
    })
}

/// Only root may read that.
fn registered_as(context: &Context, runner: &Runner) -> Option<String> {
    let noted = runner.ephemeral.then(|| notes::read(&context.root.at(&runner.paths.ephemeral)))?;
    noted.ok()?.youngest().map(|note| note.name.clone())
}

/// Has systemd read another text than the one that the runner was started with?
fn restart_pending(context: &Context, runner: &Runner, service: &UnitState) -> Result<bool, Failure> {
    let started_with = files::read(&context.root.at(&runner.paths.started_with))?;
    let in_use = apply::roll::digest_in_use(&context.root, service)?;
    Ok(in_use.is_some() && started_with != in_use)
}

fn health(context: &Context, runner: &Runner, service: &UnitState, session: Option<&Session>) -> Health {
    let (checks, retries) = (&context.fleet.health, context.fleet.health.retries);
    let stale_after = checks.interval * 3 + checks.timeout;
    let state = session.map(|session| session.state);
    let Some(noted) = apply::health_checks(&context.root, &runner.paths) else {
        let up = service.state_change.and_then(|since| since.elapsed().ok());
        let is_late = state == Some(SessionState::Online) && up.is_some_and(|up| up > stale_after);
        return if is_late { Health::Unchecked } else { Health::Starting };
    };
    noted.health(retries, stale_after, state, Timestamp::now())
}

#[expect(clippy::cast_precision_loss, reason = "a percentage for the eye")]
fn cpu_percent(earlier: Option<u64>, later: Option<u64>, window: Duration) -> Option<f64> {
    let used = later?.saturating_sub(earlier?);
    Some(used as f64 / window.as_nanos() as f64 * 100.0)
}

fn rfc3339(time: SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// "3h 5min", the way systemctl says it: the two largest units.
pub(super) fn ago(since: &str) -> String {
    let Ok(since) = since.parse::<Timestamp>() else { return since.to_owned() };
    let seconds = Timestamp::now().duration_since(since).as_secs();
    status::span(seconds)
}
