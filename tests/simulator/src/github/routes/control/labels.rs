//! The labels of a runner.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Simulator;
use super::super::credentials::{Caller, Place};
use crate::github::json_body::JsonBody;
use crate::github::labels::check;
use crate::github::ledger::GitHub;
use crate::github::permission::{Access, Need};
use crate::github::refusal::Refusal;
use crate::github::runner::Runner;

#[derive(Deserialize)]
pub(super) struct LabelNames {
    labels: Vec<String>,
}

fn rest(runner: &Runner) -> Json<Value> {
    Json(json!({ "total_count": runner.labels.len(), "labels": runner.rest_labels() }))
}

/// `GET …/actions/runners/{id}/labels`.
pub(super) async fn list(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let ledger = github.ledger();
    ledger.authorize(&caller, &Need::runners(&place.scope, Access::Read), &place.scope)?;
    Ok(rest(ledger.runner_of(place.id()?, &place.scope)?))
}

/// `POST …/actions/runners/{id}/labels`: adds labels.
pub(super) async fn add(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
    JsonBody(LabelNames { labels }): JsonBody<LabelNames>,
) -> Result<Json<Value>, Refusal> {
    let answer = {
        let mut ledger = github.ledger();
        ledger.authorize(&caller, &Need::runners(&place.scope, Access::Write), &place.scope)?;
        check(&labels, 1)?;
        rest(ledger.add_labels(place.id()?, &place.scope, labels)?)
    };
    Ok(changed(&github, answer))
}

/// `PUT …/actions/runners/{id}/labels`: replaces all that can be replaced.
pub(super) async fn set(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
    JsonBody(LabelNames { labels }): JsonBody<LabelNames>,
) -> Result<Json<Value>, Refusal> {
    let answer = {
        let mut ledger = github.ledger();
        ledger.authorize(&caller, &Need::runners(&place.scope, Access::Write), &place.scope)?;
        check(&labels, 0)?;
        rest(ledger.set_labels(place.id()?, &place.scope, labels)?)
    };
    Ok(changed(&github, answer))
}

/// `DELETE …/actions/runners/{id}/labels`: removes all that can be removed.
pub(super) async fn remove_all(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let mut ledger = github.ledger();
    ledger.authorize(&caller, &Need::runners(&place.scope, Access::Write), &place.scope)?;
    Ok(rest(ledger.set_labels(place.id()?, &place.scope, Vec::new())?))
}

/// `DELETE …/actions/runners/{id}/labels/{label}`.
pub(super) async fn remove(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let mut ledger = github.ledger();
    ledger.authorize(&caller, &Need::runners(&place.scope, Access::Write), &place.scope)?;
    let label = place.label.as_deref().unwrap_or_default();
    Ok(rest(ledger.remove_label(place.id()?, &place.scope, label)?))
}

/// With more labels, the runner may get workflow jobs that it could not have before.
fn changed(github: &GitHub, answer: Json<Value>) -> Json<Value> {
    github.announce_change();
    answer
}
