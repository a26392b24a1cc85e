//! The OAuth token endpoint: client credentials proven by a signed assertion.

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde_json::{Value, json};

use super::Simulator;
use crate::github::oauth::LIFETIME_SECONDS;
use crate::github::refusal::Refusal;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `POST /oauth/token`.
pub(super) async fn issue_access_token(
    State(github): Simulator,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let field = |wanted: &str| {
        form_urlencoded::parse(&body).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    if field("grant_type").as_deref() != Some("client_credentials") {
        return Err(Refusal::OAuth {
            error: "unsupported_grant_type",
            description: "Use client_credentials.",
        });
    }
    if field("client_assertion_type").as_deref() != Some(ASSERTION_TYPE) {
        return Err(Refusal::OAuth {
            error: "invalid_request",
            description: "Unknown client_assertion_type.",
        });
    }
    let assertion = field("client_assertion").unwrap_or_default();
    let access_token = github.ledger().issue_access_token(&assertion)?;
    Ok(Json(json!({
        "token_type": "Bearer",
        "access_token": access_token,
        "expires_in": LIFETIME_SECONDS,
        "scope": null,
    })))
}
