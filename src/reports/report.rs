//! What one workflow job filed, and how that stands.

use jiff::{SignedDuration, Timestamp};

use super::metadata::{Started, Stats};

/// A workflow job that says nothing for so long is taken for lost; GitHub cancels those of self-hosted runners after five days,
/// but tests that write reports end within one.
pub(super) const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(24);

/// Reports that say nothing of their end are written to for so long after their directory got its last name.
pub(super) const LONGEST_WRITING: SignedDuration = SignedDuration::from_hours(1);

/// The directory of one workflow job: `{workflow}/{run_id}/{directory}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Name of the workflow's directory.
    pub workflow: String,
    /// Name of the run's directory.
    pub run_id: String,
    /// Name of the workflow job's directory.
    pub directory: String,
    /// When the directory was last written to.
    pub modified: Timestamp,
    /// What the started hook wrote; `None`: unlabelled.
    pub started: Option<Started>,
    /// When the completed hook was called, if it was.
    pub finished: Option<String>,
    /// The summary of Playwright's JSON report, else of a `JUnit` report.
    pub stats: Option<Stats>,
    /// The HTML report.
    pub html: Html,
    /// What its tests left to look at.
    pub evidence: Evidence,
    /// Other files and directories in it, the first few; looked for where there is no whole HTML report.
    pub others: Vec<String>,
}

/// Files in Playwright's `html/data`, by name; those of the first test that has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// A screenshot (PNG) of a few megabytes at most.
    pub screenshot: Option<String>,
    /// A trace (ZIP).
    pub trace: Option<String>,
}

/// How much of an HTML report there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Html {
    /// No directory of that name.
    #[default]
    Missing,
    /// It ends before its data, which is written last.
    Partial,
    /// All of it.
    Complete,
}

/// How far a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The workflow job has ended and its report is whole.
    Complete,
    /// The workflow job may still write.
    Running,
    /// The report is not whole and nobody writes it any more, or the workflow job never said that it ended.
    Broken,
}

/// What the tests say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All ended as they should.
    Passed,
    /// Some needed more than one attempt.
    Flaky,
    /// Some failed.
    Failed,
    /// There is no JSON report, or no test in it.
    Unknown,
}

impl Report {
    /// When it began, or else was last written to: the order of reports.
    #[must_use]
    pub fn began(&self) -> Timestamp {
        let said = self.started.as_ref().and_then(|started| started.started.parse().ok());
        // What lies in the future would stay on top for ever.
        said.map_or(self.modified, |said: Timestamp| said.min(self.modified))
    }

    /// How far it is at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        // What a workflow filed by itself says neither that it began nor that it ended: its HTML report is all there is to go by.
        if self.finished.is_some() || self.started.is_none() {
            return if self.html == Html::Partial { State::Broken } else { State::Complete };
        }
        let is_young = now.duration_since(self.began()) < LONGEST_RUN;
        if is_young { State::Running } else { State::Broken }
    }

    /// Nothing in it is written any more, as far as one can tell.
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        if self.started.is_some() || self.finished.is_some() {
            return self.state(now) != State::Running;
        }
        now.duration_since(self.modified) > LONGEST_WRITING
    }

    /// When its workflow job ended as it says itself, or else began.
    #[must_use]
    pub fn ended(&self) -> Timestamp {
        let said = self.finished.as_ref().and_then(|finished| finished.parse().ok());
        said.unwrap_or_else(|| self.began())
    }

    /// `GITHUB_RUN_ATTEMPT`, from 1; what says nothing of it is the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.started.as_ref().and_then(|started| started.run_attempt.parse().ok()).unwrap_or(1)
    }

    /// What the tests took, or else the workflow job from its start to its end.
    #[must_use]
    pub fn duration(&self) -> Option<SignedDuration> {
        if let Some(stats) = self.stats {
            return Some(SignedDuration::from_millis(i64::try_from(stats.milliseconds).ok()?));
        }
        let began: Timestamp = self.started.as_ref()?.started.parse().ok()?;
        let ended: Timestamp = self.finished.as_ref()?.parse().ok()?;
        Some(ended.duration_since(began)).filter(|duration| !duration.is_negative())
    }

    /// What its tests say.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.stats {
            Some(stats) if stats.unexpected > 0 => Outcome::Failed,
            Some(stats) if stats.flaky > 0 => Outcome::Flaky,
            Some(stats) if stats.expected > 0 => Outcome::Passed,
            _ => Outcome::Unknown,
        }
    }
}

