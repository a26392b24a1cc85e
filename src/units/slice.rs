//! Slices: where the limits are, systemd.slice(5), systemd.resource-control(5).
//!
//! A slice holds also what a workflow starts beside the runner's own container, where the engine puts it there.

use super::syntax::UnitText;
use super::{MARKER, launch};
use crate::config::Limits;
use crate::fleet::{Fleet, Runner};

/// The slice above both, as systemd itself would make it, but for what [`render`] says of a shutdown.
pub(super) fn outer(fleet: &Fleet) -> String {
    render(fleet, "GitHub Actions runners and their reports", &Limits::default())
}

/// The ceiling over all runners.
pub(super) fn fleet(fleet: &Fleet) -> String {
    render(fleet, "All GitHub Actions runners of this host", &fleet.limits)
}

/// The budget of one runner.
pub(super) fn runner(fleet: &Fleet, runner: &Runner) -> String {
    render(fleet, &format!("Budget of GitHub Actions runner {}", runner.name), &runner.limits)
}

fn render(fleet: &Fleet, description: &str, limits: &Limits) -> String {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit").text("Description", description).plain("Documentation", "man:runnerctl(1)");
    if fleet.keeps_slices_at_shutdown() {
        // Without this a shutdown stops the slice, and with it the scopes below. All three need it: a slice that stops takes those below with it.
        text.plain("DefaultDependencies", "no");
    }
    text.section("Slice");
    launch::limits(&mut text, limits);
    text.finish()
}
