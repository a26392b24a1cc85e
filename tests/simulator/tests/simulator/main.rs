//! The simulator and the stand-in runner against each other: real processes, loopback only.
//!
//! Index: `ephemeral` (the steps of an ephemeral runner's unit around the real entrypoint), `cut_off` (those steps, killed), `persistent` and `two_hosts` (runners that stay), `control` (runners and tokens for those who have credentials of their own), `permissions` (which credentials), `registration` (config.sh and what GitHub answers), `sessions` (one per runner, and how they end),
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
/// A start that is killed at every step.
mod cut_off;
/// Ephemeral runners of a host.
mod ephemeral;
/// A GitHub App's key and tokens.
mod github_app;
/// A host with one runner: the steps of its unit, and the entrypoint.
mod host;
/// Labels and JIT configurations.
mod jit_configs;
/// Rate limits, and faults of the control plane.
mod limits;
/// Answers against GitHub's own description.
mod openapi;
/// Which credential may do what.
mod permissions;
/// Runners that stay registered.
mod persistent;
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
/// One name on two hosts.
mod two_hosts;
/// Queue, labels, hooks, cancellation.
mod workflow_jobs;
