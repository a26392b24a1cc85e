//! GitHub's control plane: what is asked with a personal access token or as a GitHub App.
//!
//! Some of these routes also take the registration token of `config.sh`, for what that does by itself.

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use super::super::ledger::GitHub;

/// GitHub Apps and their tokens.
mod apps;
/// JIT configurations.
mod jit;
/// Labels of runners.
mod labels;
/// The rate limit.
mod rate_limit;
/// Repositories.
mod repositories;
/// Runner groups.
mod runner_groups;
/// Runners: list, show, delete.
mod runners;
/// Registration and removal tokens.
mod tokens;
/// Workflow runs and their workflow jobs.
mod workflow_jobs;

/// The places that have runners.
const PLACES: [&str; 3] = ["/repos/{owner}/{repo}", "/orgs/{organization}", "/enterprises/{enterprise}"];

/// All routes of the control plane.
pub(super) fn router() -> Router<Arc<GitHub>> {
    let repository = "/repos/{owner}/{repo}";
    let mut router = Router::new()
        .route("/rate_limit", get(rate_limit::show))
        .route("/app", get(apps::show))
        .route("/app/installations", get(apps::list_installations))
        .route("/app/installations/{id}", get(apps::show_installation))
        .route("/app/installations/{id}/access_tokens", post(apps::issue_access_token))
        .route("/orgs/{organization}/installation", get(apps::find_installation))
        .route(&format!("{repository}/installation"), get(apps::find_installation))
        .route(repository, get(repositories::show))
        .route(&format!("{repository}/actions/runs"), get(workflow_jobs::list_runs))
        .route(&format!("{repository}/actions/runs/{{id}}/jobs"), get(workflow_jobs::list_of_run))
        .route(&format!("{repository}/actions/jobs/{{id}}"), get(workflow_jobs::show));
    for place in PLACES {
        let runners = format!("{place}/actions/runners");
        router = router
            .route(&format!("{place}/actions/runner-groups"), get(runner_groups::list))
            .route(&runners, get(runners::list))
            .route(&format!("{runners}/registration-token"), post(tokens::issue_registration_token))
            .route(&format!("{runners}/remove-token"), post(tokens::issue_remove_token))
            .route(&format!("{runners}/generate-jitconfig"), post(jit::generate))
            .route(
                &format!("{runners}/{{id}}/labels"),
                get(labels::list).post(labels::add).put(labels::set).delete(labels::remove_all),
            )
            .route(&format!("{runners}/{{id}}/labels/{{label}}"), delete(labels::remove))
            .route(&format!("{runners}/{{id}}"), get(runners::show).delete(runners::remove));
    }
    router
}
