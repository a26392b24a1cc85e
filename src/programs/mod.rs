//! The edge to other programs: the only place that starts a process.
//!
//! Podman, Docker, Podman's Quadlet generator, journalctl, mount(8) and the programs that keep accounts; everything else is spoken to directly.

mod accounts;
mod containers;
mod idmap;
mod networks;
mod quadlet;

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use accounts::{add_account, remove_account};
pub use containers::{Health, health};
pub use idmap::mount_for_engine;
pub use networks::remove_network;
pub use quadlet::{generator, refuses};

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
}

/// So much of a program's complaint is shown.
const STDERR_BYTES: usize = 2000;

/// Runs `command` to its end and returns its output.
fn output(mut command: Command) -> Result<String, ProgramError> {
    let program = PathBuf::from(command.get_program());
    let output =
        command.output().map_err(|source| ProgramError::Start { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let start = output.stderr.len().saturating_sub(STDERR_BYTES);
    let stderr = String::from_utf8_lossy(output.stderr.get(start..).unwrap_or_default()).trim().to_owned();
    Err(ProgramError::Failed { program, status: output.status.to_string(), stderr })
}

/// The first program of that name in `$PATH`, else in the usual places (a service's or sudo's `$PATH` may be short).
#[must_use]
pub fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let usual = ["/usr/local/bin", "/usr/bin", "/bin", "/run/current-system/sw/bin"].map(PathBuf::from);
    let listed = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    listed.into_iter().chain(usual).map(|directory| directory.join(name)).find(|program| program.is_file())
}

/// Becomes `journalctl` for these units; returns only if that fails.
#[must_use]
pub fn become_journalctl(journalctl: &Path, arguments: &[String]) -> ProgramError {
    let source = Command::new(journalctl).args(arguments).exec();
    ProgramError::Start { program: journalctl.to_owned(), source }
}
