//! The edge to the reports on the disk: read by descriptors, never through a link, never out of the directory.
//!
//! Whoever runs a workflow writes here, also while we read. Everything is bounded: names, bytes, depth.

mod backend;
mod below;
mod disk;
mod scan;
mod survey;

use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;

pub use backend::{Opened, ReportFile};
use below::{below, file};
use disk::Disk;
pub use survey::Known;

use crate::reports::{Entry, Index, Listing, Location, OWN, Report, Run, Scan, Source};

/// Names that are shown of one directory of a report.
const MOST_LISTED: usize = 2000;

/// The reports directory. Clones share its descriptor.
#[derive(Debug, Clone)]
pub struct ReportTree {
    top: Arc<OwnedFd>,
    most: Most,
    disk: Disk,
}

/// How much of the tree is looked at.
#[derive(Debug, Clone, Copy)]
struct Most {
    /// Names in one directory.
    names: usize,
    /// Names in all: those of workflows, runs and workflow jobs together.
    in_all: usize,
}

impl ReportTree {
    /// Opens the directory at `path`; it may lie behind a link, nothing below it may.
    ///
    /// # Errors
    /// It is no directory, or may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let top = open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let most = Most { names: 20_000, in_all: 100_000 };
        Ok(Self { top: Arc::new(top), most, disk: Disk::asked_at_once_by(0) })
    }

    /// Visitors' files are opened by the very threads that answer them, by so many at once at most, and beyond that by others.
    #[must_use]
    pub fn opened_at_once_by(self, most: usize) -> Self {
        Self { disk: Disk::asked_at_once_by(most), ..self }
    }

    /// The run in the directory `{workflow}/{run_id}` as it is now; `None` where there is none.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn run(&self, workflow: &str, run_id: &str) -> io::Result<Option<Run>> {
        survey::run(self, [workflow, run_id])
    }

    fn directory(&self, path: &str) -> Result<OwnedFd, Errno> {
        below(&*self.top, path, OFlags::RDONLY | OFlags::DIRECTORY)
    }
}

impl Source for ReportTree {
    type Known = Known;

    fn scan(&self) -> Scan {
        let Index { runs, incomplete } = survey::index(self, &mut Known::default(), Timestamp::MAX);
        let mut reports: Vec<Report> = runs.iter().flat_map(|run| run.reports()).cloned().collect();
        reports.sort_by_cached_key(|report| Reverse((report.began(), report.run_id.clone())));
        Scan { reports, incomplete }
    }

    fn index(&self, known: &mut Known, now: Timestamp) -> Index {
        survey::index(self, known, now)
    }

    fn list(&self, location: &Location) -> Option<Listing> {
        let directory = self.directory(&location.path()).ok()?;
        let (names, incomplete) = names(&directory, MOST_LISTED).ok()?;
        let entry = |name: String| {
            if name == OWN {
                return None;
            }
            let found = fstat(below(&directory, &name, OFlags::PATH).ok()?).ok()?;
            let bytes = match FileType::from_raw_mode(found.st_mode) {
                FileType::Directory => None,
                FileType::RegularFile => Some(u64::try_from(found.st_size).unwrap_or(0)),
                _ => return None,
            };
            Some(Entry { name, bytes })
        };
        Some(Listing { entries: names.into_iter().filter_map(entry).collect(), incomplete })
    }
}

/// Sorted; a directory can have any number of names, so `most` are read and the rest is told by `true`.
fn names(directory: impl AsFd, most: usize) -> io::Result<(Vec<String>, bool)> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if matches!(name, "." | "..") {
            continue;
        }
        if names.len() == most {
            return Ok((sorted(names), true));
        }
        names.push(name.to_owned());
    }
    Ok((sorted(names), false))
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

/// The last `most` bytes of a file as text; what is cut at the front or is no text is replaced.
fn tail(file: &mut File, most: u64) -> io::Result<String> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests;
