//! `homelab-runners.target`: all runners as one thing to start, stop and enable, systemd.target(5).

use super::MARKER;
use super::syntax::UnitText;
use crate::fleet::{Fleet, Scope, names};

/// The target wants each runner by name, so that boot starts them; the runners are `PartOf=` it, so that its stop stops them.
pub(super) fn render(fleet: &Fleet) -> String {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit")
        .text("Description", "GitHub Actions runners of this host")
        .plain("Documentation", "man:runnerctl(1)")
        // A switch of NixOS starts targets anew, and with them whatever they want and somebody has stopped; `runnerctl roll` tells the one from the other.
        .plain("X-OnlyManualStart", "true");
    for runner in &fleet.runners {
        text.plain("Wants", names::service(runner.number));
    }
    if fleet.prune.enabled {
        text.plain("Wants", names::PRUNE_TIMER);
    }
    if fleet.reports.retention.enabled {
        text.plain("Wants", names::REPORTS_PRUNE_TIMER);
    }
    if fleet.reports.serve {
        text.plain("Wants", names::REPORTS_SOCKET);
    }
    if fleet.monitor.enabled {
        text.plain("Wants", names::MONITOR_SERVICE);
    }
    let wanted_by = match fleet.layout.scope {
        Scope::System => "multi-user.target",
        Scope::User => "default.target",
    };
    text.section("Install").plain("WantedBy", wanted_by);
    text.finish()
}
