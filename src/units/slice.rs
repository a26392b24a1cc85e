//! Slices: where the limits are, systemd.slice(5), systemd.resource-control(5).
//!
//! A slice holds also what a workflow starts beside the runner's own container, where the engine puts it there.

use super::syntax::UnitText;
use super::{MARKER, launch};
use crate::config::Limits;
use crate::fleet::{Fleet, Runner};

/// The ceiling over all runners.
pub(super) fn fleet(fleet: &Fleet) -> String {
    render("All GitHub Actions runners of this host", &fleet.limits)
}

/// The budget of one runner.
pub(super) fn runner(runner: &Runner) -> String {
    render(&format!("Budget of GitHub Actions runner {}", runner.name), &runner.limits)
}

fn render(description: &str, limits: &Limits) -> String {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit")
        .text("Description", description)
        .plain("Documentation", "man:runnerctl(1)")
        .section("Slice");
    launch::limits(&mut text, limits);
    text.finish()
}
