//! The admin's own API, on its own port. It is not GitHub-like and is not journaled.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST /registration-tokens` | `url` | `token`, `expires_at` |
//! | `POST /personal-access-tokens/classic` | `scopes`; optionally `login`, `lifetime_seconds` | `id`, `token` |
//! | `POST /personal-access-tokens/fine-grained` | `account`, `permissions`; optionally `repositories`, `login`, `lifetime_seconds` | `id`, `token` |
//! | `DELETE /personal-access-tokens/{id}` | | |
//! | `POST /apps` | `public_key` (PEM); optionally `client_id`, `slug` | `id`, `client_id`, `slug` |
//! | `DELETE /apps/{id}` | | |
//! | `POST /apps/{id}/installations` | `account`, `permissions`; optionally `account_type`, `repositories` | `id` |
//! | `PUT /installations/{id}`, `DELETE /installations/{id}` | `suspended`, `permissions` | |
//! | `POST /runner-groups` | `url`, `name` | `id` |
//! | `PUT /repositories` | `url`, `private` | |
//! | `POST /workflow-jobs` | `url` of a repository; optionally `workflow`, `name`, `labels`, `run_id`, `steps` | `id`, `run_id` |
//! | `GET /workflow-jobs` | | all of them, with status, runner, times and log; `?run_id=` only those of a run |
//! | `GET /workflow-jobs?log=false` | | the same without the logs, for those who ask often |
//! | `GET /workflow-jobs/{id}` | | one of them, with its log |
//! | `POST /workflow-jobs/{id}/cancel` | | |
//! | `GET /runners`, `DELETE /runners/{name}` | | all of them, with the ids of their sessions; removed even while busy |
//! | `GET /clock`, `POST /clock/advance` | `seconds` | `now`, `offset_seconds`, `skew_seconds` |
//! | `PUT /clock/skew` | `seconds` that GitHub is ahead of everybody else | the same |
//! | `POST /faults`, `DELETE /faults` | see `Fault` | |
//! | `GET /settings`, `PUT /settings` | see `Settings` | |
//! | `GET /journal` | | the requests to GitHub, secrets masked, credentials by their fingerprint |
//!
//! A step is `{"name", "run"}` with an optional `"if"`: `success()`, `failure()`, `cancelled()` or `always()`.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::github::fault::Fault;
use crate::github::json_body::JsonBody;
use crate::github::ledger::{GitHub, Ledger};
use crate::github::refusal::Refusal;
use crate::github::scope::Scope;
use crate::github::settings::Settings;
use crate::github::workflow_job::{AdminView, WorkflowJobRequest};

/// GitHub Apps.
mod apps;
/// Credentials, and what they are for.
mod credentials;

type Simulator = State<Arc<GitHub>>;

/// The routes of the admin API.
pub(crate) fn router(github: Arc<GitHub>) -> Router {
    Router::new()
        .route("/registration-tokens", post(issue_registration_token))
        .route("/workflow-jobs", post(queue_workflow_job).get(list_workflow_jobs))
        .route("/workflow-jobs/{id}", get(show_workflow_job))
        .route("/workflow-jobs/{id}/cancel", post(cancel_workflow_job))
        .route("/runners", get(list_runners))
        .route("/runners/{name}", delete(remove_runner))
        .route("/clock", get(show_clock))
        .route("/clock/advance", post(advance_clock))
        .route("/clock/skew", put(set_skew))
        .route("/faults", post(order_fault).delete(clear_faults))
        .route("/settings", get(show_settings).put(change_settings))
        .route("/journal", get(show_journal))
        .merge(apps::router())
        .merge(credentials::router())
        .with_state(github)
}

#[derive(Deserialize)]
struct TokenRequest {
    url: String,
}

async fn issue_registration_token(
    State(github): Simulator,
    JsonBody(request): JsonBody<TokenRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let scope = Scope::from_url(&request.url).ok_or_else(not_a_scope)?;
    let (token, expires_at) = github.ledger().issue_registration_token(scope);
    Ok((StatusCode::CREATED, Json(json!({ "token": token, "expires_at": expires_at.with_offset() }))))
}

async fn queue_workflow_job(
    State(github): Simulator,
    JsonBody(request): JsonBody<WorkflowJobRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let repository = Scope::from_url(&request.url).ok_or_else(not_a_scope)?;
    if !matches!(repository, Scope::Repository { .. }) {
        return Err(Refusal::Unprocessable("A workflow job belongs to a repository.".to_owned()));
    }
    let answer = {
        let mut ledger = github.ledger();
        let workflow_job = ledger.queue(request, repository);
        json!({ "id": workflow_job.id, "run_id": workflow_job.run_id })
    };
    github.announce_change();
    Ok((StatusCode::CREATED, Json(answer)))
}

