//! GitHub Apps: who they are, where they are installed, and their tokens.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde_json::Value;

use super::super::Simulator;
use super::super::credentials::{Caller, Origin, Place};
use super::super::page::Page;
use crate::github::app::{Installation, Restriction};
use crate::github::json_body;
use crate::github::ledger::Ledger;
use crate::github::refusal::Refusal;
use crate::github::scope::Scope;

/// `GET /app`.
pub(super) async fn show(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    let app = ledger.authenticated_app(&caller)?;
    Ok(Json(app.rest(installations_of(&ledger, app.id).count(), &origin)))
}

/// `GET /app/installations`, in pages.
pub(super) async fn list_installations(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    page: Page,
) -> Result<(HeaderMap, Json<Vec<Value>>), Refusal> {
    let ledger = github.ledger();
    let app = ledger.authenticated_app(&caller)?;
    let (headers, installations) = page.of(installations_of(&ledger, app.id).collect());
    Ok((headers, Json(installations.iter().map(|installation| installation.rest(app, &origin)).collect())))
}

/// `GET /app/installations/{id}`.
pub(super) async fn show_installation(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    Path(id): Path<u64>,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    let app = ledger.authenticated_app(&caller)?;
    Ok(Json(ledger.installation_of(id, app)?.rest(app, &origin)))
}

/// `GET /repos/{owner}/{repo}/installation` and `GET /orgs/{org}/installation`.
pub(super) async fn find_installation(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    let app = ledger.authenticated_app(&caller)?;
    let is_there = |installation: &&Installation| {
        let is_kind =
            !matches!(place.scope, Scope::Organization(_)) || installation.account_type == "Organization";
        is_kind && installation.reach.includes(&place.scope)
    };
    let found = installations_of(&ledger, app.id).find(is_there).ok_or(Refusal::NotFound)?;
    Ok(Json(found.rest(app, &origin)))
}

/// `POST /app/installations/{id}/access_tokens`; without a body, the token is as good as the installation.
pub(super) async fn issue_access_token(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    Path(id): Path<u64>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let mut ledger = github.ledger();
    let app = ledger.authenticated_app(&caller)?;
    ledger.installation_of(id, app)?;
    let restriction = if body.is_empty() { Restriction::default() } else { json_body::read(&body)? };
    Ok((StatusCode::CREATED, Json(ledger.issue_installation_token(id, restriction, &origin)?)))
}

fn installations_of(ledger: &Ledger, app_id: u64) -> impl Iterator<Item = &Installation> {
    ledger.installations.values().filter(move |installation| installation.app_id == app_id)
}
