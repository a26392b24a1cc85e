//! Registrations that this host keeps, and how they end at GitHub.

use super::{Host, notes};
use crate::config::GithubUrl;
use crate::files::{self, FileError};
use crate::fleet::{RunnerPaths, names};
use crate::github::{self, Client, Removal};
use crate::runner::{Agent, Note, Notes, Registration, is_ephemeral_name};

/// A runner that this host has registered.
#[derive(Debug)]
pub struct Kept {
    /// Number of the runner.
    pub number: u16,
    /// Who it is at GitHub.
    pub note: Note,
    /// Does its identity stand on the disk? That of an ephemeral one does not.
    has_identity: bool,
    /// Where it was registered, as far as that is noted.
    url: Option<String>,
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
    /// It is not where the config's credential is for: that must be shown to nobody else.
    #[error("it is registered at {url}, and the config speaks of {wanted}")]
    Elsewhere {
        /// Where it is registered.
        url: String,
        /// Where this host asks.
        wanted: String,
        /// GitHub's page that lists it.
        page: Option<String>,
    },
}

impl StaysError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Github(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Elsewhere { url, page, .. } => Some(format!(
                "remove it at {}; its identity stays, so `url = \"{url}\"` and this command once more do it as well",
                page.as_deref().unwrap_or(url)
            )),
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
        if let Some(Agent { id, name }) = identity(host, &paths) {
            let (note, url) = (Note { name, id: Some(id) }, registered_at(host, &paths));
            kept.push(Kept { number, note, has_identity: true, url, paths: paths.clone() });
        }
        let noted = noted(host, &paths)?.0.into_iter();
        kept.extend(noted.map(|note| Kept {
            number,
            note,
            has_identity: false,
            url: None,
            paths: paths.clone(),
        }));
    }
    Ok(kept)
}

impl Kept {
    /// Why it cannot be ended at `url`; `None` where it can. Under its id there, nobody would be found, or somebody else.
    #[must_use]
    pub fn elsewhere(&self, url: &GithubUrl) -> Option<StaysError> {
        let kept = self.url.as_ref().filter(|kept| **kept != url.to_string())?;
        let page = kept.parse::<GithubUrl>().ok().map(|kept| kept.runners_page());
        Some(StaysError::Elsewhere { url: kept.clone(), wanted: url.to_string(), page })
    }
}

/// Where the identity of these paths was registered; `None` where that is not noted.
fn registered_at(host: &Host, paths: &RunnerPaths) -> Option<String> {
    let kept = files::read_untrusted(&host.root.at(&paths.fingerprint()))?;
    Registration::url_of(&kept).map(ToOwned::to_owned)
}

fn noted(host: &Host, paths: &RunnerPaths) -> Result<Notes, FileError> {
    notes::read(&host.root.at(&paths.ephemeral))
}

/// Who the runner of these paths is at GitHub, as its identity says.
fn identity(host: &Host, paths: &RunnerPaths) -> Option<Agent> {
    Agent::of(&files::read_untrusted(&host.root.at(&paths.identity_mark()))?)
}

/// Who a runner is at GitHub now.
#[derive(Debug)]
pub struct Registered {
    /// Its id and name.
    pub agent: Agent,
    /// GitHub ends it by itself after one workflow job.
    pub ephemeral: bool,
}

/// Who the runner of these paths is at GitHub, as far as this host has registered it at `url`: elsewhere its id would be somebody else's, or nobody's. What stands on the
/// disk says whether it is ephemeral, not the config: that may have changed since it was started.
#[must_use]
pub fn registered(host: &Host, paths: &RunnerPaths, url: &GithubUrl) -> Option<Registered> {
    if let Some(agent) = identity(host, paths) {
        let is_there = registered_at(host, paths).is_none_or(|kept| kept == url.to_string());
        return is_there.then_some(Registered { agent, ephemeral: false });
    }
    let notes = noted(host, paths).ok()?;
    let Note { name, id } = notes.youngest()?;
    let is_ours = name.rsplit_once('-').is_some_and(|(base, _)| is_ephemeral_name(base, name));
    let agent = Agent { id: (*id)?, name: name.clone() };
    is_ours.then_some(Registered { agent, ephemeral: true })
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

/// Ends it at GitHub, where `url` is, and deletes what this host has of it, which is dead then.
///
/// # Errors
/// It could not be ended, or is not there.
pub async fn remove(
    host: &Host,
    github: &Client,
    url: &GithubUrl,
    kept: &Kept,
) -> Result<Removal, StaysError> {
    if let Some(elsewhere) = kept.elsewhere(url) {
        return Err(elsewhere);
    }
    let removal = notes::end(github, &kept.note).await?.unwrap_or(Removal::AlreadyGone);
    if removal != Removal::Busy {
        forget(host, kept)?;
    }
    Ok(removal)
}

/// Has it an identity, made with what `registration` says?
#[must_use]
pub fn is_current(host: &Host, paths: &RunnerPaths, registration: &Registration<'_>) -> bool {
    let kept = files::read_untrusted(&host.root.at(&paths.fingerprint()));
    files::exists(&host.root.at(&paths.identity_mark())) && kept == Some(registration.fingerprint())
}

/// Lets the next start register it anew, also where its identity is as `registration` says. The identity stays until the new one is complete, and what GitHub knows
/// under its name is replaced: the entrypoint sees other settings than those that were kept. Returns what has to stand there for the identity to be good again.
///
/// # Errors
/// The identity could not be written.
pub fn outdate(
    host: &Host,
    paths: &RunnerPaths,
    registration: &Registration<'_>,
) -> Result<Option<String>, FileError> {
    // What is asked for by hand is no circle, and may take a name back.
    files::remove(&host.root.at(&paths.registrations))?;
    files::remove(&host.root.at(&paths.lost()))?;
    if !is_current(host, paths, registration) {
        return Ok(None);
    }
    let kept = registration.fingerprint();
    keep(host, paths, &Registration::name_alone(&kept))?;
    Ok(Some(kept))
}

/// Takes that back where GitHub has refused the new registration: the old one is as good as it was. Is it there?
///
/// # Errors
/// The identity could not be written.
pub fn restore(host: &Host, paths: &RunnerPaths, kept: &str) -> Result<bool, FileError> {
    let is_there = files::exists(&host.root.at(&paths.identity_mark()));
    if is_there {
        keep(host, paths, kept)?;
    }
    Ok(is_there)
}

/// What this host writes beside the identity belongs to the container's root, as the rest of it does.
fn keep(host: &Host, paths: &RunnerPaths, fingerprint: &str) -> Result<(), FileError> {
    let path = host.root.at(&paths.fingerprint());
    files::write(&path, fingerprint.as_bytes(), 0o600)?;
    files::owner(&host.root.at(&paths.identity))?.map_or(Ok(()), |owner| files::give(&path, owner))
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
pub fn forget_all(host: &Host, paths: &RunnerPaths) -> Result<(), FileError> {
    // With it the runner would ask GitHub in vain before it registers anew.
    files::remove_tree(&host.root.at(&paths.identity))?;
    files::remove(&host.root.at(&paths.registrations))
}
