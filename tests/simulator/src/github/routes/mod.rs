//! GitHub's routes. Handlers translate between HTTP and the ledger's rules and hold no rules themselves.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};

use super::ledger::GitHub;

/// Sessions and messages.
mod broker;
/// What people and programs ask for, with credentials of their own.
mod control;
/// Who asks, and about what.
mod credentials;
/// The OAuth token endpoint.
mod oauth;
/// Lists in pages.
mod page;
/// Registering runners.
mod registration;
/// Acquiring, renewing and completing workflow jobs.
mod run_service;

/// The state every handler gets.
type Simulator = State<Arc<GitHub>>;

/// All routes, at `/…` and at `/api/v3/…`.
pub(crate) fn router(github: &Arc<GitHub>) -> Router {
    let api = api();
    Router::new()
        .nest("/api/v3", api.clone())
        .merge(api)
        .fallback(async || super::refusal::Refusal::NotFound)
        .with_state(Arc::clone(github))
}

fn api() -> Router<Arc<GitHub>> {
    Router::new()
        .route("/actions/runner-registration", post(registration::exchange_registration_token))
        .route("/actions/runners/register", post(registration::register))
        .route("/oauth/token", post(oauth::issue_access_token))
        .route("/broker/session", post(broker::create_session).delete(broker::delete_session))
        .route("/broker/message", get(broker::poll))
        .route("/broker/acknowledge", post(broker::acknowledge))
        .route("/run-service/acquirejob", post(run_service::acquire))
        .route("/run-service/renewjob", post(run_service::renew))
        .route("/run-service/completejob", post(run_service::complete))
        .merge(control::router())
}
