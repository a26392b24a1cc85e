//! Registering, listing and removing runners, with a registration token.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::credentials::{Origin, Place, RemoteAuth};
use crate::github::json_body::JsonBody;
use crate::github::refusal::Refusal;
use crate::github::registration::{DEFAULT_GROUP_ID, RegisterRequest};
use crate::github::runner::Runner;
use crate::github::scope::Scope;
use crate::identifier;

const DEFAULT_PAGE_SIZE: usize = 30;
const MAXIMUM_PAGE_SIZE: usize = 100;

#[derive(Deserialize)]
pub(super) struct ExchangeRequest {
    url: String,
}

/// `POST /actions/runner-registration`.
pub(super) async fn exchange_registration_token(
    State(github): Simulator,
    RemoteAuth(token): RemoteAuth,
    Origin(origin): Origin,
    JsonBody(request): JsonBody<ExchangeRequest>,
) -> Result<Json<Value>, Refusal> {
    let scope = Scope::from_url(&request.url).ok_or(Refusal::NotFound)?;
    github.ledger().check_registration_token(&token, &scope)?;
    Ok(Json(json!({
        "token_schema": "OAuthAccessToken",
        "url": format!("{origin}/tenant/{}/", identifier::guid()),
        "token": identifier::web_token(),
        "runner_scope": null,
        "use_v2_flow": true,
    })))
}

/// `POST /actions/runners/register`.
pub(super) async fn register(
    State(github): Simulator,
    RemoteAuth(token): RemoteAuth,
    Origin(origin): Origin,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let scope = Scope::from_url(&request.url).ok_or(Refusal::NotFound)?;
    let answer = {
        let mut ledger = github.ledger();
        ledger.check_registration_token(&token, &scope)?;
        let runner = ledger.register(request, &scope)?;
        json!({
            "authorization": {
                "authorization_url": format!("{origin}/oauth/token"),
                "legacy_authorization_url": null,
                "client_id": runner.client_id,
                "server_url": format!("{origin}/broker/"),
            },
            "name": runner.name,
            "id": runner.id,
            "os": null,
        })
    };
    // A replaced runner's old session must hear of it.
    github.announce_change();
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `GET …/actions/runner-groups`.
pub(super) async fn list_runner_groups(
    State(github): Simulator,
    RemoteAuth(token): RemoteAuth,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    github.ledger().check_registration_token(&token, &place.scope)?;
    let group = json!({
        "is_hosted": false,
        "default": true,
        "name": "Default",
        "id": DEFAULT_GROUP_ID,
        "visibility": "all",
        "restricted_to_workflows": null,
    });
    Ok(Json(json!({ "total_count": 1, "runner_groups": [group] })))
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    name: Option<String>,
    per_page: Option<usize>,
    page: Option<usize>,
}

/// `GET …/actions/runners`, in pages.
pub(super) async fn list_runners(
    State(github): Simulator,
    RemoteAuth(token): RemoteAuth,
    place: Place,
    Query(query): Query<ListQuery>,
) -> Result<(HeaderMap, Json<Value>), Refusal> {
    let ledger = github.ledger();
    ledger.check_registration_token(&token, &place.scope)?;
    let now = ledger.now();
    let is_wanted = |runner: &&Runner| {
        runner.scope.is(&place.scope)
            && query.name.as_ref().is_none_or(|name| runner.name.eq_ignore_ascii_case(name))
    };
    let found: Vec<&Runner> = ledger.runners.values().filter(is_wanted).collect();
    let size = query.per_page.unwrap_or(DEFAULT_PAGE_SIZE).clamp(1, MAXIMUM_PAGE_SIZE);
    let page = query.page.unwrap_or(1).max(1);
    let runners: Vec<Value> = found
        .iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .map(|runner| runner.rest(now, ledger.is_busy(runner.id)))
        .collect();
    let mut headers = HeaderMap::new();
    let last = found.len().div_ceil(size).max(1);
    if page < last {
        let link = |page: usize, rel: &str| format!("<?per_page={size}&page={page}>; rel=\"{rel}\"");
        let links = format!("{}, {}", link(page + 1, "next"), link(last, "last"));
        if let Ok(links) = HeaderValue::from_str(&links) {
            headers.insert(LINK, links);
        }
    }
    Ok((headers, Json(json!({ "total_count": found.len(), "runners": runners }))))
}

/// `GET …/actions/runners/{id}`.
pub(super) async fn show_runner(
    State(github): Simulator,
    RemoteAuth(token): RemoteAuth,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    ledger.check_registration_token(&token, &place.scope)?;
    let id = place.runner_id.ok_or(Refusal::NotFound)?;
    let runner =
        ledger.runners.get(&id).filter(|runner| runner.scope.is(&place.scope)).ok_or(Refusal::NotFound)?;
    Ok(Json(runner.rest(ledger.now(), ledger.is_busy(id))))
}

/// `DELETE …/actions/runners/{id}`.
pub(super) async fn remove(
    State(github): Simulator,
    RemoteAuth(token): RemoteAuth,
    place: Place,
) -> Result<StatusCode, Refusal> {
    {
        let mut ledger = github.ledger();
        ledger.check_registration_token(&token, &place.scope)?;
        ledger.remove_idle_runner(place.runner_id.ok_or(Refusal::NotFound)?, &place.scope)?;
    }
    github.announce_change();
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs`; as for a public repository, anyone may ask.
pub(super) async fn list_jobs_of_run(
    State(github): Simulator,
    Path((owner, name, run_id)): Path<(String, String, u64)>,
) -> Json<Value> {
    let repository = Scope::Repository { owner, name };
    let ledger = github.ledger();
    let jobs: Vec<Value> = ledger
        .workflow_jobs
        .values()
        .filter(|workflow_job| workflow_job.run_id == run_id && workflow_job.repository.is(&repository))
        .map(crate::github::workflow_job::WorkflowJob::rest)
        .collect();
    Json(json!({ "total_count": jobs.len(), "jobs": jobs }))
}
