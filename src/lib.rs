//! Runs a fleet of GitHub Actions runners under systemd.

/// What runs inside a runner container, how it ends, what it tells the host.
pub mod runner;
