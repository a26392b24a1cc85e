//! What of the reports may stay. Pure.
//!
//! `(what is there, budgets, now) → RetentionPlan`. What may still be written to never goes, nor do the newest run of a workflow, its last that failed and
//! its last that did not. Of the rest goes what ended longest ago, and no more than what each budget needs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::report::{LONGEST_RUN, LONGEST_WRITING};
use super::{Outcome, Run, State};
use crate::config::Retention;

/// Something below the reports directory that goes as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Name of the workflow's directory, or of what lies among them.
    pub workflow: OsString,
    /// Name in the workflow's directory; `None`: all that bears the name above.
    pub name: Option<OsString>,
    /// Bytes on the disk.
    pub bytes: u64,
    /// When anything in it was last changed; nobody can set that.
    pub changed: Timestamp,
    /// It could not be measured in full.
    pub is_cut: bool,
    /// What it says of itself; `None`: it is no run.
    pub run: Option<Standing>,
}

/// What a workflow run says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// When its last workflow job ended, or else began.
    pub ended: Timestamp,
    /// All of its workflow jobs have said that they ended.
    pub has_ended: bool,
    /// How far it is.
    pub state: State,
    /// What its tests say.
    pub outcome: Outcome,
}

/// What goes, and what is too much all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionPlan {
    /// One by one, what ended longest ago first.
    pub removals: Vec<Removal>,
    /// Budgets that what has to stay exceeds.
    pub exceeded: Vec<Exceeded>,
}

/// Something that goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// What.
    pub held: Held,
    /// Why.
    pub reason: Reason,
}

/// The key in `[reports.retention]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It ended too long ago.
    MaxAge,
    /// Its workflow has too many runs.
    RunsMax,
    /// Its workflow takes too much of the disk.
    WorkflowMax,
    /// All reports together take too much of the disk.
    TotalMax,
}

/// A budget that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// Whose it is; `None`: of all workflows together.
    pub workflow: Option<OsString>,
    /// Which one.
    pub budget: Reason,
    /// Runs or bytes above it.
    pub by: u64,
}

impl Reason {
    /// The key in `[reports.retention]`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::MaxAge => "max_age",
            Self::RunsMax => "runs_max",
            Self::WorkflowMax => "workflow_max",
            Self::TotalMax => "total_max",
        }
    }
}

impl Standing {
    /// How `run` stands at `now`.
    #[must_use]
    pub fn of(run: &Run, now: Timestamp) -> Self {
        Self {
            ended: run.reports().iter().map(super::Report::ended).max().unwrap_or(run.began),
            has_ended: run.reports().iter().all(|report| report.finished.is_some()),
            state: run.state(now),
            outcome: run.outcome(),
        }
    }
}

impl Held {
    /// When it ended: as it says, but not after its last change. A claim can only let it go sooner.
    #[must_use]
    pub fn ended(&self) -> Timestamp {
        self.run.map_or(self.changed, |run| run.ended.min(self.changed))
    }

    /// May a workflow job still write to it? What says that it runs is believed as long as it changes, if only once in 24 hours; what says nothing is left
    /// alone for an hour after its last change.
    #[must_use]
    pub fn may_be_written(&self, now: Timestamp) -> bool {
        let quiet = now.duration_since(self.changed);
        match self.run {
            Some(run) if run.has_ended => false,
            Some(run) if run.state == State::Running => quiet < LONGEST_RUN,
            _ => quiet < LONGEST_WRITING,
        }
    }

    fn is_run(&self) -> bool {
        self.run.is_some()
    }

    fn order(&self) -> (Timestamp, &OsStr, Option<&OsStr>) {
        (self.ended(), &self.workflow, self.name.as_deref())
    }
}

/// Something that is there, and what becomes of it.
struct Candidate<'a> {
    held: &'a Held,
    stays: bool,
    gone: Option<Reason>,
}

impl RetentionPlan {
    /// What has to go at `now` so that all budgets are kept, as far as what has to stay allows.
    #[must_use]
    pub fn new(held: &[Held], retention: &Retention, now: Timestamp) -> Self {
        let mut workflows: BTreeMap<&OsStr, Vec<Candidate<'_>>> = BTreeMap::new();
        for held in held {
            let candidate = Candidate { held, stays: held.may_be_written(now), gone: None };
            workflows.entry(&held.workflow).or_default().push(candidate);
        }
        let mut exceeded = Vec::new();
        for (workflow, own) in &mut workflows {
            own.sort_by(|a, b| a.held.order().cmp(&b.held.order()));
            keep_last(own);
            let budgets = within_workflow(own, retention, now);
            exceeded.extend(budgets.into_iter().map(|(budget, by)| Exceeded {
                workflow: Some((*workflow).to_owned()),
                budget,
                by,
            }));
        }
        let mut all: Vec<&mut Candidate<'_>> = workflows.values_mut().flatten().collect();
        all.sort_by(|a, b| a.held.order().cmp(&b.held.order()));
        let lacking = excess(all.iter().map(|candidate| &**candidate), retention.total_max.bytes(), bytes);
        match take(all.iter_mut().map(|candidate| &mut **candidate), lacking, Reason::TotalMax, bytes) {
            0 => {}
            by => exceeded.push(Exceeded { workflow: None, budget: Reason::TotalMax, by }),
        }
        Self { removals: all.iter().filter_map(|candidate| candidate.removal()).collect(), exceeded }
    }
}

