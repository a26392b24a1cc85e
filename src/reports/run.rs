//! What the workflow jobs of one workflow run filed, as one line of the index.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Report, State};

/// The directory of one workflow run: `{workflow}/{run_id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Name of the workflow's directory.
    pub workflow: String,
    /// Name of the run's directory.
    pub run_id: String,
    /// When the newest of its workflow jobs began: a re-run brings a run to the top again.
    pub began: Timestamp,
    /// Newest first; never empty.
    reports: Vec<Report>,
}

/// All runs that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// Newest first.
    pub runs: Vec<Arc<Run>>,
    /// There is more than is looked at.
    pub incomplete: bool,
}

impl Run {
    /// `None` without a report: such a directory is no run yet.
    #[must_use]
    pub fn of(workflow: &str, run_id: &str, mut reports: Vec<Report>) -> Option<Self> {
        reports.sort_by_cached_key(|report| (Reverse(report.began()), report.directory.clone()));
        let began = reports.first()?.began();
        Some(Self { workflow: workflow.to_owned(), run_id: run_id.to_owned(), began, reports })
    }

    /// What each workflow job filed, newest first.
    #[must_use]
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The worst of the last attempt, as at GitHub: a re-run repeats all workflow jobs, or those that failed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let found: Vec<Outcome> = self.last_attempt().map(Report::outcome).collect();
        Outcome::ALL.into_iter().find(|outcome| found.contains(outcome)).unwrap_or(Outcome::Unknown)
    }

    /// Running while one of its workflow jobs is, else broken if one of the last attempt is.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        if self.reports.iter().any(|report| report.state(now) == State::Running) {
            return State::Running;
        }
        let is_broken = self.last_attempt().any(|report| report.state(now) == State::Broken);
        if is_broken { State::Broken } else { State::Complete }
    }

    /// The longest of the last attempt's workflow jobs: they run beside each other.
    #[must_use]
    pub fn duration(&self) -> Option<SignedDuration> {
        self.last_attempt().filter_map(Report::duration).max()
    }

    /// Nothing in it is written any more, as far as one can tell, unless something joins it.
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        self.reports.iter().all(|report| report.is_settled(now))
    }

    /// What the last attempt filed, newest first.
    pub(super) fn last_attempt(&self) -> impl Iterator<Item = &Report> {
        let last = self.reports.iter().map(Report::attempt).max();
        self.reports.iter().filter(move |report| Some(report.attempt()) == last)
    }
}

impl Index {
    /// The run in the directory `{workflow}/{run_id}`.
    #[must_use]
    pub fn run(&self, workflow: &str, run_id: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.run_id == run_id && run.workflow == workflow).map(AsRef::as_ref)
    }

    /// In the order in which they are shown.
    #[must_use]
    pub fn of(mut runs: Vec<Arc<Run>>, incomplete: bool) -> Self {
        runs.sort_unstable_by(|a, b| {
            let by_name = || a.workflow.cmp(&b.workflow).then_with(|| a.run_id.cmp(&b.run_id));
            b.began.cmp(&a.began).then_with(by_name)
        });
        Self { runs, incomplete }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Index, Run};
    use crate::reports::{Outcome, Report, Started, State, Stats};

    fn report(attempt: u32, minute: i64, stats: Option<Stats>) -> Report {
        let began = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        Report {
            directory: format!("{attempt}-test-r1-{minute}"),
            modified: began,
            started: Some(Started {
                run_attempt: attempt.to_string(),
                started: began.to_string(),
                ..Started::default()
            }),
            finished: Some((began + SignedDuration::from_secs(30)).to_string()),
            stats,
            ..Report::default()
        }
    }

    const FAILED: Option<Stats> =
        Some(Stats { milliseconds: 9000, expected: 0, skipped: 0, unexpected: 1, flaky: 0 });
    const PASSED: Option<Stats> =
        Some(Stats { milliseconds: 5000, expected: 1, skipped: 0, unexpected: 0, flaky: 0 });

    #[test]
    fn a_run_is_what_its_last_attempt_is() {
        let run = Run::of("ci", "1", vec![report(1, 0, FAILED), report(2, 60, PASSED)]).unwrap();
        assert_eq!(run.outcome(), Outcome::Passed);
        assert_eq!(run.duration(), Some(SignedDuration::from_secs(5)));
        assert_eq!(run.reports().first().unwrap().attempt(), 2);
        let both = Run::of("ci", "1", vec![report(1, 0, PASSED), report(1, 0, FAILED)]).unwrap();
        assert_eq!((both.outcome(), both.duration()), (Outcome::Failed, Some(SignedDuration::from_secs(9))));
        assert_eq!(Run::of("ci", "1", Vec::new()), None);
    }

    #[test]
    fn a_run_is_running_while_one_of_its_workflow_jobs_is() {
        let still = Report { finished: None, ..report(1, 0, None) };
        let run = Run::of("ci", "1", vec![report(1, 0, PASSED), still]).unwrap();
        let soon = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        assert_eq!((run.state(soon), run.is_settled(soon)), (State::Running, false));
        let late = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(30);
        assert_eq!((run.state(late), run.is_settled(late)), (State::Broken, true));
    }

    #[test]
    fn the_run_with_the_newest_workflow_job_is_first() {
        let run = |id, minutes: &[i64]| {
            let reports = minutes.iter().map(|minute| report(1, *minute, None)).collect();
            Run::of("ci", id, reports).unwrap().into()
        };
        let index = Index::of(vec![run("7", &[5]), run("8", &[1, 9]), run("9", &[7])], false);
        let ids: Vec<&str> = index.runs.iter().map(|run| run.run_id.as_str()).collect();
        assert_eq!(ids, ["8", "9", "7"]);
    }
}
