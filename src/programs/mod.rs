//! The edge to other programs: the only place that starts a process.
//!
//! Podman, Docker, Podman's Quadlet generator, journalctl, systemd-creds, mount(8), the programs that keep accounts, unshare for a trial, and the user's own command for
//! notifications; everything else is spoken to directly.

mod accounts;
mod credentials;
mod hook;
mod idmap;
mod images;
mod networks;
mod probe;
mod quadlet;
mod runner_images;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

pub use accounts::{add_account, add_system_account, remove_account};
pub use credentials::{DecryptError, decrypt_credential};
pub use hook::run_hook;
pub use idmap::{mount_as_it_is, mount_for_container, mount_for_engine};
pub use images::{UnusedImage, remove_image, unused_images};
pub use networks::{NETWORKS, make_network, remove_network};
pub use probe::{NamespaceProbe, user_namespace, version};
pub use quadlet::{generator, generator_below, refuses};
pub use runner_images::{RunnerImage, container_images, image_of_container, pull, runner_images, tag};

/// A program that could not be run, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// Not there, or not to be started.
    #[error("cannot run {}: {source}", program.display())]
    Start {
        /// Its path.
        program: PathBuf,
        /// The kernel's words.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("{} failed ({status}): {stderr}", program.display())]
    Failed {
        /// Its path.
        program: PathBuf,
        /// Exit code or signal.
        status: String,
        /// The end of what it said.
        stderr: String,
    },
    /// It was ended after a time.
    #[error("{} did not end within {limit:?}", program.display())]
    TimedOut {
        /// Its path.
        program: PathBuf,
        /// How long it had.
        limit: Duration,
    },
    /// Its output is not what it should be.
    #[error("cannot understand the output of {}: {source}", program.display())]
    Words {
        /// Its path.
        program: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// So much of a program's complaint is shown.
const STDERR_BYTES: usize = 2000;

/// Runs `command` to its end and returns its output.
fn output(mut command: Command) -> Result<String, ProgramError> {
    let program = PathBuf::from(command.get_program());
    let output =
        command.output().map_err(|source| ProgramError::Start { program: program.clone(), source })?;
    stdout_of(program, &output)
}

/// The same for a program that nobody should have to wait for: it is killed when the time is up.
async fn output_within(mut command: Command, limit: Duration) -> Result<String, ProgramError> {
    let program = PathBuf::from(command.get_program());
    command.stdin(Stdio::null());
    let running = tokio::process::Command::from(command).kill_on_drop(true).output();
    match tokio::time::timeout(limit, running).await {
        Ok(Ok(output)) => stdout_of(program, &output),
        Ok(Err(source)) => Err(ProgramError::Start { program, source }),
        Err(_) => Err(ProgramError::TimedOut { program, limit }),
    }
}

fn stdout_of(program: PathBuf, output: &Output) -> Result<String, ProgramError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let start = output.stderr.len().saturating_sub(STDERR_BYTES);
    let stderr = String::from_utf8_lossy(output.stderr.get(start..).unwrap_or_default()).trim().to_owned();
    Err(ProgramError::Failed { program, status: output.status.to_string(), stderr })
}

/// Where a program of that name may be: in `$PATH`, else in the usual places (a service's, sudo's or a user's `$PATH` may be short).
pub fn places(name: &str, path: Option<&OsStr>) -> impl Iterator<Item = PathBuf> {
    let usual = [
        "/usr/local/bin",
        "/usr/bin",
        "/bin",
        "/usr/sbin",
        "/sbin",
        "/run/wrappers/bin",
        "/run/current-system/sw/bin",
    ];
    let listed = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    listed.into_iter().chain(usual.map(PathBuf::from)).map(move |directory| directory.join(name))
}

/// The first program of that name in one of its [`places`].
#[must_use]
pub fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    places(name, path).find(|program| program.is_file())
}

/// Becomes the same command in the user namespace of rootless Podman, where the ids of its containers are the user's
/// (podman-unshare(1)); returns only if that fails.
#[must_use]
pub fn become_unshared(podman: &Path, program: &Path, arguments: &[OsString]) -> ProgramError {
    let source = unshared(podman, program, arguments).exec();
    ProgramError::Start { program: podman.to_owned(), source }
}

/// Runs `program` there, waits for its end and returns its output.
///
/// # Errors
/// It cannot be started, or fails.
pub fn run_unshared(podman: &Path, program: &Path, arguments: &[OsString]) -> Result<String, ProgramError> {
    output(unshared(podman, program, arguments))
}

fn unshared(podman: &Path, program: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new(podman);
    command.arg("unshare").arg(program).args(arguments);
    command
}

/// Becomes `journalctl` for these units; returns only if that fails.
#[must_use]
pub fn become_journalctl(journalctl: &Path, arguments: &[String]) -> ProgramError {
    let source = Command::new(journalctl).args(arguments).exec();
    ProgramError::Start { program: journalctl.to_owned(), source }
}