/// The directories of workflows that take more than their share although all that may go is gone, from what is `left`. What cannot be measured counts as
/// too much.
#[must_use]
pub fn over_budget<'a>(left: impl Iterator<Item = &'a Held>, retention: &Retention) -> BTreeSet<&'a OsStr> {
    let Some(most) = retention.workflow_max.bytes() else { return BTreeSet::new() };
    let mut workflows: BTreeMap<&OsStr, u64> = BTreeMap::new();
    for held in left {
        let sum = workflows.entry(&held.workflow).or_default();
        *sum = sum.saturating_add(if held.is_cut { u64::MAX } else { held.bytes });
    }
    workflows.into_iter().filter(|(_, sum)| *sum > most).map(|(workflow, _)| workflow).collect()
}

/// Of the runs of one workflow, in their order, the newest stays, and of those that nobody writes any more the last that failed and the last that did not.
fn keep_last(own: &mut [Candidate<'_>]) {
    let settled = |candidate: &Candidate<'_>, meant: &[Outcome]| {
        !candidate.stays && candidate.held.run.is_some_and(|run| meant.contains(&run.outcome))
    };
    // Flaky tests fail no workflow job.
    let good = own.iter().rposition(|candidate| settled(candidate, &[Outcome::Passed, Outcome::Flaky]));
    let failed = own.iter().rposition(|candidate| settled(candidate, &[Outcome::Failed]));
    let newest = own.iter().rposition(|candidate| candidate.held.is_run());
    for position in [good, failed, newest].into_iter().flatten() {
        if let Some(candidate) = own.get_mut(position) {
            candidate.stays = true;
        }
    }
}

/// Marks what goes of one workflow, in its order; returns what remains above its budgets.
fn within_workflow(own: &mut [Candidate<'_>], retention: &Retention, now: Timestamp) -> Vec<(Reason, u64)> {
    let oldest = SignedDuration::try_from(retention.max_age).unwrap_or(SignedDuration::MAX);
    for candidate in own.iter_mut().filter(|candidate| !candidate.stays) {
        if now.duration_since(candidate.held.ended()) > oldest {
            candidate.gone = Some(Reason::MaxAge);
        }
    }
    let budgets: [(Reason, Option<u64>, Weight); 2] = [
        (Reason::RunsMax, Some(u64::from(retention.runs_max)), |held| u64::from(held.is_run())),
        (Reason::WorkflowMax, retention.workflow_max.bytes(), bytes),
    ];
    let left = budgets.map(|(reason, most, weight)| {
        let lacking = excess(own.iter(), most, weight);
        (reason, take(own.iter_mut(), lacking, reason, weight))
    });
    left.into_iter().filter(|(_, by)| *by > 0).collect()
}

/// What of something counts against a budget.
type Weight = fn(&Held) -> u64;

fn bytes(held: &Held) -> u64 {
    held.bytes
}

fn excess<'a>(candidates: impl Iterator<Item = &'a Candidate<'a>>, most: Option<u64>, weight: Weight) -> u64 {
    let left = candidates.filter(|candidate| candidate.gone.is_none());
    let sum: u64 = left.map(|candidate| weight(candidate.held)).fold(0, u64::saturating_add);
    most.map_or(0, |most| sum.saturating_sub(most))
}

/// Marks candidates until `lacking` is gone; returns how much still lacks.
fn take<'a, 'b: 'a>(
    candidates: impl Iterator<Item = &'a mut Candidate<'b>>,
    mut lacking: u64,
    reason: Reason,
    weight: Weight,
) -> u64 {
    for candidate in candidates.filter(|candidate| !candidate.stays && candidate.gone.is_none()) {
        if lacking == 0 {
            break;
        }
        let weight = weight(candidate.held);
        if weight > 0 {
            candidate.gone = Some(reason);
            lacking = lacking.saturating_sub(weight);
        }
    }
    lacking
}

impl Candidate<'_> {
    fn removal(&self) -> Option<Removal> {
        Some(Removal { held: self.held.clone(), reason: self.gone? })
    }
}

#[cfg(test)]
mod tests;
