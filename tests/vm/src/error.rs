//! What can go wrong with a guest, each with what one needs to see to understand it.

use std::path::PathBuf;
use std::time::Duration;

use crate::Output;

/// Short for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the harness or of a command in the guest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A program of this workspace is not there.
    #[error("{program} is not built beside this program\nhint: cargo build --workspace")]
    NotBuilt {
        /// The program.
        program: &'static str,
    },
    /// A program of this host could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A program of this host failed.
    #[error("{what} failed\n{output}")]
    Host {
        /// What it was for.
        what: String,
        /// What it printed.
        output: Output,
    },
    /// QEMU ended before the guest answered.
    #[error("QEMU ended (exit code {code})\n{log}")]
    MachineEnded {
        /// QEMU's exit code.
        code: String,
        /// QEMU's messages and the end of the guest's console.
        log: String,
    },
    /// A command in the guest did not succeed.
    #[error("in the guest: {command}\n{output}")]
    Command {
        /// The command as given.
        command: String,
        /// Its exit code and what it printed.
        output: Output,
    },
    /// Something that was waited for did not come about.
    #[error("waited {}s in vain: {what}\n{last}", limit.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        limit: Duration,
        /// What was seen last.
        last: String,
    },
    /// The simulator's admin API answered with an error, or not at all.
    #[error("simulator, {request}: {problem}")]
    Simulator {
        /// Method and path.
        request: String,
        /// The status and body, or the network's error.
        problem: String,
    },
    /// This host cannot run the guest at all.
    #[error("{0}")]
    Unsupported(String),
}

impl Error {
    /// Makes an [`Error::File`] from an I/O error.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// Makes an [`Error::Start`] from an I/O error.
    pub(crate) fn start(program: &str) -> impl FnOnce(std::io::Error) -> Self {
        let program = program.to_owned();
        move |source| Self::Start { program, source }
    }
}
