//! Deletes reports: what is there → [`RetentionPlan`] → out of the way, then deleted.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Error;
use crate::config::Retention;
use crate::files::{self, FileError, Lock, OwnDirectory, Tree};
use crate::report_files::ReportTree;
use crate::reports::{Held, OVER_BUDGET, OWN, Removal, RetentionPlan, Standing, over_budget};

/// In our own directory: what is on its way to be deleted.
const TRASH: &str = "trash";

/// In our own directory: held while reports are deleted.
const LOCK: &str = "lock";

/// The reports directory, to be read.
#[derive(Debug)]
pub struct Reports {
    tree: Tree,
    reports: ReportTree,
}

/// What is on the disk, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Found {
    /// All that can go, one by one.
    pub held: Vec<Held>,
    /// Sentences.
    pub problems: Vec<String>,
}

impl Found {
    fn add(&mut self, looked_at: Result<Option<Held>, String>) {
        match looked_at {
            Ok(held) => self.held.extend(held),
            Err(problem) => self.problems.push(problem),
        }
    }
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What went.
    pub removed: Vec<Removal>,
    /// What changed after the plan was made, and was left alone.
    pub changed: Vec<Held>,
    /// What did not go, and why; sentences.
    pub problems: Vec<String>,
}

impl Reports {
    /// Opens the directory at `path`; `None` where there is none.
    ///
    /// # Errors
    /// It may not be opened.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        if !files::exists(path) {
            return Ok(None);
        }
        let path = files::behind_links(path)?;
        let reports = ReportTree::open(&path).map_err(|source| FileError::new("open", &path, source))?;
        Ok(Tree::open(&path)?.map(|tree| Self { tree, reports }))
    }

    /// Our own directory in it, with the lock; no lock where another run has it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn own(&self) -> Result<(OwnDirectory, Option<Lock>), Error> {
        let own = self.tree.own(OsStr::new(OWN))?;
        let lock = own.lock(LOCK)?;
        Ok((own, lock))
    }

    /// Deletes what a run that was cut off had moved aside already.
    ///
    /// # Errors
    /// What could not be deleted.
    pub fn sweep(&self, own: &OwnDirectory) -> Result<(), Error> {
        Ok(own.trash(TRASH)?.empty()?)
    }

    /// Measures everything but our own directory, as it stands at `now`.
    ///
    /// # Errors
    /// The directory could not be read: then nothing may be planned.
    pub fn measure(&mut self, now: Timestamp) -> Result<Found, Error> {
        let mut found = Found::default();
        for workflow in self.tree.names(Path::new(""))?.into_iter().filter(|name| name != OWN) {
            let inner =
                if is_hidden(&workflow) { Ok(Vec::new()) } else { self.tree.names(Path::new(&workflow)) };
            match inner {
                Ok(names) if names.is_empty() => found.add(self.look_at(&workflow, None, now)),
                Ok(names) => {
                    for name in &names {
                        found.add(self.look_at(&workflow, Some(name), now));
                    }
                }
                Err(error) => found.problems.push(error.to_string()),
            }
        }
        let cut = found.held.iter().filter(|held| held.is_cut);
        let told = cut.map(|held| format!("cannot look at all of {}: it counts as too much", words(held)));
        found.problems.extend(told.collect::<Vec<_>>());
        Ok(found)
    }

    /// Carries `plan` out.
    ///
    /// A workflow job may begin in the directory of an old run at any moment: a re-run keeps the run's number. So each is looked at once more right before
    /// it is renamed away in one step, and it is deleted only then.
    ///
    /// # Errors
    /// There is no place to move it to.
    pub fn prune(
        &mut self,
        plan: &RetentionPlan,
        own: &OwnDirectory,
        now: Timestamp,
    ) -> Result<Pruned, Error> {
        let trash = own.trash(TRASH)?;
        let mut pruned = Pruned::default();
        for removal in &plan.removals {
            let held = &removal.held;
            let again = match self.look_at(&held.workflow, held.name.as_deref(), now) {
                Ok(again) => again,
                Err(problem) => {
                    pruned.problems.push(problem);
                    continue;
                }
            };
            if !again.is_some_and(|again| is_same(&again, held)) {
                pruned.changed.push(held.clone());
                continue;
            }
            match self.tree.move_aside(&path(held), &trash).and_then(|_| trash.empty()) {
                Ok(()) => pruned.removed.push(removal.clone()),
                Err(error) => pruned.problems.push(error.to_string()),
            }
        }
        Ok(pruned)
    }

    /// `None` where it is gone, or on another file system. What cannot be read is no junk: it fails, with a sentence.
    fn look_at(
        &mut self,
        workflow: &OsStr,
        name: Option<&OsStr>,
        now: Timestamp,
    ) -> Result<Option<Held>, String> {
        let mut held = Held {
            workflow: workflow.to_owned(),
            name: name.map(OsStr::to_owned),
            bytes: 0,
            changed: Timestamp::UNIX_EPOCH,
            is_cut: false,
            run: None,
        };
        // What is written between the two is no part of what was measured, and is found by the next look.
        let measured = self.tree.measure(&path(&held));
        let Ok(changed) = Timestamp::try_from(measured.changed) else { return Ok(None) };
        held.changed = changed;
        (held.bytes, held.is_cut) = (measured.bytes, measured.incomplete);
        if held.changed == Timestamp::UNIX_EPOCH && !held.is_cut {
            return Ok(None);
        }
        let name = name.filter(|name| !is_hidden(name)).and_then(OsStr::to_str);
        if let Some((workflow, name)) = workflow.to_str().zip(name) {
            let run = self.reports.run(workflow, name).map_err(|error| {
                format!("cannot read {}: {error}; it stays until it can be read", words(&held))
            })?;
            held.run = run.map(|run| Standing::of(&run, now));
        }
        Ok(Some(held))
    }
}

/// Leaves marks for exactly the workflows that are over their budget with what is `left`, and names them.
///
/// # Errors
/// A mark could not be made or taken away.
pub fn mark<'a>(
    own: &OwnDirectory,
    left: impl Iterator<Item = &'a Held>,
    retention: &Retention,
) -> Result<Vec<OsString>, Error> {
    let over: Vec<&OsStr> = over_budget(left, retention).into_iter().collect();
    own.directory(OVER_BUDGET)?.keep_only(&over)?;
    Ok(over.into_iter().map(OsStr::to_owned).collect())
}

/// What is compared cannot be set by who writes there.
fn is_same(again: &Held, planned: &Held) -> bool {
    let has_ended = |held: &Held| held.run.map(|run| run.has_ended);
    again.changed == planned.changed && has_ended(again) == has_ended(planned)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn path(held: &Held) -> PathBuf {
    let workflow = Path::new(&held.workflow);
    held.name.as_ref().map_or_else(|| workflow.to_owned(), |name| workflow.join(name))
}

/// What a person calls it; names are whatever a workflow chose, so they are shown quoted.
#[must_use]
pub fn words(held: &Held) -> String {
    format!("{:?}", path(held).to_string_lossy())
}

#[cfg(test)]
mod tests;
