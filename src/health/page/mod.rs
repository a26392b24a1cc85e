//! The status page: as it is without scripts; `live.js` renews it in place where they run.

mod queue;
mod runner;
mod sparkline;
mod style;

use std::time::Duration;

use maud::{Markup, html};

pub use style::STYLE;

use super::{Event, Queue, RunnerHealth, Snapshot, Verdict};
use crate::page::frame;
use crate::reports::visible;

/// Without scripts a page that is open asks again this often; the monitor looks at containers as often.
const REFRESH: Duration = Duration::from_secs(10);

/// Events on the page.
const EVENTS: usize = 20;

/// Renews an open page.
pub const SCRIPT: &str = include_str!("live.js");

/// What the page leads to, of this fleet.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Behind `runnerctl`: nothing, or ` --user`.
    pub option: &'static str,
    /// The report server's address; `None` where there is none.
    pub reports: Option<String>,
}

/// The page of a moment.
#[must_use]
pub fn page(snapshot: &Snapshot, links: &Links) -> String {
    let serving = snapshot.runners.iter().filter(|runner| runner.verdict.is_serving()).count();
    let title = format!("{serving} of {} runners in service", snapshot.runners.len());
    frame(
        &title,
        Some(REFRESH),
        &html! {
            (counts(snapshot))
            @if !snapshot.may_heal { p class="flaky" { "Runners are watched only: the monitor runs with --no-heal." } }
            ul class="runners" { @for runner in &snapshot.runners { (runner::card(runner, snapshot, links)) } }
            (queue::section(&snapshot.queue, snapshot.time))
            (events(&snapshot.events))
            p class="quiet" {
                "Seen at " (snapshot.time.strftime("%Y-%m-%d %H:%M:%S UTC")) " · "
                @if let Some(reports) = &links.reports { a href=(reports) { "reports" } " · " }
                a href="/healthz" { "healthz" } " · " a href="/metrics" { "metrics" }
            }
        },
    )
}

/// The fleet in one line.
fn counts(snapshot: &Snapshot) -> Markup {
    let count = |is_meant: &dyn Fn(&RunnerHealth) -> bool| {
        snapshot.runners.iter().filter(|runner| is_meant(runner)).count()
    };
    let is_busy = |runner: &RunnerHealth| matches!(runner.verdict, Verdict::Busy | Verdict::WorkerAlone);
    let busy = count(&is_busy);
    let idle = count(&|runner| runner.verdict.is_serving() && !is_busy(runner));
    let at_fault = count(&|runner| runner.verdict.is_fault());
    html! {
        ul class="counts" {
            li class="running" { (busy) " busy" }
            li class="passed" { (idle) " idle" }
            @if at_fault > 0 { li class="failed" { (at_fault) " at fault" } }
            @if let Queue::Waiting { total, .. } = &snapshot.queue { li { (total) " workflow runs waiting" } }
        }
    }
}

fn events(events: &[Event]) -> Markup {
    html! {
        h2 { "What happened" }
        @if events.is_empty() { p class="quiet" { "Nothing yet." } }
        @else {
            table class="cards" {
                thead { tr { th { "When" } th { "Runner" } th { "What" } th { "Why" } } }
                tbody { @for event in events.iter().rev().take(EVENTS) { (event_row(event)) } }
            }
            p class="quiet" { "All that is kept: " code { "runnerctl events" } }
        }
    }
}

fn event_row(event: &Event) -> Markup {
    html! {
        tr {
            td class="short" { (event.time.strftime("%Y-%m-%d %H:%M:%S UTC")) }
            td data-name="runner" { @match event.runner { Some(number) => (number), None => "all" } }
            td { (event.what.words()) }
            td { (visible(&event.why)) }
        }
    }
}

#[cfg(test)]
mod tests;
