//! The monitor's pages: each is made of the last snapshot, and nothing that is asked for has an effect.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch::Receiver;

use super::site::{guarded, icon, own, style};
use crate::health::{Snapshot, metrics, page};

type Shown = State<Receiver<Arc<Snapshot>>>;

/// `/` for people, `/healthz` and `/healthz/N` for whoever asks whether all is well, `/metrics` for Prometheus.
pub fn health_site(snapshots: Receiver<Arc<Snapshot>>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(fleet))
        .route("/healthz/{number}", get(runner))
        .route("/metrics", get(for_prometheus))
        .route("/style.css", get(style))
        .route("/favicon.ico", get(icon))
        .fallback(async || json(StatusCode::NOT_FOUND, &"there is nothing of this name"))
        .with_state(snapshots)
}

async fn index(State(snapshots): Shown) -> Response {
    let snapshot = Arc::clone(&snapshots.borrow());
    own("text/html; charset=utf-8", page::page(&snapshot))
}

async fn fleet(State(snapshots): Shown) -> Response {
    let snapshot = Arc::clone(&snapshots.borrow());
    json(status(snapshot.is_well()), snapshot.as_ref())
}

async fn runner(State(snapshots): Shown, Path(number): Path<String>) -> Response {
    let snapshot = Arc::clone(&snapshots.borrow());
    match number.parse().ok().and_then(|number| snapshot.runner(number)) {
        Some(runner) => json(status(runner.verdict.is_serving()), runner),
        None => json(StatusCode::NOT_FOUND, &"there is no such runner"),
    }
}

async fn for_prometheus(State(snapshots): Shown) -> Response {
    let snapshot = Arc::clone(&snapshots.borrow());
    own(metrics::CONTENT_TYPE, metrics::metrics(&snapshot))
}

fn status(is_well: bool) -> StatusCode {
    if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn json(status: StatusCode, content: &(impl serde::Serialize + ?Sized)) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    match serde_json::to_string(content) {
        Ok(text) => guarded((status, headers, text + "\n").into_response()),
        Err(error) => {
            tracing::warn!(%error, "cannot write JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
