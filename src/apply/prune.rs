//! Frees disk space: what is there → [`PrunePlan`] → out of the way, then deleted.

use std::path::{Path, PathBuf};

use super::{Error, Host, busy};
use crate::files::{self, FileError, Trash, Tree};
use crate::fleet::{Fleet, Runner, RunnerPaths};
use crate::programs;
use crate::prune::{Entry, Kind, Name, Place, PrunePlan, Removal, Usage, place};

/// What is on the disk, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Found {
    /// Of each runner.
    pub usages: Vec<Usage>,
    /// Bytes that are free below the state directory.
    pub free: u64,
    /// Sentences.
    pub problems: Vec<String>,
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What went.
    pub removed: Vec<Removal>,
    /// Runners on which a workflow job began meanwhile.
    pub became_busy: Vec<u16>,
    /// What did not go, and why; sentences.
    pub problems: Vec<String>,
}

/// Measures what `runners` have on the disk. `podman` asks their own engines, and only where their storage is over its budget or
/// the floor is not free: to ask an engine is to start it.
///
/// # Errors
/// The free space or a control group could not be read: then nothing may be planned.
pub async fn measure(host: &Host, fleet: &Fleet, runners: &[&Runner], podman: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    let state = host.root.at(&fleet.layout.state);
    if !files::exists(&state) {
        return Ok(Found { free: u64::MAX, ..found });
    }
    found.free = files::free(&state)?;
    for runner in runners {
        let paths = below_root(host, runner);
        let mut usage = Usage {
            runner: runner.number,
            busy: is_busy(host, runner.number)?,
            entries: Vec::new(),
            engine_bytes: 0,
        };
        if let Err(error) = measure_work(&paths.work, &mut usage, &mut found.problems) {
            found.problems.push(error.to_string());
        }
        match storage_bytes(&paths.engine_storage) {
            Ok(bytes) => usage.engine_bytes = bytes,
            Err(error) => found.problems.push(error.to_string()),
        }
        let is_over = fleet.prune.images_max.bytes().is_some_and(|most| usage.engine_bytes > most);
        let is_asked = usage.engine_bytes > 0 && (is_over || found.free < fleet.prune.floor());
        if is_asked && !usage.busy && files::exists(&paths.engine_socket()) {
            match programs::unused_images(podman, &paths.engine_socket()).await {
                Ok(images) => usage.entries.extend(images.into_iter().map(entry)),
                Err(error) => found.problems.push(format!("runner {}: {error}", runner.number)),
            }
        }
        found.usages.push(usage);
    }
    Ok(found)
}

/// Carries `plan` out.
///
/// A runner cannot be told to wait, so a workflow job may begin at any moment. Therefore its runner is looked at right before
/// each removal, and what goes from a work folder is renamed away in one step, and deleted only then: a worker needs far longer from its
/// start to its first look at the work folder than lies between the two.
///
/// # Errors
/// A control group could not be read.
pub async fn prune(plan: &PrunePlan, host: &Host, fleet: &Fleet, podman: &Path) -> Result<Pruned, Error> {
    let mut pruned = Pruned::default();
    for removal in &plan.removals {
        let Some(runner) = fleet.runner(removal.runner) else { continue };
        if is_busy(host, runner.number)? {
            if !pruned.became_busy.contains(&runner.number) {
                pruned.became_busy.push(runner.number);
            }
            continue;
        }
        match remove(&below_root(host, runner), &removal.entry, podman).await {
            Ok(()) => pruned.removed.push(removal.clone()),
            Err(error) => pruned.problems.push(error),
        }
    }
    Ok(pruned)
}

/// Deletes what runs that were cut off had moved aside already.
///
/// # Errors
/// What could not be deleted.
pub fn sweep_trash(host: &Host, runner: &Runner) -> Result<(), Error> {
    match Trash::left_at(&below_root(host, runner).trash)? {
        Some(trash) => Ok(trash.empty()?),
        None => Ok(()),
    }
}

fn is_busy(host: &Host, runner: u16) -> Result<bool, Error> {
    Ok(!busy(host, &[runner])?.is_empty())
}

fn below_root(host: &Host, runner: &Runner) -> RunnerPaths {
    RunnerPaths::new(host.root.at(&runner.paths.state), host.root.at(&runner.paths.runtime))
}

fn measure_work(work: &Path, usage: &mut Usage, problems: &mut Vec<String>) -> Result<(), FileError> {
    let Some(mut tree) = Tree::open(work)? else { return Ok(()) };
    let mut wanted: Vec<(Kind, PathBuf)> = Vec::new();
    for name in tree.names(Path::new(""))? {
        match place(&name) {
            Place::Kept => {}
            Place::Entry(kind) => wanted.push((kind, PathBuf::from(name))),
            Place::Tools => {
                for tool in tree.names(Path::new(&name))? {
                    let tool = Path::new(&name).join(tool);
                    let versions = tree.names(&tool)?;
                    if versions.is_empty() {
                        wanted.push((Kind::Tool, tool));
                        continue;
                    }
                    wanted.extend(versions.into_iter().map(|version| (Kind::Tool, tool.join(version))));
                }
            }
        }
    }
    for (kind, path) in wanted {
        let measured = tree.measure(&path);
        if measured.incomplete {
            problems.push(format!(
                "cannot look at all of {:?}: it counts for less than it is",
                work.join(&path).to_string_lossy()
            ));
        }
        usage.entries.push(Entry {
            kind,
            name: Name::Path(path),
            bytes: measured.bytes,
            last_used: measured.last_used,
        });
    }
    Ok(())
}

/// All of an engine's storage, as it lies on the disk. What its containers have mounted there is another file system.
fn storage_bytes(storage: &Path) -> Result<u64, FileError> {
    let Some(mut tree) = Tree::open(storage)? else { return Ok(0) };
    let names = tree.names(Path::new(""))?;
    Ok(names.into_iter().map(|name| tree.measure(Path::new(&name)).bytes).sum())
}

fn entry(image: programs::UnusedImage) -> Entry {
    Entry {
        kind: Kind::Image,
        name: Name::Image { id: image.id, tags: image.tags },
        bytes: image.bytes,
        last_used: image.created,
    }
}

async fn remove(paths: &RunnerPaths, entry: &Entry, podman: &Path) -> Result<(), String> {
    match &entry.name {
        Name::Image { id, tags } => programs::remove_image(podman, &paths.engine_socket(), id, tags)
            .await
            .map_err(|error| error.to_string()),
        Name::Path(path) => {
            let attempt = || -> Result<(), FileError> {
                let Some(tree) = Tree::open(&paths.work)? else { return Ok(()) };
                let trash = Trash::open(&paths.trash)?;
                tree.move_aside(path, &trash)?;
                trash.empty()
            };
            attempt().map_err(|error| error.to_string())
        }
    }
}

/// What a person calls the thing that goes; names are whatever a workflow chose, so they are shown quoted.
#[must_use]
pub fn words(removal: &Removal, runner: &Runner) -> String {
    match &removal.entry.name {
        Name::Path(path) => format!("{:?}", runner.paths.work.join(path).to_string_lossy()),
        Name::Image { id, tags } if tags.is_empty() => format!("image {}", id.get(..12).unwrap_or(id)),
        Name::Image { tags, .. } => format!("image {}", tags.join(", ")),
    }
}