fn not_a_scope() -> Refusal {
    Refusal::Unprocessable("The URL names no repository, organization or enterprise.".to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    run_id: Option<u64>,
    log: Option<bool>,
}

async fn list_workflow_jobs(State(github): Simulator, Query(query): Query<ListQuery>) -> Response {
    let ledger = github.ledger();
    let wanted: Vec<AdminView<'_>> = ledger
        .workflow_jobs
        .values()
        .filter(|workflow_job| query.run_id.is_none_or(|run_id| workflow_job.run_id == run_id))
        .map(|workflow_job| workflow_job.admin(query.log != Some(false)))
        .collect();
    Json(wanted).into_response()
}

async fn show_workflow_job(State(github): Simulator, Path(id): Path<u64>) -> Result<Response, Refusal> {
    let ledger = github.ledger();
    let workflow_job = ledger.workflow_jobs.get(&id).ok_or(Refusal::NotFound)?;
    Ok(Json(workflow_job.admin(true)).into_response())
}

async fn cancel_workflow_job(State(github): Simulator, Path(id): Path<u64>) -> Result<StatusCode, Refusal> {
    github.ledger().cancel(id)?;
    github.announce_change();
    Ok(StatusCode::ACCEPTED)
}

async fn list_runners(State(github): Simulator) -> Json<Vec<Value>> {
    let ledger = github.ledger();
    let now = ledger.now();
    let view = |runner: &crate::github::runner::Runner| {
        json!({
            "id": runner.id,
            "name": runner.name,
            "status": if runner.is_online(now) { "online" } else { "offline" },
            "busy": ledger.is_busy(runner.id),
            "labels": runner.labels.iter().map(|label| &label.name).collect::<Vec<_>>(),
            "version": runner.version,
            "scope": runner.scope.to_string(),
            "session": runner.session.as_ref().map(|session| &session.id),
        })
    };
    Json(ledger.runners.values().map(view).collect())
}

/// Removes the runner of this name at GitHub, busy or not.
async fn remove_runner(State(github): Simulator, Path(name): Path<String>) -> Result<StatusCode, Refusal> {
    {
        let mut ledger = github.ledger();
        let before = ledger.runners.len();
        ledger.runners.retain(|_, runner| !runner.name.eq_ignore_ascii_case(&name));
        if ledger.runners.len() == before {
            return Err(Refusal::NotFound);
        }
    }
    github.announce_change();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Advance {
    seconds: u64,
}

async fn advance_clock(State(github): Simulator, JsonBody(advance): JsonBody<Advance>) -> Json<Value> {
    let answer = {
        let mut ledger = github.ledger();
        ledger.clock.advance(i64::try_from(advance.seconds).unwrap_or(i64::MAX));
        clock_view(&ledger)
    };
    github.announce_change();
    answer
}

/// How far GitHub's clock is ahead of all others; before there are runners, since they would seem to have been away.
async fn set_skew(State(github): Simulator, JsonBody(skew): JsonBody<Skew>) -> Json<Value> {
    let mut ledger = github.ledger();
    ledger.clock.set_skew(skew.seconds);
    clock_view(&ledger)
}

#[derive(Deserialize)]
struct Skew {
    seconds: i64,
}

async fn show_clock(State(github): Simulator) -> Json<Value> {
    clock_view(&github.ledger())
}

fn clock_view(ledger: &Ledger) -> Json<Value> {
    Json(json!({
        "now": ledger.now().to_string(),
        "offset_seconds": ledger.clock.offset_seconds(),
        "skew_seconds": ledger.clock.skew_seconds(),
    }))
}

async fn order_fault(State(github): Simulator, JsonBody(fault): JsonBody<Fault>) -> StatusCode {
    github.ledger().faults.order(fault);
    StatusCode::CREATED
}

async fn clear_faults(State(github): Simulator) -> StatusCode {
    github.ledger().faults.clear();
    StatusCode::NO_CONTENT
}

async fn show_settings(State(github): Simulator) -> Json<Settings> {
    Json(github.ledger().settings.clone())
}

async fn change_settings(State(github): Simulator, JsonBody(settings): JsonBody<Settings>) -> StatusCode {
    github.ledger().settings = settings;
    github.announce_change();
    StatusCode::NO_CONTENT
}

async fn show_journal(State(github): Simulator) -> Response {
    let ledger = github.ledger();
    Json(ledger.journal.entries()).into_response()
}
