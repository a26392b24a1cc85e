//! What waits at GitHub, on the page.

use jiff::Timestamp;
use maud::{Markup, html};

use super::runner::span;
use crate::health::{Queue, WaitingRun};
use crate::reports::visible;

pub(super) fn section(queue: &Queue, now: Timestamp) -> Markup {
    html! {
        h2 { "Waiting at GitHub" }
        @match queue {
            Queue::NotAsked => p class="quiet" { "Not asked: the config has no credential for that (github.credential)." },
            Queue::NoList => p class="quiet" {
                "Not asked: GitHub has no list for an organisation or enterprise. " code { "runnerctl why --repository OWNER/REPOSITORY" } " asks one repository."
            },
            Queue::NoAnswer { reason } => p class="flaky" { "GitHub does not tell: " (visible(reason)) },
            Queue::Waiting { total: 0, .. } => p class="quiet" { "No workflow run waits to begin." },
            Queue::Waiting { total, runs } => {
                ul class="waiting" { @for run in runs { (row(run, now)) } }
                @if let Some(more @ 1..) = total.checked_sub(runs.len().try_into().unwrap_or(u64::MAX)) { p { "and " (more) " more" } }
                p class="quiet" {
                    "Workflow runs that have not begun; workflow jobs that wait in one that has are not counted. What each waits for: " code { "runnerctl why" }
                }
            },
        }
    }
}

fn row(run: &WaitingRun, now: Timestamp) -> Markup {
    let name = if run.workflow.is_empty() { "a workflow".to_owned() } else { visible(&run.workflow) };
    html! {
        li {
            @if let Some(url) = run.url.as_deref().filter(|url| is_web(url)) { a href=(url) { (name) } } @else { (name) }
            @if !run.title.is_empty() { ": " (visible(&run.title)) }
            @if let Some(since) = run.since { span class="quiet" { ", for " (span(now, since)) } }
        }
    }
}

/// No `javascript:`, whatever the API answers.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
