//! Credentials, and what they are for: personal access tokens, repositories, runner groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Simulator, not_a_scope};
use crate::github::credential::{Grant, Reach};
use crate::github::json_body::JsonBody;
use crate::github::ledger::GitHub;
use crate::github::permission::Permissions;
use crate::github::refusal::Refusal;
use crate::github::scope::Scope;

pub(super) fn router() -> Router<Arc<GitHub>> {
    Router::new()
        .route("/personal-access-tokens/classic", post(issue_classic_token))
        .route("/personal-access-tokens/fine-grained", post(issue_fine_grained_token))
        .route("/personal-access-tokens/{id}", delete(revoke))
        .route("/runner-groups", post(add_runner_group))
        .route("/repositories", put(change_repository))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassicRequest {
    scopes: BTreeSet<String>,
    login: Option<String>,
    lifetime_seconds: Option<i64>,
}

async fn issue_classic_token(
    State(github): Simulator,
    JsonBody(request): JsonBody<ClassicRequest>,
) -> (StatusCode, Json<Value>) {
    let grant = Grant::Classic { scopes: request.scopes };
    issue(&github, grant, request.login, request.lifetime_seconds)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FineGrainedRequest {
    account: String,
    permissions: Permissions,
    repositories: Option<BTreeSet<String>>,
    login: Option<String>,
    lifetime_seconds: Option<i64>,
}

async fn issue_fine_grained_token(
    State(github): Simulator,
    JsonBody(request): JsonBody<FineGrainedRequest>,
) -> (StatusCode, Json<Value>) {
    let reach = Reach { account: request.account, repositories: request.repositories };
    let grant = Grant::FineGrained { reach, permissions: request.permissions };
    issue(&github, grant, request.login, request.lifetime_seconds)
}

fn issue(
    github: &GitHub,
    grant: Grant,
    login: Option<String>,
    lifetime_seconds: Option<i64>,
) -> (StatusCode, Json<Value>) {
    let (token, id) = github.ledger().issue_personal_access_token(grant, login, lifetime_seconds);
    (StatusCode::CREATED, Json(json!({ "id": id, "token": token })))
}

async fn revoke(State(github): Simulator, Path(id): Path<u64>) -> Result<StatusCode, Refusal> {
    github.ledger().revoke_credential(id)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunnerGroupRequest {
    url: String,
    name: String,
}

async fn add_runner_group(
    State(github): Simulator,
    JsonBody(request): JsonBody<RunnerGroupRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let scope = Scope::from_url(&request.url).ok_or_else(not_a_scope)?;
    let id = github.ledger().add_runner_group(scope, request.name);
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryRequest {
    url: String,
    private: bool,
}

async fn change_repository(
    State(github): Simulator,
    JsonBody(request): JsonBody<RepositoryRequest>,
) -> Result<StatusCode, Refusal> {
    let scope = Scope::from_url(&request.url).ok_or_else(not_a_scope)?;
    github.ledger().set_private(&scope, request.private);
    Ok(StatusCode::NO_CONTENT)
}
