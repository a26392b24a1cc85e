//! Deletes what an earlier start left: it must not speak for this one, nor must what its workflows planted there.
//!
//! In a user's own fleet that user is the container's root, and the container's other users are ids that only the user namespace of rootless Podman maps. A directory that one of
//! them has closed can be emptied there alone.

use std::ffi::OsString;
use std::path::PathBuf;

use super::jit;
use super::prepare::{Prepare, PrepareError};
use super::token::TokenOrigin;
use crate::files::{self, FileError};
use crate::fleet::RunnerPaths;
use crate::programs;

/// The way into the user namespace of rootless Podman.
#[derive(Debug, Clone)]
pub struct Unshare {
    /// Podman, which has the namespace.
    pub podman: PathBuf,
    /// This program.
    pub runnerctl: PathBuf,
}

/// Deletes it. Returns what the journal should say.
///
/// # Errors
/// Something could not be deleted.
pub fn clear(paths: &RunnerPaths, is_ephemeral: bool) -> Result<Vec<String>, FileError> {
    for stale in [&paths.token, &paths.status] {
        files::remove_tree(stale)?;
    }
    files::remove(&paths.image())?;
    if is_ephemeral { jit::clear(paths) } else { Ok(Vec::new()) }
}

/// The same for a step; where that is denied, in the namespace.
pub(super) fn clear_for(step: &Prepare) -> Result<Vec<String>, PrepareError> {
    let is_ephemeral = matches!(step.token, TokenOrigin::Jit(_));
    match (clear(&step.paths, is_ephemeral), &step.unshare) {
        (Err(error), Some(unshare)) if error.is_denied() => {
            let said =
                programs::run_unshared(&unshare.podman, &unshare.runnerctl, &arguments(step, is_ephemeral))?;
            Ok(said.lines().map(str::to_owned).collect())
        }
        (cleared, _) => Ok(cleared?),
    }
}

fn arguments(step: &Prepare, is_ephemeral: bool) -> Vec<OsString> {
    let option = |name: &str, path: &PathBuf| {
        let mut option = OsString::from(name);
        option.push(path);
        option
    };
    let mut words: Vec<OsString> = ["unit-step", "clear"].map(OsString::from).into();
    words.push(format!("--runner={}", step.runner).into());
    words.push(option("--runtime-dir=", &step.paths.runtime));
    words.push(option("--state-dir=", &step.paths.state));
    words.extend(is_ephemeral.then(|| "--ephemeral".into()));
    words
}
