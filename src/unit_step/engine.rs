//! `ExecStartPost=` and `ExecStopPost=` of a runner with a private engine: shows the engine those parts of the runner's container that both need, and takes them away.
//!
//! The engine starts later, when a workflow first speaks to its socket: [`attach`] has to be done before the runner takes a workflow job, so the entrypoint waits for the
//! file `ready`.

use std::io;
use std::path::{Path, PathBuf};

use super::await_online::{AwaitError, await_container};
use crate::control_group;
use crate::files::{self, FileError};
use crate::fleet::{IdRange, RunnerPaths, names};
use crate::mounts::{self, MountError};
use crate::programs;

/// What `attach-engine` is told on its command line.
#[derive(Debug)]
pub struct AttachEngine {
    /// Number of the runner.
    pub runner: u16,
    /// The runner's directories.
    pub paths: RunnerPaths,
    /// Its ids.
    pub ids: IdRange,
    /// Where the image has the runner's Node.
    pub externals: PathBuf,
    /// Images that all engines may read: a store of Podman's; made where there is none.
    pub images: PathBuf,
}

/// Why the engine was not attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// There is no container to attach to.
    #[error(transparent)]
    NotStarted(#[from] AwaitError),
    /// No process of the container was found.
    #[error("the container of runner {0} has no process")]
    NoContainer(u16),
    /// The control group could not be read.
    #[error("cannot read the control group of runner {runner}: {source}")]
    ControlGroup {
        /// Number of the runner.
        runner: u16,
        /// The kernel's words.
        source: io::Error,
    },
    /// A mount.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Makes the view, as soon as the container runs; `main_process` is systemd's `$MAINPID`. Returns what the journal should say: shared images that cannot be mounted stop nothing.
///
/// # Errors
/// The container ended, or the host does not let us mount.
pub fn attach(step: &AttachEngine, main_process: Option<i32>) -> Result<Option<String>, AttachError> {
    let paths = &step.paths;
    // With Docker the main process is a client, which starts before the container does.
    await_container(paths, main_process)?;
    let failed = |source| AttachError::ControlGroup { runner: step.runner, source };
    let slice = control_group::enclosing(&names::slice(step.runner)).map_err(failed)?;
    let engine = names::engine_service(step.runner);
    let process = control_group::container_init(&slice, &engine)
        .map_err(failed)?
        .ok_or(AttachError::NoContainer(step.runner))?;
    detach(paths)?;
    for directory in ["root", "externals"] {
        files::make_directory(&paths.view(directory), 0o755)?;
    }
    make_image_store(&step.images)?;
    make_image_store(&paths.view("images"))?;
    mounts::make_private(&paths.view)?;
    for file in ["resolv.conf", "hosts"] {
        files::write(&paths.view(file), b"", 0o644)?;
    }
    mounts::network_namespace(process, &paths.view("network"))?;
    mounts::from_process(
        process,
        &[
            (&step.externals, &paths.view("externals")),
            (Path::new("/etc/resolv.conf"), &paths.view("resolv.conf")),
            (Path::new("/etc/hosts"), &paths.view("hosts")),
        ],
    )?;
    let said = shared_images(step);
    files::write(&paths.engine_ready(), b"", 0o644)?;
    Ok(said)
}

/// An empty store, containers-storage(1): an engine that only reads it does not start without these.
fn make_image_store(store: &Path) -> Result<(), FileError> {
    files::make_directory(store, 0o755)?;
    files::make_directory(&store.join("overlay"), 0o755)?;
    for kind in ["images", "layers"] {
        let lock = store.join(format!("overlay-{kind}/{kind}.lock"));
        if !files::exists(&lock) {
            files::make_directory(&store.join(format!("overlay-{kind}")), 0o755)?;
            files::write(&lock, b"", 0o644)?;
        }
    }
    Ok(())
}

fn shared_images(step: &AttachEngine) -> Option<String> {
    let mounted = programs::mount_for_engine(&step.images, &step.paths.view("images"), step.ids);
    mounted.err().map(|error| format!("runner {} has no shared images: {error}", step.runner))
}

/// From here on the engine cannot be started.
fn detach(paths: &RunnerPaths) -> Result<(), AttachError> {
    files::remove(&paths.engine_ready())?;
    mounts::remove_below(&paths.view)?;
    Ok(())
}

/// The container has ended: what was mounted for it goes as well.
///
/// # Errors
/// A file or mount could not be removed.
pub fn release(paths: &RunnerPaths) -> Result<(), AttachError> {
    detach(paths)?;
    Ok(mounts::remove_below(&paths.reports)?)
}
