//! `homelab-runners-prune.timer` and `.service`: `runnerctl prune` every now and then, systemd.timer(5), systemd.exec(5).

use super::syntax::UnitText;
use super::{MARKER, Programs, hardening, launch};
use crate::fleet::{Fleet, Scope, names};

/// The timer; the target wants it, and its stop stops it.
pub(super) fn timer(fleet: &Fleet) -> String {
    let mut text = begin("Frees disk space of GitHub Actions runners, from time to time");
    text.plain("PartOf", names::TARGET)
        .section("Timer")
        // Counted from the end of a run, so that two never meet.
        .plain("OnActiveSec", "1min")
        .plain("OnUnitInactiveSec", format!("{}s", fleet.prune.interval.as_secs()));
    text.finish()
}

/// What the timer starts.
pub(super) fn service(fleet: &Fleet, programs: &Programs) -> String {
    let mut text = begin("Frees disk space of idle GitHub Actions runners");
    let mut run = vec![programs.runnerctl.display().to_string()];
    run.push(format!("--config={}", fleet.layout.config_file.display()));
    run.push(format!("--engine-program={}", programs.engine.display()));
    if fleet.layout.scope == Scope::User {
        run.push("--user".to_owned());
    }
    run.push("prune".to_owned());
    text.section("Service")
        .plain(launch::LEFT_BY_SWITCH.0, launch::LEFT_BY_SWITCH.1)
        .plain("Type", "oneshot")
        .command("ExecStart", "", &run)
        // A disk of millions of small files; what is cut off is gone on with by the next run.
        .plain("TimeoutStartSec", "1h")
        // Nobody waits for it: workflow jobs come first.
        .plain("Nice", 19)
        .plain("IOSchedulingClass", "idle")
        // It reads what workflows made, and what their engines say.
        .plain("MemoryMax", "512M");
    if fleet.layout.scope == Scope::System {
        hardening::of_prune(&mut text, fleet);
    }
    text.finish()
}

fn begin(description: &str) -> UnitText {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit").text("Description", description).plain("Documentation", "man:runnerctl(1)");
    text
}
