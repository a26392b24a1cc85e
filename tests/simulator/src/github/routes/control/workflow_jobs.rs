//! Workflow runs and their workflow jobs.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Simulator;
use super::super::credentials::{Caller, Origin, Place};
use super::super::page::Page;
use crate::github::permission::Need;
use crate::github::refusal::Refusal;

#[derive(Deserialize)]
pub(super) struct RunQuery {
    status: Option<String>,
}

/// `GET /repos/{owner}/{repo}/actions/runs`: the newest first; `status` may also be a conclusion.
pub(super) async fn list_runs(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    place: Place,
    page: Page,
    Query(query): Query<RunQuery>,
) -> Result<(HeaderMap, Json<Value>), Refusal> {
    let ledger = github.ledger();
    ledger.authorize(&caller, &Need::workflow_runs(), &place.scope)?;
    let repository = ledger.repository(&place.scope, &origin);
    let runs: Vec<Value> = ledger
        .workflow_runs(&place.scope)
        .iter()
        .rev()
        .filter(|run| query.status.as_deref().is_none_or(|status| run.is(status)))
        .map(|run| run.rest(&repository, &origin))
        .collect();
    let total = runs.len();
    let (headers, runs) = page.of(runs);
    Ok((headers, Json(json!({ "total_count": total, "workflow_runs": runs }))))
}

/// `GET /repos/{owner}/{repo}/actions/runs/{id}/jobs`. No run is ever attempted twice, so `filter` changes nothing.
pub(super) async fn list_of_run(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    place: Place,
    page: Page,
) -> Result<(HeaderMap, Json<Value>), Refusal> {
    let ledger = github.ledger();
    ledger.authorize(&caller, &Need::workflow_runs(), &place.scope)?;
    let run_id = place.id()?;
    let run = ledger.workflow_runs(&place.scope).into_iter().find(|run| run.id == run_id);
    let jobs = run.ok_or(Refusal::NotFound)?.workflow_jobs;
    let jobs: Vec<Value> =
        jobs.iter().map(|workflow_job| ledger.rest_workflow_job(workflow_job, &origin)).collect();
    let total = jobs.len();
    let (headers, jobs) = page.of(jobs);
    Ok((headers, Json(json!({ "total_count": total, "jobs": jobs }))))
}

/// `GET /repos/{owner}/{repo}/actions/jobs/{id}`.
pub(super) async fn show(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    ledger.authorize(&caller, &Need::workflow_runs(), &place.scope)?;
    let workflow_job = ledger.workflow_jobs.get(&place.id()?).ok_or(Refusal::NotFound)?;
    if !workflow_job.repository.is(&place.scope) {
        return Err(Refusal::NotFound);
    }
    Ok(Json(ledger.rest_workflow_job(workflow_job, &origin)))
}
