//! A simulator of the parts of GitHub that runners and their users talk to.
//!
//! One process, everything in memory except for what a state file keeps, on a virtual clock. Each route is served at `/…` (as `api.github.com` does) and
//! at `/api/v3/…` (as a GitHub Enterprise Server does). Code map, in the order of a runner's life:
//! `registration` → `oauth` → `session` → `schedule` → `workflow_job`; `routes` is HTTP only and holds no rules.

/// The admin's own API: tokens, workflow jobs, clock, faults, journal.
mod admin;
/// GitHub Apps, their installations, and the tokens of those.
mod app;
/// The tokens of GitHub Apps themselves.
mod app_token;
/// What faults make of an answer.
mod broken_answer;
/// The virtual clock.
mod clock;
/// One HTTP connection: journal, faults and the headers that every answer has.
mod connection;
/// Personal access tokens and installation tokens.
mod credential;
/// Faults that the admin orders: statuses, broken bodies, resets.
mod fault;
/// Workflow jobs that time or an absent runner ends.
mod give_up;
/// JIT configurations.
mod jit_config;
/// The record of requests, without secrets.
mod journal;
/// JSON request bodies.
mod json_body;
/// Labels of runners.
mod labels;
/// All that the simulated GitHub knows.
mod ledger;
/// Access tokens of runners, by their key.
mod oauth;
/// Permissions and scopes.
mod permission;
/// RSA public keys.
mod public_key;
/// The primary rate limit.
mod rate_limit;
/// How GitHub says no.
mod refusal;
/// Registration tokens and the registering, replacing and removing of runners.
mod registration;
/// Repositories and accounts.
mod repository;
/// GitHub's routes.
mod routes;
/// A registered runner.
mod runner;
/// Runner groups.
mod runner_group;
/// Which runner gets which workflow job.
mod schedule;
/// What a runner is registered for.
mod scope;
/// Listening sockets.
mod server;
/// Sessions of runners with the broker.
mod session;
/// Time limits and rules that differ between tests.
mod settings;
/// What outlives the process.
mod state;
/// Workflow jobs and their life.
mod workflow_job;
/// Workflow runs.
mod workflow_run;

pub use server::{Addresses, serve};
pub use settings::Settings;
