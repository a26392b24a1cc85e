//! What a queued workflow job waits for.

use serde::Serialize;

use super::{Candidate, Here};

/// A workflow job that has not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// GitHub's number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The labels that its runner has to have.
    pub labels: Vec<String>,
    /// It waits for a runner, not for an approval, a concurrency group or another workflow job.
    pub waits_for_runner: bool,
}

/// What a workflow job waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// GitHub's number.
    pub workflow_job: u64,
    /// Its name.
    pub name: String,
    /// In a word.
    pub waits_for: Waits,
    /// In a sentence.
    pub reason: String,
    /// The next step.
    pub hint: String,
    /// What keeps each runner of the fleet from it, by name.
    pub runners: Vec<(String, String)>,
}

/// What a workflow job waits for, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// Something that is no runner.
    GithubItself,
    /// A runner with these labels: the fleet has none.
    Labels,
    /// One of those that fit, which are all busy.
    Turn,
    /// One of those that fit, of which none is in service.
    Service,
    /// GitHub: a runner that fits is free.
    Assignment,
}

impl Queued {
    /// The labels that `runner` has not; GitHub tells labels apart without case.
    #[must_use]
    pub fn lacks(&self, runner: &Candidate) -> Vec<&str> {
        let has = |label: &str| runner.labels.iter().any(|own| own.eq_ignore_ascii_case(label));
        self.labels.iter().map(String::as_str).filter(|label| !has(label)).collect()
    }

    /// What it waits for.
    #[must_use]
    pub fn verdict(&self, fleet: &[Candidate]) -> Verdict {
        let fitting: Vec<&Candidate> = fleet.iter().filter(|runner| self.lacks(runner).is_empty()).collect();
        let (waits_for, reason, hint) = if !self.waits_for_runner {
            (
                Waits::GithubItself,
                "it does not wait for a runner: GitHub holds it back".to_owned(),
                "look at its page: an approval, a concurrency group, or a workflow job that it needs",
            )
        } else if fitting.is_empty() {
            (
                Waits::Labels,
                self.no_labels(fleet),
                "correct `runs-on` in the workflow, or add the label to the config",
            )
        } else if fitting.iter().any(|runner| runner.is_free()) {
            (
                Waits::Assignment,
                "a runner with its labels is free".to_owned(),
                "GitHub gives it away within a minute; else look at the runner group: it has to admit the repository, and public ones need a setting of their own",
            )
        } else if fitting.iter().any(|runner| runner.is_busy()) {
            let count = fitting.iter().filter(|runner| runner.is_busy()).count();
            (
                Waits::Turn,
                format!(
                    "it waits for its turn: {count} of {} runners with its labels are busy, the others not in service",
                    fitting.len()
                ),
                "wait; or raise count, if the host has room for more runners",
            )
        } else {
            (
                Waits::Service,
                format!("none of the {} runners with its labels is in service", fitting.len()),
                "`runnerctl status` says why of each",
            )
        };
        Verdict {
            workflow_job: self.id,
            name: self.name.clone(),
            waits_for,
            reason,
            hint: hint.to_owned(),
            runners: fleet.iter().map(|runner| (runner.name.clone(), self.keeps(runner))).collect(),
        }
    }

    /// The labels that stand in the way everywhere, or else of the runner that comes nearest.
    fn no_labels(&self, fleet: &[Candidate]) -> String {
        let everywhere: Vec<&str> = self
            .labels
            .iter()
            .map(String::as_str)
            .filter(|label| fleet.iter().all(|runner| self.lacks(runner).contains(label)))
            .collect();
        if !everywhere.is_empty() {
            return format!("no runner of this fleet has the label {}", everywhere.join(", "));
        }
        "no runner of this fleet has all of its labels".to_owned()
    }

    fn keeps(&self, runner: &Candidate) -> String {
        let lacks = self.lacks(runner);
        if !lacks.is_empty() {
            return format!("lacks the label {}", lacks.join(", "));
        }
        match &runner.here {
            Here::Busy => "busy".to_owned(),
            Here::Drained => "drained".to_owned(),
            Here::Away { word, .. } => word.clone(),
            Here::Idle if runner.is_free() => "free".to_owned(),
            Here::Idle => "GitHub does not see it as free".to_owned(),
        }
    }
}
