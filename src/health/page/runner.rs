//! One runner on the page.

use jiff::Timestamp;
use maud::{Markup, html};

use super::Links;
use super::sparkline::sparkline;
use crate::health::{
    Event, Github, Listener, Minute, RunnerHealth, Snapshot, Usage, Verdict, What, WorkflowJob,
};
use crate::reports::visible;
use crate::status::{self, ImageAge};

/// Restarts that are told of a runner.
const RESTARTS: usize = 3;

pub(super) fn card(runner: &RunnerHealth, snapshot: &Snapshot, links: &Links) -> Markup {
    let doing =
        if runner.healing { "being restarted".to_owned() } else { runner.verdict.word().replace('_', " ") };
    let class = class(runner.verdict);
    html! {
        li class=(class) id={ "runner-" (runner.number) } {
            h2 { a href={ "/healthz/" (runner.number) } { (visible(&runner.name)) } }
            p { span class=(class) { (doing) } " for " (span(snapshot.time, runner.since)) }
            @if let Some(job) = &runner.workflow_job { (workflow_job(job)) }
            @if !matches!(runner.verdict, Verdict::Well | Verdict::Busy) { p class="quiet" { (runner.why) } }
            @if let Some(hint) = &runner.hint { p class="quiet" { "hint: " (hint) } }
            @if let Some(usage) = &runner.usage { (meters(usage, &runner.history)) }
            dl class="facts" {
                @if let Some(kills) = runner.usage.and_then(|usage| usage.oom_kills).filter(|kills| *kills > 0) {
                    dt { "memory" } dd { (kills) @if kills == 1 { " process" } @else { " processes" } " killed for want of it" }
                }
                dt { "systemd" } dd { (systemd(runner)) }
                dt { "container" } dd { (container(runner)) }
                dt { "GitHub" } dd { (github(&runner.witnesses.github.says)) }
                @if let Some(image) = &runner.image { dt { "image" } dd { (age(image)) } }
                dt { "restarts" } dd { (restarts(runner, snapshot)) }
                dt { "log" } dd { code { "runnerctl" (links.option) " logs " (runner.number) " -f" } }
            }
        }
    }
}

fn age(image: &ImageAge) -> String {
    let until = if image.is_old() { "GitHub may refuse its version from" } else { "good until" };
    format!("{} days old; {until} {}", image.days, image.deadline)
}

fn workflow_job(job: &WorkflowJob) -> Markup {
    let separator = if job.workflow.is_empty() { "" } else { " / " };
    html! {
        p { (visible(&job.workflow)) (separator) strong { (visible(&job.workflow_job)) } " of " (visible(&job.repository)) }
    }
}

fn meters(usage: &Usage, history: &[Minute]) -> Markup {
    let cpu: Vec<Option<f64>> = history.iter().map(|minute| minute.cpu_percent.map(f64::from)).collect();
    let memory: Vec<Option<f64>> = history.iter().map(|minute| minute.memory_bytes.map(float)).collect();
    let cpu_now = status::cpu(usage.cpu_percent, usage.cpu_quota_percent);
    let memory_now = status::memory(usage.memory_bytes, usage.memory_max_bytes);
    html! {
        (meter("CPU", cpu_now, &cpu, usage.cpu_quota_percent, &|most| format!("{most:.0}%")))
        (meter("memory", memory_now, &memory, usage.memory_max_bytes.map(float), &|most| status::size(bytes(most))))
    }
}

/// A figure, and how it went: the limit is the top, or the most that there was.
fn meter(
    what: &str,
    now: Option<String>,
    history: &[Option<f64>],
    limit: Option<f64>,
    in_words: &dyn Fn(f64) -> String,
) -> Markup {
    let most = history.iter().copied().flatten().fold(0.0, f64::max);
    let now = now.unwrap_or_else(|| "–".to_owned());
    let top =
        limit.map_or("no limit".to_owned(), |limit| format!("the top is the limit, {}", in_words(limit)));
    let label = format!("{what} in the last {} minutes: at most {}; {top}", history.len(), in_words(most));
    html! {
        div class="meter" {
            span class="quiet" { (what) } span { (now) }
            (sparkline(history, limit.unwrap_or(most), &label))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "drawn")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast to an integer is clamped, and shown with one digit behind the point"
)]
fn bytes(float: f64) -> u64 {
    float as u64
}

/// How often, and the last of them with their reasons, newest first.
fn restarts(runner: &RunnerHealth, snapshot: &Snapshot) -> Markup {
    let by_systemd = runner.witnesses.systemd.as_ref().map_or(0, |unit| unit.says.restarts);
    let is_restart = |event: &&Event| {
        event.runner == Some(runner.number) && matches!(event.what, What::Restarted | What::Heal)
    };
    let mut last = snapshot.events.iter().rev().filter(is_restart).take(RESTARTS).peekable();
    html! {
        (by_systemd) " by systemd, " (runner.heals) " by the monitor"
        @if last.peek().is_some() {
            ul { @for event in last {
                li { (span(snapshot.time, event.time)) " ago: " (visible(&event.why)) }
            } }
        }
    }
}

pub(super) fn span(now: Timestamp, since: Timestamp) -> String {
    status::span(now.duration_since(since).as_secs())
}

pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Well => "passed",
        Verdict::Busy | Verdict::Starting | Verdict::Stopping => "running",
        Verdict::WorkerAlone | Verdict::GithubDisagrees | Verdict::GithubUnreachable | Verdict::Unknown => {
            "flaky"
        }
        Verdict::Stopped | Verdict::Drained => "quiet",
        Verdict::ListenerDead
        | Verdict::SilentZombie
        | Verdict::RemovedAtGithub
        | Verdict::NeedsAPerson(_)
        | Verdict::Failed
        | Verdict::GivenUp => "failed",
    }
}

fn systemd(runner: &RunnerHealth) -> String {
    let unit = runner.witnesses.systemd.as_ref();
    unit.map_or("no answer".to_owned(), |unit| format!("{:?}", unit.says.active_state).to_lowercase())
}

fn container(runner: &RunnerHealth) -> String {
    let Some(container) = runner.witnesses.container.as_ref().map(|container| container.says) else {
        return "not seen".to_owned();
    };
    let session = container.session.map_or("no word", crate::runner::SessionState::word);
    let listener = match container.listener {
        Listener::Running => "",
        Listener::Stopped => ", listener stopped",
        Listener::Missing => ", no listener",
    };
    let worker = if container.worker { ", workflow job" } else { "" };
    format!("{session}{listener}{worker}")
}

fn github(says: &Github) -> String {
    match says {
        Github::NotAsked => "not asked".to_owned(),
        Github::NoAnswer { reason } => format!("no answer: {}", visible(reason)),
        Github::Absent => "absent".to_owned(),
        Github::Offline => "offline".to_owned(),
        Github::Idle => "idle".to_owned(),
        Github::Busy => "busy".to_owned(),
    }
}
