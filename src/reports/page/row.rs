//! The cells that say how a run or a workflow job stands.

use jiff::{SignedDuration, Timestamp, Unit};
use maud::{Markup, html};

use super::Moment;
use crate::reports::{Html, Outcome, Report, Run, State, Stats, encoded, visible};

/// The URL of a run's page; it stays what it is.
pub(super) fn run_url(run: &Run) -> String {
    format!("/r/{}/{}/", encoded(&run.workflow), encoded(&run.run_id))
}

/// One workflow job's report: its name, what it says, and what there is to look at.
pub(super) fn job(report: &Report, moment: Moment<'_>) -> Markup {
    let url = format!(
        "/r/{}/{}/{}/",
        encoded(&report.workflow),
        encoded(&report.run_id),
        encoded(&report.directory)
    );
    let (outcome, state) = (report.outcome(), report.state(moment.now));
    html! {
        a href=(url) title=(visible(&report.directory)) { (name(report)) }
        @if report.attempt() > 1 { " " span class="quiet" { "attempt " (report.attempt()) } }
        " " (word_of_outcome(outcome))
        @if state != State::Complete { " " (word_of_state(state)) }
        @if report.html == Html::Complete { " · " a href={ (url) "html/" } { "report" } }
        @for name in &report.others { " · " a href={ (url) (encoded(name)) } { (visible(name)) } }
        @if let (Some(trace), Some(origin)) = (&report.evidence.trace, moment.origin) {
            // The viewer passes whatever is no whole URL to a program that is not here.
            @let whole = format!("{origin}{url}html/data/{}", encoded(trace));
            " · " a href={ (url) "html/trace/index.html?trace=" (encoded(&whole)) } { "trace" }
        }
        @if report.started.is_none() { " " span class="quiet" { "unlabelled" } }
        @if let (Outcome::Failed | Outcome::Flaky, Some(name)) = (outcome, &report.evidence.screenshot) {
            @let image = format!("{url}html/data/{}", encoded(name));
            a href=(image) { img src=(image) loading="lazy" alt="screenshot of a failing test"; }
        }
    }
}

/// What the workflow calls itself, or else its directory.
pub(super) fn title(run: &Run) -> String {
    let label = run.reports().first().and_then(|report| report.started.as_ref());
    visible(label.map(|label| &label.workflow).filter(|name| !name.is_empty()).unwrap_or(&run.workflow))
}

/// Legs of a matrix have one id; they differ by their runner, or at least by their directory.
fn name(report: &Report) -> Markup {
    let label = report.started.as_ref().filter(|label| !label.workflow_job.is_empty());
    html! {
        @if let Some(label) = label { (visible(&label.workflow_job)) " on " (visible(&label.runner)) }
        @else { (visible(&report.directory)) }
    }
}

pub(super) fn word_of_outcome(outcome: Outcome) -> Markup {
    html! { span class=(outcome.word()) { (outcome.word()) } }
}

pub(super) fn word_of_state(state: State) -> Markup {
    html! { span class=(state.word()) { (state.word()) } }
}

/// How many tests ended how; what there was none of is left out.
pub(super) fn tests(all: impl Iterator<Item = Stats>) -> String {
    let sum = all.fold(Stats::default(), |sum, stats| Stats {
        expected: sum.expected.saturating_add(stats.expected),
        unexpected: sum.unexpected.saturating_add(stats.unexpected),
        flaky: sum.flaky.saturating_add(stats.flaky),
        skipped: sum.skipped.saturating_add(stats.skipped),
        ..sum
    });
    let counts = [
        (sum.unexpected, "failed"),
        (sum.flaky, "flaky"),
        (sum.expected, "passed"),
        (sum.skipped, "skipped"),
    ];
    let said: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    said.join(", ")
}

/// To the second, and a short one to the tenth.
pub(super) fn duration(duration: Option<SignedDuration>) -> String {
    let Some(duration) = duration else { return String::new() };
    if duration < SignedDuration::from_secs(10) {
        return format!("{:.1}s", duration.as_secs_f64());
    }
    duration.round(Unit::Second).map(|rounded| format!("{rounded:#}")).unwrap_or_default()
}

pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `refs/heads/main` as `main`; other kinds keep theirs.
pub(super) fn branch(report: Option<&Report>) -> String {
    let label = report.and_then(|report| report.started.as_ref());
    let git_ref = label.map_or("", |label| label.git_ref.as_str());
    visible(git_ref.strip_prefix("refs/heads/").unwrap_or(git_ref))
}
