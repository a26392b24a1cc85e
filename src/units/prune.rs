//! `homelab-runners-prune.timer` and `.service`: `runnerctl prune` every now and then, systemd.timer(5), systemd.exec(5); and `homelab-reports-prune.timer` and
//! `.service`: the same for `runnerctl reports prune`.

use std::time::Duration;

use super::syntax::UnitText;
use super::{MARKER, Programs, hardening};
use crate::fleet::{Fleet, Scope, names};

/// The timer; the target wants it, and its stop stops it.
pub(super) fn timer(fleet: &Fleet) -> String {
    every(fleet.prune.interval, "Frees disk space of GitHub Actions runners, from time to time")
}

/// What the timer starts.
pub(super) fn service(fleet: &Fleet, programs: &Programs) -> String {
    let description = "Frees disk space of idle GitHub Actions runners";
    let mut text = run(fleet, programs, description, &["prune"]);
    if fleet.layout.scope == Scope::System {
        hardening::of_prune(&mut text, fleet);
    }
    text.finish()
}

/// The timer; the target wants it, and its stop stops it.
pub(super) fn reports_timer(fleet: &Fleet) -> String {
    every(
        fleet.reports.retention.interval,
        "Deletes old reports of GitHub Actions workflows, from time to time",
    )
}

/// What that timer starts.
pub(super) fn reports_service(fleet: &Fleet, programs: &Programs) -> String {
    let description = "Deletes old reports of GitHub Actions workflows";
    let mut text = run(fleet, programs, description, &["reports", "prune"]);
    if fleet.layout.scope == Scope::System {
        hardening::of_reports_prune(&mut text, fleet);
    }
    text.finish()
}

fn every(interval: Duration, description: &str) -> String {
    let mut text = begin(description);
    text.plain("PartOf", names::TARGET)
        .section("Timer")
        // Counted from the end of a run, so that two never meet.
        .plain("OnActiveSec", "1min")
        .plain("OnUnitInactiveSec", format!("{}s", interval.as_secs()));
    text.finish()
}

fn run(fleet: &Fleet, programs: &Programs, description: &str, command: &[&str]) -> UnitText {
    let mut text = begin(description);
    let mut run = vec![programs.runnerctl.display().to_string()];
    run.push(format!("--config={}", fleet.layout.config_file.display()));
    run.push(format!("--engine-program={}", programs.engine.display()));
    if fleet.layout.scope == Scope::User {
        run.push("--user".to_owned());
    }
    run.extend(command.iter().map(|word| (*word).to_owned()));
    text.section("Service")
        .plain("Type", "oneshot")
        .command("ExecStart", "", &run)
        // A disk of millions of small files; what is cut off is gone on with by the next run.
        .plain("TimeoutStartSec", "1h")
        // Nobody waits for it: workflow jobs come first.
        .plain("Nice", 19)
        .plain("IOSchedulingClass", "idle")
        // It reads what workflows made, and what their engines say.
        .plain("MemoryMax", "512M");
    text
}

fn begin(description: &str) -> UnitText {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit").text("Description", description).plain("Documentation", "man:runnerctl(1)");
    text
}
