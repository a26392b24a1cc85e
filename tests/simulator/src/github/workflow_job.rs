//! Workflow jobs: what they are made of, and the stages of their life.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Moment;
use super::scope::Scope;

/// One step of a workflow job: text for bash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) run: String,
    /// `success()`, `failure()`, `cancelled()` or `always()`; absent means `success()`.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub(crate) condition: Option<String>,
}

/// What a test orders to be run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkflowJobRequest {
    pub(crate) url: String,
    #[serde(default = "default_workflow")]
    pub(crate) workflow: String,
    #[serde(default = "default_name")]
    pub(crate) name: String,
    #[serde(default = "default_labels")]
    pub(crate) labels: Vec<String>,
    #[serde(default)]
    pub(crate) run_id: Option<u64>,
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
}

fn default_workflow() -> String {
    "ci".to_owned()
}

fn default_name() -> String {
    "build".to_owned()
}

fn default_labels() -> Vec<String> {
    vec!["self-hosted".to_owned()]
}

/// Where a workflow job is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    Queued,
    /// Sent to a runner that has not yet acquired it.
    Offered {
        runner_id: u64,
        session_id: String,
        until: Moment,
    },
    InProgress {
        runner_id: u64,
        session_id: String,
        renewed_at: Moment,
    },
    Completed,
}

/// Whether somebody wants the workflow job cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancellation {
    NotWanted,
    Wanted,
    /// The runner was told.
    Sent,
}

/// A workflow job.
#[derive(Debug)]
pub(crate) struct WorkflowJob {
    pub(crate) id: u64,
    pub(crate) run_id: u64,
    pub(crate) workflow: String,
    pub(crate) name: String,
    pub(crate) repository: Scope,
    pub(crate) labels: Vec<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) stage: Stage,
    pub(crate) cancellation: Cancellation,
    pub(crate) conclusion: Option<&'static str>,
    pub(crate) runner_name: Option<String>,
    pub(crate) runner_id: Option<u64>,
    /// The runner's group.
    pub(crate) group_id: Option<u64>,
    /// Names the request in the message to the runner; new with every offer.
    pub(crate) request_id: String,
    pub(crate) plan_id: String,
    pub(crate) job_id: String,
    /// The bearer token with which the runner renews and completes.
    pub(crate) token: Option<String>,
    pub(crate) created_at: Moment,
    pub(crate) started_at: Option<Moment>,
    pub(crate) completed_at: Option<Moment>,
    pub(crate) log: String,
    pub(crate) step_results: Vec<Value>,
}

/// A workflow job as the admin API shows it. It borrows, since tests ask often and logs can be long.
#[derive(Debug, Serialize)]
pub(crate) struct AdminView<'a> {
    id: u64,
    run_id: u64,
    repository: String,
    workflow: &'a str,
    name: &'a str,
    labels: &'a [String],
    status: &'static str,
    conclusion: Option<&'static str>,
    runner_name: Option<&'a str>,
    created_at: String,
    started_at: Option<String>,
    completed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a str>,
    /// What the steps wrote for the page of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
}

impl WorkflowJob {
    /// Ends the workflow job.
    pub(crate) fn complete(&mut self, conclusion: &'static str, now: Moment) {
        self.stage = Stage::Completed;
        self.conclusion = Some(conclusion);
        self.completed_at = Some(now);
    }

    /// Takes the workflow job back from a runner that did not acquire it.
    pub(crate) fn requeue(&mut self) {
        self.stage = Stage::Queued;
        self.runner_id = None;
        self.runner_name = None;
        self.group_id = None;
    }

    /// The runner that was offered or is running this workflow job.
    pub(crate) fn held_by(&self) -> Option<u64> {
        match &self.stage {
            Stage::Offered { runner_id, .. } | Stage::InProgress { runner_id, .. } => Some(*runner_id),
            Stage::Queued | Stage::Completed => None,
        }
    }

    pub(crate) fn status(&self) -> &'static str {
        match self.stage {
            Stage::Queued | Stage::Offered { .. } => "queued",
            Stage::InProgress { .. } => "in_progress",
            Stage::Completed => "completed",
        }
    }

    /// The view of the admin API, with or without the log.
    pub(crate) fn admin(&self, with_log: bool) -> AdminView<'_> {
        AdminView {
            id: self.id,
            run_id: self.run_id,
            repository: self.repository.to_string(),
            workflow: &self.workflow,
            name: &self.name,
            labels: &self.labels,
            status: self.status(),
            conclusion: self.conclusion,
            runner_name: self.runner_name.as_deref(),
            created_at: self.created_at.to_string(),
            started_at: self.started_at.map(|moment| moment.to_string()),
            completed_at: self.completed_at.map(|moment| moment.to_string()),
            log: with_log.then_some(self.log.as_str()),
            summary: with_log.then(|| self.summary()),
        }
    }

    fn summary(&self) -> String {
        let summaries = self.step_results.iter().filter_map(|step| step.get("summary")?.as_str());
        summaries.collect()
    }
}
