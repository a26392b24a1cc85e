//! Runners: list, show, delete.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Simulator;
use super::super::credentials::{Caller, Place};
use super::super::page::Page;
use crate::github::permission::{Access, Need};
use crate::github::refusal::Refusal;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    name: Option<String>,
}

/// `GET …/actions/runners`, in pages.
pub(super) async fn list(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
    page: Page,
    Query(query): Query<ListQuery>,
) -> Result<(HeaderMap, Json<Value>), Refusal> {
    let ledger = github.ledger();
    let need = Need::runners_or_registration_token(&place.scope, Access::Read);
    ledger.authorize(&caller, &need, &place.scope)?;
    let now = ledger.now();
    let found: Vec<Value> = ledger
        .runners
        .values()
        .filter(|runner| runner.scope.is(&place.scope))
        .filter(|runner| query.name.as_ref().is_none_or(|name| runner.name.eq_ignore_ascii_case(name)))
        .map(|runner| runner.rest(now, ledger.shows_busy(runner.id)))
        .collect();
    let total = found.len();
    let (headers, runners) = page.of(found);
    Ok((headers, Json(json!({ "total_count": total, "runners": runners }))))
}

/// `GET …/actions/runners/{id}`.
pub(super) async fn show(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    let need = Need::runners_or_registration_token(&place.scope, Access::Read);
    ledger.authorize(&caller, &need, &place.scope)?;
    let runner = ledger.runner_of(place.id()?, &place.scope)?;
    Ok(Json(runner.rest(ledger.now(), ledger.shows_busy(runner.id))))
}

/// `DELETE …/actions/runners/{id}`: looking whether it is busy and removing it are one step.
pub(super) async fn remove(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<StatusCode, Refusal> {
    {
        let mut ledger = github.ledger();
        let need = Need::runners_or_registration_token(&place.scope, Access::Write);
        ledger.authorize(&caller, &need, &place.scope)?;
        ledger.remove_idle_runner(place.id()?, &place.scope)?;
    }
    // The session of the removed runner must hear of it.
    github.announce_change();
    Ok(StatusCode::NO_CONTENT)
}
