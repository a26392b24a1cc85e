//! `ExecStartPre=`: makes the runner's directories and hands the registration token over.
//!
//! A token that cannot be had is no failure of this step: the entrypoint is told why instead and ends with the exit code that
//! `RestartPreventExitStatus=` knows. systemd applies that setting to the main process alone, so a failure here would be
//! repeated for ever.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::clear::{Unshare, clear_for};
use super::token::{self, TokenOrigin, TokenProblem};
use super::{jit, prepare_reports};
use crate::files::{self, FileError, Tree};
use crate::fleet::ids::{RUNNER_ID, SHARED_ID};
use crate::fleet::{HostIds, IdRange, RunnerPaths};
use crate::mounts::{self, MountError};
use crate::programs::{self, ProgramError};
use crate::reports::OWN;

/// What the step is told on its command line.
pub struct Prepare {
    /// Number of the runner.
    pub runner: u16,
    /// Digest of the unit's text.
    pub unit_digest: String,
    /// Where the registration token comes from.
    pub token: TokenOrigin,
    /// The runner's directories.
    pub paths: RunnerPaths,
    /// The shared reports directory.
    pub reports: PathBuf,
    /// The runner's ids on the host, with a private engine.
    pub ids: Option<IdRange>,
    /// The container's ids are the host's although it has a private engine: Docker maps those of all its containers or of none.
    pub unmapped: bool,
    /// The network that the container is to find in Podman.
    pub network: Option<OwnNetwork>,
    /// Where this user may delete what the container's users have closed, in a user's own fleet.
    pub unshare: Option<Unshare>,
}

/// A network of a runner's own.
pub struct OwnNetwork {
    /// Its name.
    pub name: String,
    /// The program.
    pub podman: PathBuf,
}

impl Prepare {
    /// Who the container's root is on the host, if not who runs this.
    fn container_root(&self) -> Option<u32> {
        self.ids.filter(|_| !self.unmapped).map(IdRange::root)
    }

    /// Gives what is at `path` to the container's root.
    pub(super) fn give_to_container(&self, path: &Path) -> Result<(), FileError> {
        self.container_root().map_or(Ok(()), |root| files::give_tree(path, root))
    }
}

