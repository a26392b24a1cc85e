//! Workflow runs and workflow jobs as the REST API shows them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::clock::Moment;
use super::ledger::Ledger;
use super::repository::{account, number_of};
use super::scope::Scope;
use super::workflow_job::{Stage, WorkflowJob};

/// A commit that every run pretends to be of.
pub(crate) const HEAD_SHA: &str = "4f2d9c1b7e6a5d3c8b0f1e2d3c4b5a6978695a4b";

/// A workflow run: the workflow jobs of one number.
#[derive(Debug)]
pub(crate) struct WorkflowRun<'a> {
    pub(crate) id: u64,
    /// In order of arrival, and never none.
    pub(crate) workflow_jobs: Vec<&'a WorkflowJob>,
}

impl WorkflowRun<'_> {
    /// In progress from the first workflow job that starts to the last that ends.
    fn status(&self) -> &'static str {
        let all = |status| self.workflow_jobs.iter().all(|workflow_job| workflow_job.status() == status);
        if all("queued") {
            "queued"
        } else if all("completed") {
            "completed"
        } else {
            "in_progress"
        }
    }

    /// The worst of the conclusions, once all are there.
    fn conclusion(&self) -> Option<&'static str> {
        let conclusions: Vec<&str> =
            self.workflow_jobs.iter().filter_map(|workflow_job| workflow_job.conclusion).collect();
        if self.status() != "completed" {
            return None;
        }
        ["failure", "cancelled", "success"]
            .into_iter()
            .find(|conclusion| conclusions.contains(conclusion))
            .or(Some("skipped"))
    }

    /// Whether the run has this status or conclusion.
    pub(crate) fn is(&self, status: &str) -> bool {
        self.status() == status || self.conclusion() == Some(status)
    }

    /// The workflow run of the REST API; `repository` is the view of its repository.
    pub(crate) fn rest(&self, repository: &Value, origin: &str) -> Value {
        let Some(first) = self.workflow_jobs.first() else { return Value::Null };
        let updated_at = self.workflow_jobs.iter().filter_map(|workflow_job| last_change(workflow_job)).max();
        let workflow_id = number_of(&first.workflow);
        let api = format!("{origin}/repos/{}/actions", first.repository);
        let url = format!("{api}/runs/{}", self.id);
        let actor = account("octocat", "User", origin);
        json!({
            "triggering_actor": actor,
            "actor": actor,
            "repository": repository,
            "head_repository": repository,
            "head_commit": null,
            "pull_requests": [],
            "referenced_workflows": [],
            "url": url,
            "jobs_url": format!("{url}/jobs"),
            "logs_url": format!("{url}/logs"),
            "artifacts_url": format!("{url}/artifacts"),
            "cancel_url": format!("{url}/cancel"),
            "rerun_url": format!("{url}/rerun"),
            "previous_attempt_url": null,
            "check_suite_url": format!("{origin}/repos/{}/check-suites/{}", first.repository, self.id),
            "workflow_url": format!("{api}/workflows/{workflow_id}"),
            "html_url": format!("{origin}/{}/actions/runs/{}", first.repository, self.id),
            "workflow_id": workflow_id,
            "path": format!(".github/workflows/{}.yml", first.workflow),
            "name": first.workflow,
            "display_title": first.workflow,
            "event": "push",
            "run_number": 1,
            "run_attempt": 1,
            "head_branch": "main",
            "head_sha": HEAD_SHA,
            "status": self.status(),
            "conclusion": self.conclusion(),
            "created_at": first.created_at.to_string(),
            "run_started_at": first.created_at.to_string(),
            "updated_at": updated_at.unwrap_or(first.created_at).to_string(),
            "node_id": format!("WFR_{}", self.id),
            "id": self.id,
        })
    }
}

fn last_change(workflow_job: &WorkflowJob) -> Option<Moment> {
    workflow_job.completed_at.or(workflow_job.started_at)
}

impl Ledger {
    /// The workflow runs of a repository, in the order of their numbers.
    pub(crate) fn workflow_runs(&self, repository: &Scope) -> Vec<WorkflowRun<'_>> {
        let mut runs: BTreeMap<u64, Vec<&WorkflowJob>> = BTreeMap::new();
        for workflow_job in self.workflow_jobs.values() {
            if workflow_job.repository.is(repository) {
                runs.entry(workflow_job.run_id).or_default().push(workflow_job);
            }
        }
        runs.into_iter().map(|(id, workflow_jobs)| WorkflowRun { id, workflow_jobs }).collect()
    }

    /// The workflow job of the REST API. Which runner it is offered to, GitHub only says once that runner has it.
    pub(crate) fn rest_workflow_job(&self, workflow_job: &WorkflowJob, origin: &str) -> Value {
        let has_begun = !matches!(workflow_job.stage, Stage::Queued | Stage::Offered { .. });
        let runner_id = workflow_job.runner_id.filter(|_| has_begun);
        let group = runner_id.and(workflow_job.group_id);
        let api = format!("{origin}/repos/{}", workflow_job.repository);
        let started_at = workflow_job.started_at.unwrap_or(workflow_job.created_at);
        let steps: Vec<Value> = workflow_job.step_results.iter().zip(1..).map(step).collect();
        json!({
            "runner_group_name": group.map(|id| self.runner_group_name(id)),
            "runner_group_id": group,
            "runner_name": workflow_job.runner_name.as_ref().filter(|_| has_begun),
            "runner_id": runner_id,
            "labels": workflow_job.labels,
            "steps": steps,
            "check_run_url": format!("{api}/check-runs/{}", workflow_job.id),
            "html_url": format!("{origin}/{}/actions/runs/{}/job/{}", workflow_job.repository, workflow_job.run_id, workflow_job.id),
            "run_url": format!("{api}/actions/runs/{}", workflow_job.run_id),
            "url": format!("{api}/actions/jobs/{}", workflow_job.id),
            "node_id": format!("CR_{}", workflow_job.id),
            "id": workflow_job.id,
            "run_id": workflow_job.run_id,
            "run_attempt": 1,
            "workflow_name": workflow_job.workflow,
            "name": workflow_job.name,
            "head_branch": "main",
            "head_sha": HEAD_SHA,
            "status": workflow_job.status(),
            "conclusion": workflow_job.conclusion,
            "created_at": workflow_job.created_at.to_string(),
            "started_at": started_at.to_string(),
            "completed_at": workflow_job.completed_at.map(|moment| moment.to_string()),
            "billing": null,
        })
    }
}

/// A step that has ended; of others the runner does not tell.
fn step((result, number): (&Value, u64)) -> Value {
    json!({
        "name": result.get("name").and_then(Value::as_str).unwrap_or_default(),
        "number": number,
        "status": "completed",
        "conclusion": result.get("conclusion"),
        "started_at": null,
        "completed_at": null,
    })
}
