//! Registering runners, with a registration token.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::credentials::{Origin, RemoteAuth};
use crate::github::json_body::JsonBody;
use crate::github::refusal::Refusal;
use crate::github::registration::RegisterRequest;
use crate::github::scope::Scope;
use crate::identifier;

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
