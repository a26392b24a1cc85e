//! Runs a fleet of GitHub Actions runners under systemd.
pub mod config;
pub mod fleet;
pub mod runner;
pub mod units;
