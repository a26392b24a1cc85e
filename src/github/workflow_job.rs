//! Workflow jobs as GitHub tells of them.

use jiff::Timestamp;
use serde::Deserialize;

use super::nulls;
use super::pages::Page;

/// One job of a workflow run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowJob {
    /// GitHub's number.
    pub id: u64,
    /// The run it belongs to.
    pub run_id: u64,
    /// 1, and one more for each re-run.
    #[serde(default, deserialize_with = "nulls::number")]
    pub run_attempt: Option<u64>,
    /// Its name.
    #[serde(default, deserialize_with = "nulls::or_default")]
    pub name: String,
    /// The workflow's name.
    #[serde(default, deserialize_with = "nulls::text")]
    pub workflow_name: Option<String>,
    /// How far it is.
    pub status: WorkflowJobStatus,
    /// How it ended.
    #[serde(default, deserialize_with = "nulls::text")]
    pub conclusion: Option<String>,
    /// The labels that its runner has to have.
    #[serde(default, deserialize_with = "nulls::or_default")]
    pub labels: Vec<String>,
    /// The runner that has it.
    #[serde(default, deserialize_with = "nulls::number")]
    pub runner_id: Option<u64>,
    /// That runner's name.
    #[serde(default, deserialize_with = "nulls::text")]
    pub runner_name: Option<String>,
    /// That runner's group.
    #[serde(default, deserialize_with = "nulls::text")]
    pub runner_group_name: Option<String>,
    /// When it was queued.
    #[serde(default, deserialize_with = "nulls::time")]
    pub created_at: Option<Timestamp>,
    /// When a runner took it.
    #[serde(default, deserialize_with = "nulls::time")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "nulls::time")]
    pub completed_at: Option<Timestamp>,
    /// Its page.
    #[serde(default, deserialize_with = "nulls::text")]
    pub html_url: Option<String>,
}

/// How far a workflow job is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum WorkflowJobStatus {
    /// It waits for a runner.
    Queued,
    /// A runner has it.
    InProgress,
    /// It has ended.
    Completed,
    /// It waits for something other than a runner (`waiting`, `pending`, `requested`), or a word that is not known here.
    Other(String),
}

impl From<String> for WorkflowJobStatus {
    fn from(text: String) -> Self {
        match text.as_str() {
            "queued" => Self::Queued,
            "in_progress" => Self::InProgress,
            "completed" => Self::Completed,
            _ => Self::Other(text),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WorkflowJobPage {
    #[serde(default, deserialize_with = "nulls::or_default")]
    total_count: u64,
    jobs: Vec<WorkflowJob>,
}

impl Page for WorkflowJobPage {
    type Entry = WorkflowJob;

    fn into_parts(self) -> (u64, Vec<WorkflowJob>) {
        (self.total_count, self.jobs)
    }
}

/// A workflow run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowRun {
    /// GitHub's number.
    pub id: u64,
    /// The workflow's name.
    #[serde(default, deserialize_with = "nulls::or_default")]
    pub name: String,
    /// The title of the commit or pull request that it is about, or what the workflow calls it.
    #[serde(default, deserialize_with = "nulls::or_default")]
    pub display_title: String,
    /// When it was queued.
    #[serde(default, deserialize_with = "nulls::time")]
    pub created_at: Option<Timestamp>,
    /// Its page.
    #[serde(default, deserialize_with = "nulls::text")]
    pub html_url: Option<String>,
}

/// Workflow runs that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRuns {
    /// How many there are.
    pub total: u64,
    /// Some of them, newest first.
    pub runs: Vec<WorkflowRun>,
}

#[derive(Deserialize)]
pub(super) struct WorkflowRunPage {
    #[serde(default, deserialize_with = "nulls::or_default")]
    total_count: u64,
    workflow_runs: Vec<WorkflowRun>,
}

impl Page for WorkflowRunPage {
    type Entry = WorkflowRun;

    fn into_parts(self) -> (u64, Vec<WorkflowRun>) {
        (self.total_count, self.workflow_runs)
    }
}
