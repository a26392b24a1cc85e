//! Registration tokens and removal tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::Simulator;
use super::super::credentials::{Caller, Place};
use crate::github::credential::Presented;
use crate::github::ledger::GitHub;
use crate::github::permission::{Access, Need};
use crate::github::refusal::Refusal;

/// `POST …/actions/runners/registration-token`.
pub(super) async fn issue_registration_token(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    issue(&github, &caller, place)
}

/// `POST …/actions/runners/remove-token`. GitHub takes either kind for either purpose, and so does the simulator.
pub(super) async fn issue_remove_token(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    issue(&github, &caller, place)
}

fn issue(github: &GitHub, caller: &Presented, place: Place) -> Result<(StatusCode, Json<Value>), Refusal> {
    let mut ledger = github.ledger();
    ledger.authorize(caller, &Need::runners(&place.scope, Access::Write), &place.scope)?;
    let (token, expires_at) = ledger.issue_registration_token(place.scope);
    Ok((StatusCode::CREATED, Json(json!({ "expires_at": expires_at.with_offset(), "token": token }))))
}
