//! The broker: sessions, and the long poll for messages.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::Simulator;
use super::credentials::{Bearer, Origin};
use crate::github::json_body::JsonBody;
use crate::github::ledger::GitHub;
use crate::github::refusal::Refusal;
use crate::github::schedule::Message;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionRequest {
    #[serde(default)]
    owner_name: String,
    agent: Agent,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(default)]
    version: String,
}

/// `POST /broker/session`.
pub(super) async fn create_session(
    State(github): Simulator,
    Bearer(token): Bearer,
    JsonBody(request): JsonBody<SessionRequest>,
) -> Result<Json<Value>, Refusal> {
    let mut ledger = github.ledger();
    let runner_id = ledger.authenticated_runner(&token)?;
    let session_id = ledger.open_session(runner_id, &request.agent.version, &request.owner_name)?;
    Ok(Json(json!({
        "ownerName": request.owner_name,
        "sessionId": session_id,
        "agent": { "id": runner_id, "version": request.agent.version, "osDescription": null },
        "encryptionKey": null,
        "useFipsEncryption": false,
    })))
}

/// `DELETE /broker/session`.
pub(super) async fn delete_session(
    State(github): Simulator,
    Bearer(token): Bearer,
) -> Result<StatusCode, Refusal> {
    let mut ledger = github.ledger();
    let runner_id = ledger.authenticated_runner(&token)?;
    ledger.close_session(runner_id);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PollQuery {
    session_id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    runner_version: String,
}

/// `GET /broker/message`: answers at once when there is something to say, else with nothing after a while.
pub(super) async fn poll(
    State(github): Simulator,
    Bearer(token): Bearer,
    Origin(origin): Origin,
    Query(query): Query<PollQuery>,
) -> Result<Response, Refusal> {
    let (poll, deadline) = {
        let mut ledger = github.ledger();
        let runner_id = ledger.authenticated_runner(&token)?;
        ledger.check_version(&query.runner_version)?;
        ledger.begin_poll(runner_id, &query.session_id)?;
        let deadline = Instant::now() + Duration::from_secs(ledger.settings.poll_seconds);
        (OpenPoll { github: Arc::clone(&github), runner_id, session_id: query.session_id }, deadline)
    };
    let is_idle = !query.status.eq_ignore_ascii_case("busy");
    loop {
        let change = github.change();
        {
            let mut ledger = github.ledger();
            ledger.authenticated_runner(&token)?;
            if let Some(message) = ledger.next_message(poll.runner_id, &poll.session_id, is_idle)? {
                return Ok(render(&ledger.workflow_jobs, &message, &origin).into_response());
            }
        }
        if timeout_at(deadline, change).await.is_err() {
            return Ok(StatusCode::OK.into_response());
        }
    }
}

/// A poll in flight. Dropped when it is answered, and also when the runner's connection breaks.
struct OpenPoll {
    github: Arc<GitHub>,
    runner_id: u64,
    session_id: String,
}

impl Drop for OpenPoll {
    fn drop(&mut self) {
        self.github.ledger().end_poll(self.runner_id, &self.session_id);
    }
}

fn render(
    workflow_jobs: &std::collections::BTreeMap<u64, crate::github::workflow_job::WorkflowJob>,
    message: &Message,
    origin: &str,
) -> Json<Value> {
    let (kind, body) = match message {
        Message::JobRequest(id) => {
            let request_id = workflow_jobs.get(id).map(|workflow_job| &workflow_job.request_id);
            let body = json!({
                "id": request_id,
                "runner_request_id": request_id,
                "run_service_url": format!("{origin}/run-service/"),
                "billing_owner_id": "1",
                "should_acknowledge": true,
                "enqueued_at": null,
            });
            ("RunnerJobRequest", body)
        }
        Message::Cancellation { job_id } => {
            ("JobCancellation", json!({ "jobId": job_id, "timeout": "00:05:00", "reason": null }))
        }
    };
    let number = fastrand::u32(1..);
    Json(json!({ "messageId": number, "messageType": kind, "body": body.to_string(), "iv": null }))
}

/// `POST /broker/acknowledge`.
pub(super) async fn acknowledge(
    State(github): Simulator,
    Bearer(token): Bearer,
) -> Result<StatusCode, Refusal> {
    let mut ledger = github.ledger();
    let runner_id = ledger.authenticated_runner(&token)?;
    ledger.note_contact(runner_id);
    Ok(StatusCode::OK)
}