/// What could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A file or directory.
    #[error(transparent)]
    File(#[from] FileError),
    /// An old mount is in the way.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// Podman makes no network, the reports directory could not be mounted, or nothing be deleted as the container's users.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// Makes the directories and hands the token over. Returns what the journal should say.
///
/// # Errors
/// A directory or file could not be made.
pub fn prepare(step: &Prepare) -> Result<Vec<String>, PrepareError> {
    let TokenOrigin::Jit(_) = &step.token else { return make(step) };
    let made = jit::pause(step).map_err(PrepareError::from).and_then(|()| make(step));
    if made.is_err() {
        jit::pause_after_failure();
    }
    made
}

fn make(step: &Prepare) -> Result<Vec<String>, PrepareError> {
    let mut said = make_files(step)?;
    if let Some(OwnNetwork { name, podman }) = &step.network {
        programs::make_network(podman, name, Path::new(programs::NETWORKS))?;
    }
    said.extend(mount_reports(step)?);
    Ok(said)
}

pub(super) fn make_files(step: &Prepare) -> Result<Vec<String>, PrepareError> {
    let mut said = clear_for(step)?;
    make_directories(step)?;
    make_engine_directories(step)?;
    files::write(&step.paths.started_with, step.unit_digest.as_bytes(), 0o644)?;
    match &step.token {
        TokenOrigin::Jit(jit) => {
            if let Err(problem) = jit::hand_over_identity(step, jit)? {
                said.extend(tell(step, &problem)?);
            }
            return Ok(said);
        }
        TokenOrigin::Github(mint) => jit::end_left(&step.paths, &mint.end)?,
        TokenOrigin::File(_) => {}
    }
    match token::token(step) {
        Ok(None) => {}
        Ok(Some(text)) => hand_over(step, &step.paths.registration_token(), text.expose_secret())?,
        Err(problem) => said.extend(tell(step, &problem)?),
    }
    Ok(said)
}

/// The entrypoint ends with the exit code that systemd knows, and in these words.
fn tell(step: &Prepare, problem: &TokenProblem) -> Result<Vec<String>, FileError> {
    let TokenProblem { cause, hint, passes } = problem;
    let place = if *passes { step.paths.token_delay() } else { step.paths.token_problem() };
    // An empty hint: the entrypoint has one of its own.
    let is_file = matches!(step.token, TokenOrigin::File(_));
    hand_over(step, &place, &format!("{cause}\n{}\n", if is_file { "" } else { hint }))?;
    // A registered runner needs no token of the file, so a dead or missing one is nothing to speak of.
    if is_file && files::exists(&step.paths.identity_mark()) {
        return Ok(Vec::new());
    }
    Ok(vec![format!("runner {}: {cause}", step.runner), format!("hint: {hint}")])
}

fn make_directories(step: &Prepare) -> Result<(), FileError> {
    let paths = &step.paths;
    for (directory, mode) in
        [(&paths.identity, 0o700), (&paths.work, 0o755), (&paths.token, 0o700), (&paths.status, 0o755)]
    {
        files::make_directory(directory, mode)?;
    }
    prepare_reports(&step.reports)?;
    for directory in [&paths.identity, &paths.token, &paths.status] {
        give(directory, step.container_root(), 0)?;
    }
    give(&paths.work, step.ids.map(IdRange::runner), RUNNER_ID)?;
    // Before the first workflow could put one of its own there.
    if let Some(reports) = Tree::open(&files::behind_links(&step.reports)?)? {
        reports.own(OsStr::new(OWN))?;
    }
    Ok(())
}

/// What belonged to the ids of another mode is given to the new `owner`. A runner without ids of its own has the container's users as the host's: `root` and `runner`
/// themselves, whose id is `unmapped`.
fn give(directory: &Path, owner: Option<u32>, unmapped: u32) -> Result<(), FileError> {
    let found = files::owner(directory)?;
    let was_private = found.and_then(HostIds::slot_of).is_some();
    match owner {
        Some(owner) if found != Some(owner) => files::give_tree(directory, owner),
        None if was_private => files::give_tree(directory, unmapped),
        _ => Ok(()),
    }
}

/// The engine's storage belongs to its account. Volumes of the workflows before have no container any more.
fn make_engine_directories(step: &Prepare) -> Result<(), FileError> {
    let Some(ids) = step.ids else { return Ok(()) };
    let paths = &step.paths;
    files::make_directory(&paths.engine, 0o755)?;
    files::remove(&paths.engine_ready())?;
    files::make_directory(&paths.engine_storage, 0o700)?;
    if files::owner(&paths.engine_storage)? != Some(ids.runner()) {
        // Images of other ids are of no use to this account.
        files::remove_tree(&paths.engine_storage)?;
        files::make_directory(&paths.engine_storage, 0o700)?;
        files::give_tree(&paths.engine_storage, ids.runner())?;
    }
    files::remove_tree(&paths.engine_storage.join("volumes"))
}

/// Runners with ids of their own would own what they make in the reports directory apart from each other: a mount lets all of them be the same id on the disk.
fn mount_reports(step: &Prepare) -> Result<Vec<String>, PrepareError> {
    let Some(ids) = step.ids else { return Ok(Vec::new()) };
    let target = &step.paths.reports;
    mounts::remove_below(target)?;
    files::make_directory(target, 0o755)?;
    // Through a mount with mapped ids nobody writes into what belongs to an id outside of the map.
    files::give(&step.reports, SHARED_ID)?;
    let Err(error) = programs::mount_for_container(&step.reports, target, ids) else { return Ok(Vec::new()) };
    programs::mount_as_it_is(&step.reports, target)?;
    Ok(vec![
        format!("runner {}: the reports directory is mounted without mapped ids: {error}", step.runner),
        "hint: runners cannot write into report directories that others made; `runnerctl doctor` shows what this host lacks".to_owned(),
    ])
}

/// Writes a file that the container's root alone can read.
pub(super) fn hand_over(step: &Prepare, path: &Path, text: &str) -> Result<(), FileError> {
    files::write(path, text.as_bytes(), 0o400)?;
    step.give_to_container(path)
}

#[cfg(test)]
mod tests;
