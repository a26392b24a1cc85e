//! The run service: a runner acquires a workflow job, renews it while it runs, and completes it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::credentials::{Bearer, Origin};
use crate::github::json_body::JsonBody;
use crate::github::refusal::Refusal;
use crate::github::schedule::Completion;
use crate::github::scope::Scope;
use crate::github::workflow_job::{Step, WorkflowJob};
use crate::github::workflow_run::HEAD_SHA;
use crate::identifier;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AcquireRequest {
    job_message_id: String,
}

/// `POST /run-service/acquirejob`.
pub(super) async fn acquire(
    State(github): Simulator,
    Bearer(token): Bearer,
    Origin(origin): Origin,
    JsonBody(request): JsonBody<AcquireRequest>,
) -> Result<Json<Value>, Refusal> {
    let mut ledger = github.ledger();
    let runner_id = ledger.authenticated_runner(&token)?;
    let workflow_job = ledger.acquire(&request.job_message_id, runner_id)?;
    Ok(Json(job_message(workflow_job, &origin)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RenewRequest {
    job_id: String,
}

/// `POST /run-service/renewjob`.
pub(super) async fn renew(
    State(github): Simulator,
    Bearer(token): Bearer,
    JsonBody(request): JsonBody<RenewRequest>,
) -> Result<Json<Value>, Refusal> {
    let mut ledger = github.ledger();
    ledger.renew(&request.job_id, &token)?;
    Ok(Json(json!({ "lockedUntil": (ledger.now() + 600).to_string() })))
}

/// `POST /run-service/completejob`.
pub(super) async fn complete(
    State(github): Simulator,
    Bearer(token): Bearer,
    JsonBody(completion): JsonBody<Completion>,
) -> Result<StatusCode, Refusal> {
    github.ledger().complete(completion, &token)?;
    github.announce_change();
    Ok(StatusCode::NO_CONTENT)
}

/// What a runner gets to know about the workflow job that it acquired.
fn job_message(workflow_job: &WorkflowJob, origin: &str) -> Value {
    let steps: Vec<Value> = workflow_job.steps.iter().map(step).collect();
    json!({
        "messageType": "RunnerJobRequest",
        "plan": { "planId": workflow_job.plan_id, "planType": "actions", "version": 1, "owner": null },
        "jobId": workflow_job.job_id,
        "jobDisplayName": workflow_job.name,
        "jobName": workflow_job.name,
        "requestId": 0,
        "lockedUntil": null,
        "resources": {
            "endpoints": [{
                "name": "SystemVssConnection",
                "url": format!("{origin}/run-service/"),
                "authorization": {
                    "scheme": "OAuth",
                    "parameters": { "AccessToken": workflow_job.token },
                },
                "isShared": false,
            }],
        },
        "contextData": { "github": github_context(workflow_job, origin) },
        "steps": steps,
        "jobContainer": null,
        "jobServiceContainers": null,
    })
}

fn step(step: &Step) -> Value {
    json!({
        "type": "action",
        "reference": { "type": "script" },
        "id": identifier::guid(),
        "displayNameToken": null,
        "displayName": step.name,
        "condition": step.condition.as_deref().unwrap_or("success()"),
        "inputs": { "script": step.run },
    })
}

/// The `github` context of the expressions in a workflow.
fn github_context(workflow_job: &WorkflowJob, origin: &str) -> Value {
    let repository = workflow_job.repository.to_string();
    let owner = match &workflow_job.repository {
        Scope::Repository { owner, .. } => owner.as_str(),
        Scope::Organization(name) | Scope::Enterprise(name) => name.as_str(),
    };
    json!({
        "actor": "octocat",
        "api_url": origin,
        "event_name": "push",
        "event": { "repository": { "full_name": repository } },
        "job": workflow_job.name,
        "ref": "refs/heads/main",
        "ref_name": "main",
        "ref_type": "branch",
        "repository": repository,
        "repository_owner": owner,
        "run_attempt": "1",
        "run_id": workflow_job.run_id.to_string(),
        "run_number": "1",
        "server_url": origin,
        "sha": HEAD_SHA,
        "triggering_actor": "octocat",
        "workflow": workflow_job.workflow,
        "workflow_ref": format!("{repository}/.github/workflows/{}.yml@refs/heads/main", workflow_job.workflow),
        "head_ref": "",
        "base_ref": "",
    })
}
