//! What may go from the disk, from facts that were gathered elsewhere. Pure.
//!
//! `(usage of each runner, budgets, free disk) → PrunePlan`. Nothing of a busy runner is ever in a plan, and no more than what
//! brings each budget and the floor of free disk about; what was used longest ago goes first.

mod plan;
mod work_folder;

use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;

pub use plan::{PrunePlan, Reason, Removal};
pub use work_folder::{Place, place};

/// What one runner has on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Its number.
    pub runner: u16,
    /// A workflow job runs on it.
    pub busy: bool,
    /// What can go, one by one.
    pub entries: Vec<Entry>,
    /// Bytes that its own engine's storage takes on the disk; images share layers, so this is less than the sum of their sizes.
    pub engine_bytes: u64,
}

/// Something that goes as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub name: Name,
    /// Bytes on the disk.
    pub bytes: u64,
    /// When it was last used, as far as is known.
    pub last_used: SystemTime,
}

/// What an entry is. In this order they go where several are equally old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What the runner deletes at its next workflow job anyway: `_temp`, `_actions`.
    Leftover,
    /// A repository's directory, or what a workflow left beside.
    Work,
    /// A version of a tool in `_tool`.
    Tool,
    /// An image of the runner's own engine.
    Image,
}

/// Which entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Path below the work folder.
    Path(PathBuf),
    /// An image.
    Image {
        /// Its id, 64 hexadecimal digits.
        id: String,
        /// Its names with tags, or none.
        tags: Vec<String>,
    },
}

#[cfg(test)]
mod tests;
