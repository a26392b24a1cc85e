//! The `runnerctl` that was built with this program, and configs for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use homelab_runners_vm::{Error, Result};
use tempfile::TempDir;

/// The program, and a directory for its files that goes when this is dropped.
pub(crate) struct Runnerctl {
    program: PathBuf,
    directory: TempDir,
}

impl Runnerctl {
    /// Finds the program beside this one.
    pub(crate) fn built() -> Result<Self> {
        let this = std::env::current_exe()
            .map_err(|source| Error::Start { program: "this program".to_owned(), source })?;
        let program = this.with_file_name("runnerctl");
        if !program.is_file() {
            return Err(Error::NotBuilt { program: "runnerctl" });
        }
        let directory = temporary_directory(&std::env::temp_dir())?;
        Ok(Self { program, directory })
    }

    /// A place for files.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// `runnerctl` with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    /// `runnerctl generate` of plain services for so many runners, to standard output.
    pub(crate) fn generate(&self, runners: u16) -> Result<Command> {
        let config = self.directory().join(format!("{runners}.toml"));
        let text = format!(
            "url = \"https://github.com/acme/shop\"\nlabels = [\"homelab\"]\ncount = {runners}\n\
             [limits]\ncpu_quota = \"200%\"\nmemory_max = \"4G\"\n"
        );
        std::fs::write(&config, text).map_err(|source| Error::File {
            action: "write",
            path: config.clone(),
            source,
        })?;
        let mut command = self.command(&["generate", "--format", "service", "--config"]);
        command.arg(config);
        Ok(command)
    }
}

/// A new directory that goes when it is dropped.
pub(crate) fn temporary_directory(place: &Path) -> Result<TempDir> {
    tempfile::tempdir_in(place).map_err(|source| Error::File {
        action: "create a directory in",
        path: place.to_owned(),
        source,
    })
}
