//! Who watches the runners: `[monitor]`.

use std::net::SocketAddr;
use std::time::Duration;

use super::listen;
use super::problem::Problems;
use super::raw::RawMonitor;
use super::reports::Reports;
use super::validate::{Allowed, duration_within};

/// Where `homelab-runners-monitor.socket` listens when the config does not say.
const LISTEN: SocketAddr = listen::loopback(8090);

/// The monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monitor {
    /// It runs as `homelab-runners-monitor.service`.
    pub enabled: bool,
    /// Address and port of its status page, health endpoint and metrics.
    pub listen: SocketAddr,
    /// It restarts idle runners whose session is lost.
    pub heal: bool,
    /// Time between two questions to GitHub.
    pub github_interval: Duration,
}

/// `[monitor]` with its defaults.
pub(super) fn validate(raw: &RawMonitor, reports: &Reports, problems: &mut Problems) -> Monitor {
    let often = Allowed { seconds: 20..=3600, step: 1, words: "whole seconds, \"20s\" to \"1h\"" };
    let monitor = Monitor {
        enabled: raw.enabled.unwrap_or(true),
        listen: listen::address("monitor.listen", raw.listen.as_ref(), LISTEN, problems),
        heal: raw.heal.unwrap_or(true),
        github_interval: duration_within(
            "monitor.github_interval",
            raw.github_interval.as_ref(),
            60,
            &often,
            problems,
        ),
    };
    if monitor.enabled && reports.serve && monitor.listen == reports.listen {
        let message = format!("{} is the address of the report server, too", monitor.listen);
        let span = raw.listen.as_ref().map(toml::Spanned::span);
        problems.add(span, "monitor.listen", message, "give each an address or a port of its own");
    }
    monitor
}
