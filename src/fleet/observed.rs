//! What is on the host, as far as a [`super::Plan`] needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::ids::FoundAccount;

/// Files and units as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Files at places and with names that could be ours, by path.
    pub files: BTreeMap<PathBuf, FoundFile>,
    /// Runner units that systemd knows.
    pub runners: BTreeMap<u16, ObservedRunner>,
    /// Accounts with the names of private engines.
    pub accounts: BTreeMap<u16, FoundAccount>,
    /// Is the target started at boot?
    pub enabled: bool,
    /// Is the target started now?
    pub target_active: bool,
    /// Those of [`names::COMPANIONS`](super::names::COMPANIONS) that are started now.
    pub companions_active: BTreeSet<&'static str>,
    /// An earlier run was cut off: systemd may not have read all the files yet.
    pub interrupted: bool,
}

/// A file at one of our places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundFile {
    /// Carries our marker.
    Ours {
        /// All of it.
        text: String,
        /// Permission bits.
        mode: u32,
    },
    /// Somebody else's: a file without the marker, a link, a directory.
    Foreign,
}

/// A runner's unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedRunner {
    /// Started or starting.
    pub running: bool,
    /// Digest of the text that it was started with; `None` where it is not known.
    pub started_with: Option<String>,
    /// A workflow job runs on it.
    pub busy: bool,
    /// It is out of service: its unit does not start.
    pub drained: bool,
}

impl ObservedRunner {
    /// Was it started with another text than the one of `digest`, or is that not known?
    #[must_use]
    pub fn is_outdated(&self, digest: &str) -> bool {
        self.started_with.as_deref() != Some(digest)
    }
}
