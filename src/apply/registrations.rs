//! Registrations that this host keeps, and how they end at GitHub.

use super::Host;
use crate::config::GithubUrl;
use crate::files::{self, FileError};
use crate::fleet::{RunnerPaths, names};
use crate::github::{self, Client, Removal};
use crate::runner::{Agent, Registration};

/// A runner that this host has registered.
#[derive(Debug)]
pub struct Kept {
    /// Number of the runner.
    pub number: u16,
    /// Who it is at GitHub.
    pub agent: Agent,
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

/// All that have an identity below the state directory, by number.
///
/// # Errors
/// The directory could not be read.
pub fn kept(host: &Host) -> Result<Vec<Kept>, FileError> {
    let mut numbers: Vec<u16> = files::names(&host.root.at(&host.layout.state))?
        .iter()
        .filter_map(|name| names::plain_number(name))
        .collect();
    numbers.sort_unstable();
    let of = |number| {
        let paths = host.layout.runner(number);
        Some(Kept { number, agent: agent(host, &paths)?, paths })
    };
    Ok(numbers.into_iter().filter_map(of).collect())
}

/// Who the runner of these paths is at GitHub, as its identity says.
#[must_use]
pub fn agent(host: &Host, paths: &RunnerPaths) -> Option<Agent> {
    Agent::of(&files::read_untrusted(&host.root.at(&paths.identity_mark()))?)
}

/// The same, unless it was registered elsewhere than at `url`: there its id would be somebody else's, or nobody's.
#[must_use]
pub fn agent_at(host: &Host, paths: &RunnerPaths, url: &GithubUrl) -> Option<Agent> {
    let kept = files::read_untrusted(&host.root.at(&paths.fingerprint()));
    let is_there =
        kept.is_none_or(|kept| Registration::url_of(&kept).is_none_or(|kept| kept == url.to_string()));
    agent(host, paths).filter(|_| is_there)
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

/// Ends it at GitHub, and deletes the identity that is dead then.
///
/// # Errors
/// It could not be ended.
pub async fn remove(host: &Host, github: &Client, kept: &Kept) -> Result<Removal, StaysError> {
    let removal = end(github, &kept.agent).await?.unwrap_or(Removal::AlreadyGone);
    if removal != Removal::Busy {
        files::remove_tree(&host.root.at(&kept.paths.identity))?;
    }
    Ok(removal)
}
