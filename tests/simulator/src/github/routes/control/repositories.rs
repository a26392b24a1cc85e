//! Repositories.

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::super::Simulator;
use super::super::credentials::{Caller, Origin, Place};
use crate::github::permission::Need;
use crate::github::refusal::Refusal;

/// `GET /repos/{owner}/{repo}`.
pub(super) async fn show(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    ledger.authorize(&caller, &Need::repository(), &place.scope)?;
    Ok(Json(ledger.repository(&place.scope, &origin)))
}
