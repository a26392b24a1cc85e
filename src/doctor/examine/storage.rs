//! Space on the disks, and the directory that must not be on one.

use crate::config::Engine;
use crate::doctor::{Disk, Finding, HostFacts, Needs};

/// What there is of something, and how little is too little.
struct Floors {
    /// Below this it will not last.
    little: u64,
    /// Below this the next workflow job or image fails.
    scarce: u64,
    /// Below this not even units and identities can be written.
    none: u64,
}

const MEBIBYTE: u64 = 1 << 20;

/// An image unpacked is about 2 GiB, and each runner has its work folder.
const BYTES: Floors = Floors { little: 10 << 30, scarce: 1 << 30, none: 16 << 20 };
/// A checkout with its `node_modules` has tens of thousands of files.
const INODES: Floors = Floors { little: 200_000, scarce: 20_000, none: 100 };

pub(super) fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.disks.iter().map(|found| disk(found, needs)).collect();
    findings.push(runtime(facts, needs));
    findings
}

fn disk(found: &Disk, needs: &Needs) -> Finding {
    let subject = format!("disk of {}", found.path.display());
    let Some(bytes) = found.bytes_available else { return Finding::unknown(subject) };
    let inodes = found.inodes_available;
    let files = inodes.map(|inodes| format!(" and {inodes} inodes")).unwrap_or_default();
    let words = format!("{}{files} left", size(bytes));
    let is_below = |floor: fn(&Floors) -> u64| {
        bytes < floor(&BYTES) || inodes.is_some_and(|inodes| inodes < floor(&INODES))
    };
    let prune = match needs.engine {
        Engine::Podman => "podman image prune",
        Engine::Docker => "docker image prune",
    };
    let mend = format!("free some, for one with `{prune}`");
    if is_below(|floors| floors.none) {
        let key = if found.path == needs.reports { "paths.reports" } else { "paths.state" };
        let instead = format!("set {key} to a place on another disk");
        Finding::missing(subject, words).mended_by(mend).breaking("the fleet", Some(&instead))
    } else if is_below(|floors| floors.scarce) {
        Finding::missing(subject, words).mended_by(mend)
    } else if is_below(|floors| floors.little) {
        Finding::warning(subject, words).mended_by(mend)
    } else {
        Finding::ok(subject, words)
    }
}

fn size(bytes: u64) -> String {
    let mebibytes = bytes / MEBIBYTE;
    if mebibytes >= 10 << 10 { format!("{}G", mebibytes >> 10) } else { format!("{mebibytes}M") }
}

/// A registration token lies there for a moment.
fn runtime(facts: &HostFacts, needs: &Needs) -> Finding {
    let place = needs.runtime.display();
    match facts.is_runtime_in_memory {
        Some(true) => Finding::ok("tmpfs", place.to_string()),
        Some(false) => {
            Finding::missing("tmpfs", format!("{place} is on a disk, which a token must not reach"))
                .mended_by("set paths.runtime to a place below /run")
        }
        None => Finding::unknown("tmpfs"),
    }
}
