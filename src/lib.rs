//! Runs a fleet of self-hosted GitHub Actions runner containers under systemd.
//!
//! `TOML → Config → Fleet → [UnitFile]`, then `(files, systemd, control groups) → Observed`, then
//! `(desired, Observed) → Plan → steps on the host`. The top of this list is pure; the bottom is where order and policy are.
//!
//! Invariants, each held by a test:
//! - the core (`config`, `doctor`, `fleet`, `units`, `runner`, `status`, `health`, `why`, `prune`, `reports`, `page`) has no I/O and reads no clock;
//! - [`units::syntax`] is the only writer of unit text, [`fleet`] the only builder of names and paths;
//! - a secret lives in a type of `config::credential` alone ([`config::RegistrationToken`], [`config::PersonalAccessToken`], …), none of which
//!   can be printed or serialised;
//! - only files that carry [`units::MARKER`] are overwritten or deleted;
//! - rendered text is a function of the config, its path and the program paths alone.

// Core: plain data and functions.
pub mod config;
pub mod doctor;
pub mod fleet;
pub mod health;
pub mod page;
pub mod prune;
pub mod reports;
pub mod runner;
pub mod status;
pub mod units;
pub mod why;

// Edges: one outside thing each.
pub mod control_group;
pub mod files;
pub mod github;
pub mod host_facts;
pub mod http;
pub mod mounts;
pub mod programs;
pub mod report_files;
pub mod systemd;
pub mod webhook;

// Shell: order and policy.
pub mod apply;
pub mod cli;
pub mod monitor;
pub mod unit_step;
