//! From what is on the disk to what goes.

use serde::Serialize;

use super::{Entry, Kind, Usage};
use crate::config::{DiskSize, Prune};

/// What goes, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrunePlan {
    /// One by one.
    pub removals: Vec<Removal>,
    /// Busy runners that hold more than a budget: they are looked at again when they are idle.
    pub held_back: Vec<u16>,
    /// Bytes that will still lack to the floor of free disk.
    pub shortage: u64,
}

/// Something that goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Whose it is.
    pub runner: u16,
    /// What it is.
    pub entry: Entry,
    /// Why.
    pub reason: Reason,
}

/// Why something goes: the key in `[prune]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The work folder holds too much.
    WorkMax,
    /// The tool cache holds too much.
    ToolCacheMax,
    /// The engine's storage holds too much.
    ImagesMax,
    /// Too little is free on the disk.
    FreeDiskMin,
}

impl Reason {
    const BUDGETS: [Self; 3] = [Self::WorkMax, Self::ToolCacheMax, Self::ImagesMax];

    /// The key in `[prune]`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::WorkMax => "work_max",
            Self::ToolCacheMax => "tool_cache_max",
            Self::ImagesMax => "images_max",
            Self::FreeDiskMin => "free_disk_min",
        }
    }

    fn budget(self, prune: &Prune) -> DiskSize {
        match self {
            Self::WorkMax => prune.work_max,
            Self::ToolCacheMax => prune.tool_cache_max,
            Self::ImagesMax => prune.images_max,
            Self::FreeDiskMin => DiskSize::None,
        }
    }

    /// Does an entry of that kind count against this budget?
    fn counts(self, kind: Kind) -> bool {
        match kind {
            Kind::Leftover | Kind::Work => self == Self::WorkMax,
            Kind::Tool => self == Self::ToolCacheMax,
            Kind::Image => self == Self::ImagesMax,
        }
    }

    /// Bytes of `usage` that count against this budget.
    pub(super) fn total(self, usage: &Usage) -> u64 {
        if self == Self::ImagesMax {
            return usage.engine_bytes;
        }
        usage.entries.iter().filter(|entry| self.counts(entry.kind)).map(|entry| entry.bytes).sum()
    }
}

/// An entry that may go.
struct Candidate<'a> {
    runner: u16,
    entry: &'a Entry,
    gone: Option<Reason>,
}

impl PrunePlan {
    /// What has to go so that every idle runner keeps within its budgets, and then so that the floor is free again. `free` is
    /// what is free on the disk of the work folders now, in bytes.
    #[must_use]
    pub fn new(usages: &[Usage], prune: &Prune, free: u64) -> Self {
        let mut candidates: Vec<Candidate<'_>> = usages
            .iter()
            .filter(|usage| !usage.busy)
            .flat_map(|usage| usage.entries.iter().map(|entry| (usage.runner, entry)))
            .map(|(runner, entry)| Candidate { runner, entry, gone: None })
            .collect();
        // What nobody will use again, then what was used longest ago.
        candidates.sort_by_key(|candidate| {
            let entry = candidate.entry;
            (entry.kind != Kind::Leftover, entry.last_used, entry.kind, candidate.runner, &entry.name)
        });
        for usage in usages.iter().filter(|usage| !usage.busy) {
            for reason in Reason::BUDGETS {
                let excess = excess(usage, reason, prune);
                let own = |candidate: &Candidate<'_>| {
                    candidate.runner == usage.runner && reason.counts(candidate.entry.kind)
                };
                take(&mut candidates, excess, reason, own);
            }
        }
        let freed =
            candidates.iter().filter(|candidate| candidate.gone.is_some()).map(|c| c.entry.bytes).sum();
        let lacking = prune.floor().saturating_sub(free).saturating_sub(freed);
        let shortage = take(&mut candidates, lacking, Reason::FreeDiskMin, |_| true);
        let is_held =
            |usage: &&Usage| usage.busy && Reason::BUDGETS.iter().any(|r| excess(usage, *r, prune) > 0);
        Self {
            removals: candidates.into_iter().filter_map(Candidate::removal).collect(),
            held_back: usages.iter().filter(is_held).map(|usage| usage.runner).collect(),
            shortage,
        }
    }

    /// Bytes that become free, at most: what other entries hold as well (hard links, layers) stays.
    #[must_use]
    pub fn frees(&self) -> u64 {
        self.removals.iter().map(|removal| removal.entry.bytes).sum()
    }
}

fn excess(usage: &Usage, reason: Reason, prune: &Prune) -> u64 {
    reason.budget(prune).bytes().map_or(0, |most| reason.total(usage).saturating_sub(most))
}

/// Marks candidates until `lacking` bytes go; returns how many still lack.
fn take(
    candidates: &mut [Candidate<'_>],
    mut lacking: u64,
    reason: Reason,
    may: impl Fn(&Candidate<'_>) -> bool,
) -> u64 {
    for candidate in candidates.iter_mut().filter(|candidate| candidate.entry.bytes > 0) {
        if lacking == 0 {
            break;
        }
        if candidate.gone.is_none() && may(candidate) {
            candidate.gone = Some(reason);
            lacking = lacking.saturating_sub(candidate.entry.bytes);
        }
    }
    lacking
}

impl Candidate<'_> {
    fn removal(self) -> Option<Removal> {
        Some(Removal { runner: self.runner, entry: self.entry.clone(), reason: self.gone? })
    }
}
