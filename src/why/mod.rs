//! Why nothing runs: what keeps each runner, and what each queued workflow job waits for. Pure.
//!
//! Two witnesses, this host and GitHub. Without a credential for GitHub the host's view alone is told; nothing is guessed.

mod workflow_job;

use serde::Serialize;

pub use workflow_job::{Queued, Verdict, Waits};

/// A runner of the fleet, as both see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Name at GitHub.
    pub name: String,
    /// From 1.
    pub number: u16,
    /// This host's view.
    pub here: Here,
    /// GitHub's view; `None` where it was not asked.
    pub at_github: Option<AtGithub>,
    /// All its labels, GitHub's own included.
    pub labels: Vec<String>,
}

/// This host's view of a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Here {
    /// It has a session, and nothing to do.
    Idle,
    /// A workflow job runs on it.
    Busy,
    /// `runnerctl drain` took it out of service.
    Drained,
    /// It is not in service: a word of `runnerctl status`, and the reason where one is known.
    Away {
        /// Such as `failed` or `starting`.
        word: String,
        /// A sentence.
        problem: Option<String>,
    },
}

/// GitHub's view of a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtGithub {
    /// There is no runner of that name.
    Absent,
    /// It is registered and has no session.
    Offline,
    /// It has a session, and no workflow job.
    Idle,
    /// It has a workflow job.
    Busy,
}

/// What is told of one runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunnerReason {
    /// Name at GitHub.
    pub runner: String,
    /// Why it runs nothing, or that it does.
    pub reason: String,
    /// The next step, where there is one.
    pub hint: Option<String>,
}

impl Candidate {
    /// Can it take a workflow job right now, as far as anybody knows?
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.here == Here::Idle && matches!(self.at_github, None | Some(AtGithub::Idle))
    }

    /// Does it run a workflow job?
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.here == Here::Busy || self.here == Here::Idle && self.at_github == Some(AtGithub::Busy)
    }

    /// Why it runs nothing; `queued` workflow jobs wait for a runner.
    #[must_use]
    pub fn reason(&self, queued: &[Queued]) -> RunnerReason {
        let number = self.number;
        let (reason, hint) = match (&self.here, self.at_github) {
            (Here::Drained, _) => {
                ("drained".to_owned(), Some(format!("take it back into service: runnerctl undrain {number}")))
            }
            (Here::Away { word, problem }, _) => {
                let reason =
                    problem.as_ref().map_or_else(|| word.clone(), |problem| format!("{word}: {problem}"));
                (reason, Some(format!("runnerctl status {number}, runnerctl logs {number}")))
            }
            (Here::Idle | Here::Busy, Some(AtGithub::Absent)) => (
                "it has a session here, and GitHub does not know it: it was removed there".to_owned(),
                Some(format!("it ends by itself within a minute; else runnerctl restart {number}")),
            ),
            (Here::Idle | Here::Busy, Some(AtGithub::Offline)) => (
                "it has a session here, and GitHub sees it offline: the connection is lost".to_owned(),
                Some(format!("see that the host reaches GitHub; then runnerctl restart {number}")),
            ),
            (Here::Busy, _) => ("busy: a workflow job runs on it".to_owned(), None),
            (Here::Idle, Some(AtGithub::Busy)) => (
                "idle here, and GitHub calls it busy: a workflow job has just begun or ended".to_owned(),
                Some("look again in a minute".to_owned()),
            ),
            (Here::Idle, None) => ("idle".to_owned(), None),
            (Here::Idle, Some(AtGithub::Idle)) => (self.idle(queued), None),
        };
        RunnerReason { runner: self.name.clone(), reason, hint }
    }

    fn idle(&self, queued: &[Queued]) -> String {
        let waiting = queued.iter().filter(|job| job.waits_for_runner).count();
        let fitting = queued.iter().filter(|job| job.waits_for_runner && job.lacks(self).is_empty()).count();
        match (waiting, fitting) {
            (0, _) => "idle: no workflow job is queued".to_owned(),
            (_, 0) => "idle: it has not the labels of any workflow job that is queued".to_owned(),
            (_, fitting) => format!("idle: {fitting} queued workflow jobs have labels that fit"),
        }
    }
}

#[cfg(test)]
mod tests;
