//! Runner groups.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::super::Simulator;
use super::super::credentials::{Caller, Origin, Place};
use super::super::page::Page;
use crate::github::credential::Presented;
use crate::github::permission::{Access, Need};
use crate::github::refusal::Refusal;
use crate::github::scope::Scope;

/// `GET …/actions/runner-groups`.
pub(super) async fn list(
    State(github): Simulator,
    Caller(caller): Caller,
    Origin(origin): Origin,
    place: Place,
    page: Page,
) -> Result<(HeaderMap, Json<Value>), Refusal> {
    let ledger = github.ledger();
    let need = Need::runners_or_registration_token(&place.scope, Access::Read);
    ledger.authorize(&caller, &need, &place.scope)?;
    // The groups of a repository are there for `config.sh` alone.
    let is_config = matches!(caller, Presented::RegistrationToken(_));
    if matches!(place.scope, Scope::Repository { .. }) && !is_config {
        return Err(Refusal::NotFound);
    }
    let url = format!("{origin}/orgs/{}/actions/runner-groups", place.scope);
    let groups: Vec<Value> =
        ledger.runner_groups(&place.scope).iter().map(|group| group.rest(&url)).collect();
    let total = groups.len();
    let (headers, groups) = page.of(groups);
    Ok((headers, Json(json!({ "total_count": total, "runner_groups": groups }))))
}
