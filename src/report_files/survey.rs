//! The tree, read into runs; and read again, where it may have changed.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, statat};
use rustix::io::Errno;

use super::scan::report;
use super::{Most, ReportTree, below, names};
use crate::reports::{Index, Report, Run};

/// Everything is read again after so long: what is written into a report that has settled changes no directory above it.
const WHOLE_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// The kernel's clock for files has ticks: what changes twice within one shows it once.
const TICK: SignedDuration = SignedDuration::from_secs(1);

/// What earlier readings found.
#[derive(Debug, Default)]
pub struct Known {
    whole: Option<Timestamp>,
    workflows: BTreeMap<String, Workflow>,
}

/// The names in one directory, as they were found.
#[derive(Debug, Default)]
struct Names {
    changed: Option<Changed>,
    /// With those that are of no interest.
    count: usize,
    is_cut: bool,
}

#[derive(Debug, Default)]
struct Workflow {
    names: Names,
    runs: BTreeMap<String, KnownRun>,
}

#[derive(Debug, Default)]
struct KnownRun {
    names: Names,
    is_settled: bool,
    run: Option<Arc<Run>>,
}

/// When a directory was changed: `st_ctime`, which a workflow cannot set as it can `st_mtime`. Seconds and nanoseconds.
type Changed = (i64, i64);

pub(super) fn index(tree: &ReportTree, known: &mut Known, now: Timestamp) -> Index {
    let Ok(top) = tree.directory(".") else { return Index::default() };
    let is_whole = known.whole.is_none_or(|last| now.duration_since(last) >= WHOLE_AGAIN);
    if is_whole {
        known.whole = Some(now);
    }
    let mut walk = Walk { most: tree.most, left: tree.most.in_all, is_cut: false, is_whole, now };
    let mut before = std::mem::take(&mut known.workflows);
    let names = walk.read(&top, &mut Names::default());
    let mut left = walk.left;
    for (name, others) in names.iter().zip((1..=names.len()).rev()) {
        let Some(opened) = directory(&top, name) else { continue };
        let mut workflow = before.remove(name).unwrap_or_default();
        // A share of what is left: a workflow with names without end hides none of the others.
        let share = left / others;
        walk.left = share;
        walk.workflow(&opened, name, &mut workflow);
        left -= share - walk.left;
        known.workflows.insert(name.clone(), workflow);
    }
    let runs = known.workflows.values().flat_map(|workflow| workflow.runs.values());
    Index::of(runs.filter_map(|known| known.run.clone()).collect(), walk.is_cut)
}

/// One run, read by itself: whoever deletes by it has to know what could not be read.
pub(super) fn run(tree: &ReportTree, [workflow, run_id]: [&str; 2]) -> io::Result<Option<Run>> {
    let Some(opened) = if_there(tree.directory(&format!("{workflow}/{run_id}")))? else { return Ok(None) };
    let (mut names, _) = names(&opened, tree.most.names)?;
    names.retain(is_visible);
    let mut reports = Vec::new();
    for name in &names {
        let directory = if_there(below(&opened, name, OFlags::RDONLY | OFlags::DIRECTORY))?;
        reports.extend(directory.and_then(|directory| report(&directory, [workflow, run_id, name])));
    }
    Ok(Run::of(workflow, run_id, reports))
}

/// What is gone, a link or no directory is nothing; another error is one.
fn if_there(opened: Result<OwnedFd, Errno>) -> io::Result<Option<OwnedFd>> {
    match opened {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn reports(run: &OwnedFd, [workflow, run_id]: [&str; 2], names: &[String]) -> Vec<Report> {
    let read = |name: &String| report(&directory(run, name)?, [workflow, run_id, name]);
    names.iter().filter_map(read).collect()
}

/// One reading.
struct Walk {
    most: Most,
    left: usize,
    is_cut: bool,
    /// Nothing that is known is relied on.
    is_whole: bool,
    now: Timestamp,
}

impl Walk {
    fn workflow(&mut self, opened: &OwnedFd, name: &str, workflow: &mut Workflow) {
        let mut before = std::mem::take(&mut workflow.runs);
        let changed = fstat(opened).ok().and_then(|found| self.changed(&found));
        let run_ids = if self.is_known(&workflow.names, changed) {
            self.count(&workflow.names);
            before.keys().cloned().collect()
        } else {
            workflow.names.changed = changed;
            self.read(opened, &mut workflow.names)
        };
        for run_id in run_ids {
            let Ok(found) = statat(opened, run_id.as_str(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
                continue;
            }
            let mut run = before.remove(&run_id).unwrap_or_default();
            let changed = self.changed(&found);
            if run.is_settled && self.is_known(&run.names, changed) && run.names.count <= self.left {
                self.count(&run.names);
            } else if let Some(opened) = directory(opened, &run_id) {
                run.names.changed = changed;
                self.run(&opened, [name, &run_id], &mut run);
            }
            workflow.runs.insert(run_id, run);
        }
    }

    fn run(&mut self, opened: &OwnedFd, [workflow, run_id]: [&str; 2], known: &mut KnownRun) {
        let names = self.read(opened, &mut known.names);
        let run = Run::of(workflow, run_id, reports(opened, [workflow, run_id], &names));
        known.is_settled = run.as_ref().is_none_or(|run| run.is_settled(self.now));
        // The same text is not held twice while somebody still looks at the last index.
        if known.run.as_deref() != run.as_ref() {
            known.run = run.map(Arc::new);
        }
    }

    /// `None` where it would not show that something changes right now.
    fn changed(&self, found: &Stat) -> Option<Changed> {
        let when = Timestamp::from_second(found.st_ctime).ok()?;
        let nanoseconds = i64::try_from(found.st_ctime_nsec).ok()?;
        (self.now.duration_since(when) > TICK).then_some((found.st_ctime, nanoseconds))
    }

    fn is_known(&self, names: &Names, changed: Option<Changed>) -> bool {
        !self.is_whole && changed.is_some() && names.changed == changed
    }

    /// The visible names in `opened`; hidden ones are no reports.
    fn read(&mut self, opened: &OwnedFd, known: &mut Names) -> Vec<String> {
        let (mut found, is_cut) =
            names(opened, self.most.names.min(self.left)).unwrap_or_else(|_| (Vec::new(), true));
        (known.count, known.is_cut) = (found.len(), is_cut);
        self.count(known);
        found.retain(is_visible);
        found
    }

    fn count(&mut self, names: &Names) {
        self.left = self.left.saturating_sub(names.count);
        self.is_cut |= names.is_cut;
    }
}

#[expect(clippy::ptr_arg, reason = "for `retain`")]
fn is_visible(name: &String) -> bool {
    !name.starts_with('.')
}

fn directory(parent: &OwnedFd, name: &str) -> Option<OwnedFd> {
    below(parent, name, OFlags::RDONLY | OFlags::DIRECTORY).ok()
}
