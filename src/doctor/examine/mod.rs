//! The judgement, subject by subject.

mod engine;
mod host;
mod rootless;
mod servers;
mod storage;
mod systemd;

use super::{Finding, HostFacts, Needs};

/// Everything that matters to a fleet of these needs, good or bad, always in the same order.
#[must_use]
pub fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    let subjects = [
        host::examine,
        systemd::examine,
        engine::examine,
        rootless::examine,
        storage::examine,
        servers::examine,
        host::clock,
    ];
    subjects.iter().flat_map(|examine| examine(facts, needs)).collect()
}
