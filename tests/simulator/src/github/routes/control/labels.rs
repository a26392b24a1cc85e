//! The labels of a runner.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Simulator;
use super::super::credentials::{Caller, Place};
use crate::github::credential::Presented;
use crate::github::json_body::JsonBody;
use crate::github::labels::check;
use crate::github::ledger::{GitHub, Ledger};
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
    change(&github, &caller, &place, |ledger| {
        check(&labels, 1)?;
        ledger.add_labels(place.id()?, &place.scope, labels)
    })
}

/// `PUT …/actions/runners/{id}/labels`: replaces all that can be replaced.
pub(super) async fn set(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
    JsonBody(LabelNames { labels }): JsonBody<LabelNames>,
) -> Result<Json<Value>, Refusal> {
    change(&github, &caller, &place, |ledger| {
        check(&labels, 0)?;
        ledger.set_labels(place.id()?, &place.scope, labels)
    })
}

/// `DELETE …/actions/runners/{id}/labels`: removes all that can be removed.
pub(super) async fn remove_all(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    change(&github, &caller, &place, |ledger| ledger.set_labels(place.id()?, &place.scope, Vec::new()))
}

/// `DELETE …/actions/runners/{id}/labels/{label}`.
pub(super) async fn remove(
    State(github): Simulator,
    Caller(caller): Caller,
    place: Place,
) -> Result<Json<Value>, Refusal> {
    let label = place.label.as_deref().unwrap_or_default();
    change(&github, &caller, &place, |ledger| ledger.remove_label(place.id()?, &place.scope, label))
}

/// Changes the labels of a runner for those who may. With others, it may get workflow jobs that it could not have before.
fn change(
    github: &GitHub,
    caller: &Presented,
    place: &Place,
    change: impl FnOnce(&mut Ledger) -> Result<&Runner, Refusal>,
) -> Result<Json<Value>, Refusal> {
    let answer = {
        let mut ledger = github.ledger();
        ledger.authorize(caller, &Need::runners(&place.scope, Access::Write), &place.scope)?;
        rest(change(&mut ledger)?)
    };
    github.announce_change();
    Ok(answer)
}
