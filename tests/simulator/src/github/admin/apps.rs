//! GitHub Apps and their installations.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use crate::github::app::{App, Installation};
use crate::github::credential::Reach;
use crate::github::json_body::JsonBody;
use crate::github::ledger::GitHub;
use crate::github::permission::Permissions;
use crate::github::public_key;
use crate::github::refusal::Refusal;

pub(super) fn router() -> Router<Arc<GitHub>> {
    Router::new()
        .route("/apps", post(create))
        .route("/apps/{id}", delete(remove))
        .route("/apps/{id}/installations", post(install))
        .route("/installations/{id}", put(change).delete(uninstall))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppRequest {
    public_key: String,
    client_id: Option<String>,
    slug: Option<String>,
}

async fn create(
    State(github): Simulator,
    JsonBody(request): JsonBody<AppRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let key = public_key::read(&request.public_key).ok_or_else(|| {
        Refusal::Unprocessable("public_key is not the PEM of an RSA public key.".to_owned())
    })?;
    let mut ledger = github.ledger();
    let id = ledger.next_id();
    let app = App {
        id,
        client_id: request.client_id.unwrap_or_else(|| format!("Iv23li{id:014}")),
        slug: request.slug.unwrap_or_else(|| format!("app-{id}")),
        key,
        created_at: ledger.now(),
    };
    let answer = json!({ "id": id, "client_id": app.client_id, "slug": app.slug });
    ledger.apps.insert(id, app);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The installations of an app end with it.
async fn remove(State(github): Simulator, Path(id): Path<u64>) -> Result<StatusCode, Refusal> {
    let mut ledger = github.ledger();
    ledger.apps.remove(&id).ok_or(Refusal::NotFound)?;
    ledger.installations.retain(|_, installation| installation.app_id != id);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstallationRequest {
    account: String,
    permissions: Permissions,
    #[serde(default = "default_account_type")]
    account_type: String,
    repositories: Option<BTreeSet<String>>,
}

fn default_account_type() -> String {
    "Organization".to_owned()
}

async fn install(
    State(github): Simulator,
    Path(app_id): Path<u64>,
    JsonBody(request): JsonBody<InstallationRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let mut ledger = github.ledger();
    if !ledger.apps.contains_key(&app_id) {
        return Err(Refusal::NotFound);
    }
    let id = ledger.next_id();
    let installation = Installation {
        id,
        app_id,
        account_type: request.account_type,
        reach: Reach { account: request.account, repositories: request.repositories },
        permissions: request.permissions,
        suspended_at: None,
        created_at: ledger.now(),
    };
    ledger.installations.insert(id, installation);
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstallationChange {
    suspended: Option<bool>,
    permissions: Option<Permissions>,
}

async fn change(
    State(github): Simulator,
    Path(id): Path<u64>,
    JsonBody(change): JsonBody<InstallationChange>,
) -> Result<StatusCode, Refusal> {
    let mut ledger = github.ledger();
    let now = ledger.now();
    let installation = ledger.installations.get_mut(&id).ok_or(Refusal::NotFound)?;
    if let Some(is_suspended) = change.suspended {
        installation.suspended_at = is_suspended.then_some(now);
    }
    if let Some(permissions) = change.permissions {
        installation.permissions = permissions;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn uninstall(State(github): Simulator, Path(id): Path<u64>) -> Result<StatusCode, Refusal> {
    github.ledger().installations.remove(&id).ok_or(Refusal::NotFound)?;
    Ok(StatusCode::NO_CONTENT)
}
