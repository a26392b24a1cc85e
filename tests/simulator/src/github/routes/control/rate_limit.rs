//! The rate limit.

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::super::Simulator;
use super::super::credentials::Caller;
use crate::github::credential::Presented;
use crate::github::refusal::Refusal;

/// `GET /rate_limit`, which costs nothing.
pub(super) async fn show(State(github): Simulator, Caller(caller): Caller) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    let is_known = match &caller {
        Presented::Nothing => true,
        Presented::Token(token) => {
            ledger.credential(token).is_some() || ledger.authenticated_app(&caller).is_ok()
        }
        Presented::RegistrationToken(_) | Presented::Unusable => false,
    };
    if !is_known {
        return Err(Refusal::BadCredentials);
    }
    Ok(Json(ledger.rate_limit(&ledger.payer(&caller))))
}
