//! Runs a fleet of GitHub Actions runners under systemd.
pub mod config;
