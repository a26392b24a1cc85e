//! What workflows filed below the reports directory: what a report is, how it stands, and the pages that show it.
//!
//! Everything here was written by workflows and proves nothing: it is shown, and nothing else follows from it.

mod junit;
mod location;
mod media;
mod metadata;
pub mod page;
mod report;
mod retention;
mod run;
mod summary;
mod visible;

use jiff::Timestamp;

pub use junit::junit;
pub use location::{Location, encoded};
pub use media::{Media, media};
pub use metadata::{Finished, Started, Stats};
pub use report::{Evidence, Html, Outcome, Report, State};
pub use retention::{Exceeded, Held, Reason, Removal, RetentionPlan, Standing, over_budget};
pub use run::{Index, Run};
pub use summary::{RunSummary, table};
pub use visible::visible;

/// Directories of this name are ours, at the top and in each report: no visitor sees them.
pub const OWN: &str = ".runnerctl";

/// Directory in [`OWN`] at the top. A file in it that bears the name of a workflow's directory says: file no more of this workflow for now. A hint, since workflows
/// may own what is around it.
pub const OVER_BUDGET: &str = "over-budget";

/// All reports that were found, each by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Newest first.
    pub reports: Vec<Report>,
    /// There is more than is looked at.
    pub incomplete: bool,
}

/// One name in a directory of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it is on the disk.
    pub name: String,
    /// Bytes; `None` for a directory.
    pub bytes: Option<u64>,
}

/// What is in one directory of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Sorted by name.
    pub entries: Vec<Entry>,
    /// There is more than is looked at.
    pub incomplete: bool,
}

/// Where the reports come from. Nothing that is asked here may take unbounded time or memory.
pub trait Source: Send + Sync + 'static {
    /// All reports.
    fn scan(&self) -> Scan;

    /// What is remembered from one reading of the index to the next.
    type Known: Default + Send + 'static;

    /// All runs at `now`, of which only those are read that may have changed since the reading that left `known`.
    fn index(&self, known: &mut Self::Known, now: Timestamp) -> Index;

    /// The directory at `location`; `None` where there is none.
    fn list(&self, location: &Location) -> Option<Listing>;
}
