//! The simulator and the stand-in runner against each other: real processes, loopback only.
//!
//! Index: `ephemeral` (the steps of an ephemeral runner's unit around the real entrypoint), `control` (runners and tokens for those who have credentials of their own), `permissions` (which credentials), `registration` (config.sh and what GitHub answers), `sessions` (one per runner, and how they end),
//! `workflow_jobs` (who gets which, hooks, cancellation), `restarts` (what the simulator keeps), `test_bed_itself`
//! (journal, faults, clock). A new test goes where its rule lives; `bed` and `runner` start the programs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

/// GitHub Apps.
mod apps;
/// The simulator as a process, and its admin API.
mod bed;
/// A client of the control plane.
mod client;
/// The control plane: runners, tokens, workflow runs.
mod control;
/// Ephemeral runners of a host.
mod ephemeral;
/// That host: the steps of a unit, and the entrypoint.
mod ephemeral_host;
/// A GitHub App's key and tokens.
mod github_app;
/// Labels and JIT configurations.
mod jit_configs;
/// Rate limits, and faults of the control plane.
mod limits;
/// Answers against GitHub's own description.
mod openapi;
/// Which credential may do what.
mod permissions;
/// `config.sh`: registering, replacing and removing.
mod registration;
/// What outlives the simulator's process.
mod restarts;
/// A runner's root, and the listener as a process.
mod runner;
/// `run.sh` and its ways with exit codes.
mod scripts;
/// Sessions and how they end.
mod sessions;
/// Journal, faults and clock.
mod test_bed_itself;
/// Queue, labels, hooks, cancellation.
mod workflow_jobs;
