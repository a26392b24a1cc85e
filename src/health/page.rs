//! The status page.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

use super::{Event, Github, Listener, RunnerHealth, Snapshot, Usage, Verdict};
use crate::page::frame;
use crate::reports::visible;
use crate::status;

/// A page that is open asks again this often; the monitor looks at containers as often.
const REFRESH: Duration = Duration::from_secs(10);

/// Events on the page.
const EVENTS: usize = 20;

/// The page of a moment.
#[must_use]
pub fn page(snapshot: &Snapshot) -> String {
    let serving = snapshot.runners.iter().filter(|runner| runner.verdict.is_serving()).count();
    let title = format!("{serving} of {} runners in service", snapshot.runners.len());
    frame(
        &title,
        Some(REFRESH),
        &html! {
            @if !snapshot.may_heal { p class="flaky" { "Runners are watched only: the monitor runs with --no-heal." } }
            table class="cards" {
                thead { tr { th { "Runner" } th { "State" } th { "Since" } th { "systemd" } th { "Container" } th { "GitHub" }
                             th { "CPU" } th { "Memory" } th { "Restarts" } } }
                tbody { @for runner in &snapshot.runners { (row(runner, snapshot.time)) } }
            }
            h2 { "What happened" }
            @if snapshot.events.is_empty() { p class="quiet" { "Nothing yet." } }
            @else {
                table class="cards" {
                    thead { tr { th { "When" } th { "Runner" } th { "What" } th { "Why" } } }
                    tbody { @for event in snapshot.events.iter().rev().take(EVENTS) { (event_row(event)) } }
                }
            }
            p class="quiet" {
                "Seen at " (snapshot.time.strftime("%Y-%m-%d %H:%M:%S UTC")) " · "
                a href="/healthz" { "healthz" } " · " a href="/metrics" { "metrics" }
            }
        },
    )
}

fn row(runner: &RunnerHealth, now: Timestamp) -> Markup {
    let restarts = runner.witnesses.systemd.as_ref().map_or(0, |unit| unit.says.restarts);
    html! {
        tr {
            td class="name" { a href={ "/healthz/" (runner.number) } { (visible(&runner.name)) } }
            td {
                span class=(class(runner.verdict)) { @if runner.healing { "being restarted" } @else { (runner.verdict.word().replace('_', " ")) } }
                @if !matches!(runner.verdict, Verdict::Well | Verdict::Busy) { p class="job quiet" { (runner.why) } }
                @if let Some(hint) = &runner.hint { p class="job quiet" { (hint) } }
            }
            td class="short" data-name="since" { (status::span(now.duration_since(runner.since).as_secs())) }
            td data-name="systemd" { (systemd(runner)) }
            td data-name="container" { (container(runner)) }
            td data-name="GitHub" { (github(&runner.witnesses.github.says)) }
            td class="short" data-name="CPU" { (cpu(runner.usage)) }
            td class="short" data-name="memory" { (memory(runner.usage)) }
            td data-name="restarts" { (restarts) " by systemd, " (runner.heals) " by the monitor" }
        }
    }
}

fn event_row(event: &Event) -> Markup {
    html! {
        tr {
            td class="short" { (event.time.strftime("%Y-%m-%d %H:%M:%S UTC")) }
            td data-name="runner" { @if let Some(number) = event.runner { (number) } }
            td { (event.what.words()) }
            td { (visible(&event.why)) }
        }
    }
}

fn class(verdict: Verdict) -> &'static str {
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

fn cpu(usage: Option<Usage>) -> String {
    usage.and_then(|usage| status::cpu(usage.cpu_percent, usage.cpu_quota_percent)).unwrap_or_default()
}

fn memory(usage: Option<Usage>) -> String {
    usage.and_then(|usage| status::memory(usage.memory_bytes, usage.memory_max_bytes)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Now, What, Witnesses};

    fn snapshot(name: &str, verdict: Verdict) -> Snapshot {
        let time = Timestamp::UNIX_EPOCH;
        let runner = RunnerHealth {
            number: 1,
            name: name.to_owned(),
            verdict,
            why: verdict.why(),
            hint: verdict.hint(1),
            since: time,
            heals: 0,
            healing: false,
            witnesses: Witnesses::unasked(time),
            usage: Some(Usage {
                cpu_percent: Some(12.4),
                cpu_quota_percent: Some(200.0),
                memory_bytes: Some(300 << 20),
                memory_max_bytes: Some(4 << 30),
            }),
        };
        let now = Now { uptime: jiff::SignedDuration::ZERO, time };
        let events = vec![Event::new(now, Some(1), What::HealFailed, "<script>\u{202e}")];
        Snapshot { time, may_heal: false, runners: vec![runner], events }
    }

    #[test]
    fn every_word_is_escaped_and_nothing_is_a_script() {
        let page = page(&snapshot("a<b>", Verdict::Well));
        assert!(page.contains("a&lt;b&gt;") && page.contains("&lt;script&gt;\\u{202e}"), "{page}");
        assert!(
            !page.contains("<script") && page.contains("http-equiv=\"refresh\" content=\"10\""),
            "{page}"
        );
    }

    #[test]
    fn the_page_says_what_is_the_matter_what_to_do_and_what_is_used() {
        let page = page(&snapshot("a", Verdict::GivenUp));
        for part in [
            "0 of 1 runners in service",
            "given up",
            "restarts did not help",
            "runnerctl logs 1",
            "12% of 200%",
            "300M of 4.0G",
            "--no-heal",
            "restart failed",
        ] {
            assert!(page.contains(part), "{part:?} is not in {page}");
        }
    }
}
