//! The index: runs of all workflows, newest first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use maud::{Markup, html};

use super::row::{branch, duration, job, run_url, tests, time, title, word_of_outcome, word_of_state};
use super::{Moment, Query, page};
use crate::reports::{Index, Outcome, Report, Run, State, visible};

/// Runs on one page.
const PER_PAGE: usize = 100;

/// Workflow jobs of a run that are named in the index; the run's own page has all.
const JOBS_SHOWN: usize = 6;

/// Workflows that are offered to choose from.
const WORKFLOWS_OFFERED: usize = 200;

/// All runs that `query` asks for.
#[must_use]
pub fn index(index: &Index, query: &Query, moment: Moment<'_>) -> String {
    let found: Vec<&Run> =
        index.runs.iter().map(AsRef::as_ref).filter(|run| query.wants(run, moment.now)).collect();
    let begin = query.page.saturating_mul(PER_PAGE);
    let end = begin.saturating_add(PER_PAGE);
    page(
        "Reports",
        &html! {
            (form(index, query))
            @if index.incomplete { p { "There are more reports than are looked at here." } }
            table class="cards" {
                thead { tr { th { "Outcome" } th { "Run" } th { "Workflow jobs" } th { "Tests" } th { "Duration" } th { "State" }
                             th { "Began" } th { "Branch" } } }
                tbody { @for run in found.iter().skip(begin).take(PER_PAGE) { (row(run, moment)) } }
            }
            @if found.is_empty() { p { "No reports." } }
            p {
                @if query.page > 0 { a href=(query.url(query.page - 1)) { "Newer" } " " }
                @if found.len() > end { a href=(query.url(query.page + 1)) { "Older" } }
            }
            p class="quiet" { (found.len()) " runs, read at " (moment.read.strftime("%H:%M:%S UTC")) }
        },
    )
}

fn form(index: &Index, query: &Query) -> Markup {
    let workflows: BTreeSet<&str> = index.runs.iter().map(|run| run.workflow.as_str()).collect();
    html! {
        form method="get" action="/" {
            input type="search" name="q" aria-label="search" value=(query.q) placeholder="repository, branch, workflow job …";
            input name="workflow" aria-label="workflow" value=(query.workflow) placeholder="workflow" list="workflows";
            datalist id="workflows" {
                @for workflow in workflows.into_iter().take(WORKFLOWS_OFFERED) { option value=(workflow); }
            }
            (select("outcome", &query.outcome, &Outcome::ALL.map(Outcome::word)))
            (select("state", &query.state, &State::ALL.map(State::word)))
            button { "Show" }
            @if *query != Query::default() { a href="/" { "All" } }
        }
    }
}

fn select(name: &str, chosen: &str, words: &[&str]) -> Markup {
    html! {
        select name=(name) aria-label=(name) {
            option value="" { "any " (name) }
            @for word in words { option value=(word) selected[*word == chosen] { (word) } }
        }
    }
}

fn row(run: &Run, moment: Moment<'_>) -> Markup {
    let of_workflow = Query { workflow: run.workflow.clone(), ..Query::default() };
    let mut jobs: Vec<&Report> = run.reports().iter().collect();
    let worst = |report: &Report| Outcome::ALL.iter().position(|outcome| *outcome == report.outcome());
    jobs.sort_by_key(|report| (Reverse(report.attempt()), worst(report)));
    html! {
        tr {
            td { (word_of_outcome(run.outcome())) }
            td { a href=(of_workflow.url(0)) { (title(run)) } " " a href=(run_url(run)) { (visible(&run.run_id)) } }
            td {
                @for report in jobs.iter().take(JOBS_SHOWN) { p class="job" { (job(report, moment)) } }
                @if let Some(more @ 1..) = jobs.len().checked_sub(JOBS_SHOWN) {
                    a href=(run_url(run)) { "and " (more) " more" }
                }
            }
            td { (tests(run.last_attempt().filter_map(|report| report.stats))) }
            td class="short" { (duration(run.duration())) }
            td { (word_of_state(run.state(moment.now))) }
            td class="short" { (time(run.began)) }
            td class="name" { (branch(run.reports().first())) }
        }
    }
}
