//! The monitor's pages: each is made of the last snapshot, and nothing that is asked for has an effect.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch::Receiver;

use super::site::{guarded, icon, own};
use crate::health::{Snapshot, metrics, page};
use crate::page::STYLE;

/// As for our other pages, and the script that renews the page: a file of ours, which asks nobody else. Nothing of this origin is anybody else's.
const LIVE_PAGE: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What answers are made of.
#[derive(Clone)]
struct Shown {
    snapshots: Receiver<Arc<Snapshot>>,
    links: Arc<page::Links>,
}

impl Shown {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }
}

/// `/` for people (`/style.css`, `/live.js`), `/healthz` and `/healthz/N` for whoever asks whether all is well, `/metrics` for Prometheus.
pub fn health_site(snapshots: Receiver<Arc<Snapshot>>, links: page::Links) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(fleet))
        .route("/healthz/{number}", get(runner))
        .route("/metrics", get(for_prometheus))
        .route("/style.css", get(async || own("text/css; charset=utf-8", [STYLE, page::STYLE].concat())))
        .route("/live.js", get(async || own("text/javascript; charset=utf-8", page::SCRIPT.to_owned())))
        .route("/favicon.ico", get(icon))
        .fallback(async || json(StatusCode::NOT_FOUND, &"there is nothing of this name"))
        .with_state(Shown { snapshots, links: Arc::new(links) })
}

async fn index(State(shown): State<Shown>) -> Response {
    let mut response = own("text/html; charset=utf-8", page::page(&shown.snapshot(), &shown.links));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(LIVE_PAGE));
    response
}

async fn fleet(State(shown): State<Shown>) -> Response {
    let snapshot = shown.snapshot();
    json(status(snapshot.is_well()), snapshot.as_ref())
}

async fn runner(State(shown): State<Shown>, Path(number): Path<String>) -> Response {
    let snapshot = shown.snapshot();
    match number.parse().ok().and_then(|number| snapshot.runner(number)) {
        Some(runner) => json(status(runner.verdict.is_serving()), runner),
        None => json(StatusCode::NOT_FOUND, &"there is no such runner"),
    }
}

async fn for_prometheus(State(shown): State<Shown>) -> Response {
    own(metrics::CONTENT_TYPE, metrics::metrics(&shown.snapshot()))
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
