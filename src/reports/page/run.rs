//! One workflow run: all that its workflow jobs filed.

use maud::html;

use super::row::{branch, duration, job, tests, time, title, word_of_outcome, word_of_state};
use super::{Moment, Query, page};
use crate::reports::{Report, Run, visible};

/// Workflow jobs on the page; a matrix has 256 at most.
const MOST_JOBS: usize = 1000;

/// Characters of a commit's name, as at GitHub.
const SHORT_COMMIT: usize = 7;

/// The page of `run`.
#[must_use]
pub fn run(run: &Run, moment: Moment<'_>) -> String {
    let of_workflow = Query { workflow: run.workflow.clone(), ..Query::default() };
    let newest = run.reports().first();
    let commit = newest.and_then(|report| report.started.as_ref()).map_or("", |label| label.sha.as_str());
    page(
        &format!("{} {}", title(run), visible(&run.run_id)),
        &html! {
            p { a href="/" { "All reports" } " · " a href=(of_workflow.url(0)) { (visible(&run.workflow)) } }
            p {
                (word_of_outcome(run.outcome())) " · " (word_of_state(run.state(moment.now)))
                " · " (duration(run.duration())) " · " (branch(newest)) " " (visible(&commit.chars().take(SHORT_COMMIT).collect::<String>()))
            }
            table class="large cards" {
                thead { tr { th { "Workflow job" } th { "Tests" } th { "Duration" } th { "Began" } th { "Attempt" } th { "Runner" } } }
                tbody { @for report in run.reports().iter().take(MOST_JOBS) {
                    tr {
                        td { (job(report, moment)) }
                        td { (tests(report.stats.into_iter())) }
                        td class="short" { (duration(report.duration())) }
                        td class="short" { (time(report.began())) }
                        td data-name="attempt" { (report.attempt()) }
                        td data-name="runner" { (runner(report)) }
                    }
                } }
            }
            @if run.reports().len() > MOST_JOBS { p { "There are more workflow jobs than are shown here." } }
        },
    )
}

fn runner(report: &Report) -> String {
    visible(report.started.as_ref().map_or("", |label| label.runner.as_str()))
}
