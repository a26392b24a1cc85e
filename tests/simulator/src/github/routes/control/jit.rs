//! JIT configurations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::Simulator;
use super::super::credentials::{Caller, Origin, Place};
use crate::github::jit_config::JitRequest;
use crate::github::json_body::JsonBody;
use crate::github::permission::{Access, Need};
use crate::github::refusal::Refusal;

/// `POST …/actions/runners/generate-jitconfig`.
pub(super) async fn generate(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    place: Place,
    JsonBody(request): JsonBody<JitRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let mut ledger = github.ledger();
    ledger.authorize(&caller, &Need::runners(&place.scope, Access::Write), &place.scope)?;
    let now = ledger.now();
    let (runner, encoded) = ledger.generate_jit_config(request, &place.scope, &origin)?;
    let answer = json!({ "encoded_jit_config": encoded, "runner": runner.rest(now, false) });
    Ok((StatusCode::CREATED, Json(answer)))
}