impl State {
    /// Every one, in the order of a report's life.
    pub const ALL: [Self; 3] = [Self::Running, Self::Complete, Self::Broken];

    /// The word for it, in pages and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Running => "running",
            Self::Broken => "broken",
        }
    }
}

impl Outcome {
    /// Every one, worst first.
    pub const ALL: [Self; 4] = [Self::Failed, Self::Flaky, Self::Passed, Self::Unknown];

    /// The word for it, in pages, queries and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Html, Outcome, Report, State};
    use crate::reports::metadata::{Started, Stats};

    fn report(started: Option<&str>) -> Report {
        Report {
            workflow: "ci".to_owned(),
            run_id: "7".to_owned(),
            directory: "1-test-r1-ab".to_owned(),
            modified: "2026-11-24T10:00:00Z".parse().unwrap(),
            started: started.map(|started| Started { started: started.to_owned(), ..Started::default() }),
            finished: None,
            ..Report::default()
        }
    }

    #[test]
    fn a_workflow_job_is_running_for_a_day_at_most() {
        let began: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let report = report(Some("2026-11-24T09:00:00Z"));
        assert_eq!(report.state(began), State::Running);
        assert_eq!(report.state(began + SignedDuration::from_hours(24)), State::Broken);
    }

    #[test]
    fn what_has_no_label_is_as_whole_as_its_html() {
        for (html, expected) in [
            (Html::Missing, State::Complete),
            (Html::Partial, State::Broken),
            (Html::Complete, State::Complete),
        ] {
            let report = Report { html, ..report(None) };
            assert_eq!(report.state(report.modified), expected);
        }
    }

    #[test]
    fn an_end_makes_it_complete_unless_the_html_is_cut_off() {
        let finished = Report { finished: Some(String::new()), ..report(None) };
        assert_eq!(finished.state(finished.modified), State::Complete);
        let cut = Report { html: Html::Partial, ..finished };
        assert_eq!(cut.state(cut.modified), State::Broken);
    }

    #[test]
    fn a_start_in_the_future_is_not_believed() {
        let report = report(Some("2999-01-01T00:00:00Z"));
        assert_eq!(report.began(), report.modified);
    }

    #[test]
    fn what_says_nothing_of_its_end_settles_an_hour_after_its_last_name() {
        let unlabelled = report(None);
        let after = |minutes| unlabelled.modified + SignedDuration::from_mins(minutes);
        assert!(!unlabelled.is_settled(after(60)) && unlabelled.is_settled(after(61)));
        let began = report(Some("2026-11-24T09:00:00Z"));
        assert!(!began.is_settled(after(61)));
        let ended = Report { finished: Some("2026-11-24T09:01:30Z".to_owned()), ..began };
        assert!(ended.is_settled(after(0)));
        assert_eq!(ended.duration(), Some(SignedDuration::from_secs(90)));
    }

    #[test]
    fn one_failure_outweighs_all_else() {
        let with = |stats: Stats| Report { stats: Some(stats), ..report(None) }.outcome();
        let all = Stats { expected: 9, flaky: 1, unexpected: 1, ..Stats::default() };
        assert_eq!(with(all), Outcome::Failed);
        assert_eq!(with(Stats { unexpected: 0, ..all }), Outcome::Flaky);
        assert_eq!(with(Stats { unexpected: 0, flaky: 0, ..all }), Outcome::Passed);
        assert_eq!(with(Stats::default()), Outcome::Unknown);
        assert_eq!(report(None).outcome(), Outcome::Unknown);
    }
}
