//! Runs a fleet of GitHub Actions runners under systemd.

/// The edge to systemd over D-Bus.
pub mod systemd;
