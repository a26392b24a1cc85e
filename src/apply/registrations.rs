//! Registrations that this host keeps, and how they end at GitHub.

use super::{Host, notes};
use crate::files::{self, FileError};
use crate::fleet::{Runner, RunnerPaths, names};
use crate::github::{self, Client, Removal};
use crate::runner::{Agent, Note, Notes, is_ephemeral_name};

/// A runner that this host has registered.
#[derive(Debug)]
pub struct Kept {
    /// Number of the runner.
    pub number: u16,
    /// Who it is at GitHub.
    pub note: Note,
    /// Does its identity stand on the disk? That of an ephemeral one does not.
    has_identity: bool,
    paths: RunnerPaths,
}

/// Why a registration stays.
#[derive(Debug, thiserror::Error)]
pub enum StaysError {
    /// GitHub could not be asked.
    #[error(transparent)]
    Github(#[from] github::Error),
    /// It is gone, and its identity could not be deleted.
    #[error(transparent)]
    File(#[from] FileError),
}

impl StaysError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Github(error) => error.hint(),
            Self::File(error) => error.hint(),
        }
    }
}

/// All that have an identity below the state directory, or are noted there as ephemeral, by number.
///
/// # Errors
/// The directory could not be read.
pub fn kept(host: &Host) -> Result<Vec<Kept>, FileError> {
    let mut numbers: Vec<u16> = files::names(&host.root.at(&host.layout.state))?
        .iter()
        .filter_map(|name| names::plain_number(name))
        .collect();
    numbers.sort_unstable();
    let mut kept = Vec::new();
    for number in numbers {
        let paths = host.layout.runner(number);
        let of = |note: Note, has_identity| Kept { number, note, has_identity, paths: paths.clone() };
        kept.extend(
            identity(host, &paths).map(|agent| of(Note { name: agent.name, id: Some(agent.id) }, true)),
        );
        kept.extend(noted(host, &paths)?.0.into_iter().map(|note| of(note, false)));
    }
    Ok(kept)
}

fn noted(host: &Host, paths: &RunnerPaths) -> Result<Notes, FileError> {
    notes::read(&host.root.at(&paths.ephemeral))
}

/// Who the runner of these paths is at GitHub, as its identity says.
fn identity(host: &Host, paths: &RunnerPaths) -> Option<Agent> {
    Agent::of(&files::read_untrusted(&host.root.at(&paths.identity_mark()))?)
}

/// Who `runner` is at GitHub now, as far as this host has registered it.
#[must_use]
pub fn agent(host: &Host, runner: &Runner) -> Option<Agent> {
    if !runner.ephemeral {
        return identity(host, &runner.paths).filter(|agent| agent.name == runner.name);
    }
    let notes = noted(host, &runner.paths).ok()?;
    let Note { name, id } = notes.youngest()?;
    Some(Agent { id: (*id)?, name: name.clone() })
        .filter(|agent| is_ephemeral_name(&runner.name, &agent.name))
}

/// Ends a registration at GitHub: only by the id that GitHub gave this host, and only where the name is the same. `None` where that id is somebody else's.
///
/// # Errors
/// GitHub could not be asked.
pub async fn end(github: &Client, agent: &Agent) -> Result<Option<Removal>, github::Error> {
    match github.runner(agent.id).await? {
        None => Ok(Some(Removal::AlreadyGone)),
        Some(runner) if runner.name == agent.name => github.remove_runner(agent.id).await.map(Some),
        Some(_) => Ok(None),
    }
}

/// Ends it at GitHub, and deletes what this host has of it, which is dead then.
///
/// # Errors
/// It could not be ended.
pub async fn remove(host: &Host, github: &Client, kept: &Kept) -> Result<Removal, StaysError> {
    let removal = notes::end(github, &kept.note).await?.unwrap_or(Removal::AlreadyGone);
    if removal != Removal::Busy {
        forget(host, kept)?;
    }
    Ok(removal)
}

fn forget(host: &Host, kept: &Kept) -> Result<(), FileError> {
    if kept.has_identity {
        return files::remove_tree(&host.root.at(&kept.paths.identity));
    }
    let mut left = noted(host, &kept.paths)?;
    left.0.retain(|note| *note != kept.note);
    notes::write(&host.root.at(&kept.paths.ephemeral), &left)
}

/// Deletes the dead identity of a runner that is gone at GitHub, and empties its budget: what a person asked for is no circle.
///
/// # Errors
/// What this host has of it could not be deleted.
pub fn forget_all(host: &Host, runner: &Runner) -> Result<(), FileError> {
    // With it the runner would ask GitHub in vain before it registers anew.
    files::remove_tree(&host.root.at(&runner.paths.identity))?;
    files::remove(&host.root.at(&runner.paths.registrations))
}
