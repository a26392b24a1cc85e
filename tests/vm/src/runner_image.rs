//! The stand-in for GitHub's runner image: its Debian base is part of the disk, the runner's programs on top change with the code and are added when
//! a test starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::guest::require_success;
use crate::{Error, Guest, Output, Result, host};

/// The name under which the stand-in is found: the official image, of the version that the product pins.
pub const RUNNER_IMAGE: &str = "ghcr.io/actions/actions-runner:2.338.0";

/// For adding the programs; about five seconds under emulation on a quiet host.
const COMMIT_LIMIT: Duration = Duration::from_secs(180);

/// A container engine in the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Podman, as root.
    Podman,
    /// Docker; its daemon does not run until something starts it.
    Docker,
}

impl Engine {
    /// The name of the engine's command.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }
}

/// The runner's programs, to be laid out below `/home/runner`.
#[derive(Debug, Clone)]
pub struct RunnerPrograms {
    /// A directory with `config.sh`, `run.sh` and what else belongs there.
    pub root: PathBuf,
    /// Becomes `bin/Runner.Listener`, if not in `root` already.
    pub listener: Option<PathBuf>,
    /// Becomes `bin/Runner.Worker`, if not in `root` already.
    pub worker: Option<PathBuf>,
}

impl RunnerPrograms {
    /// Scripts that only look like a runner, for tests of the harness itself.
    #[must_use]
    pub fn placeholder() -> Self {
        Self { root: host::scripts().join("placeholder"), listener: None, worker: None }
    }

    /// Lays everything out as in the official image.
    fn assemble(&self, directory: &Path) -> Result<()> {
        run("cp", Command::new("cp").arg("-rL").arg(self.root.join(".")).arg(directory))?;
        for folder in ["bin", "externals"] {
            let path = directory.join(folder);
            fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
        }
        for (program, name) in [(&self.listener, "Runner.Listener"), (&self.worker, "Runner.Worker")] {
            if let Some(program) = program {
                let target = directory.join("bin").join(name);
                host::copy_stripped(program, &target)?;
            }
        }
        Ok(())
    }
}

impl Guest {
    /// Puts the runner's programs on top of the base and tags the result [`RUNNER_IMAGE`].
    ///
    /// # Errors
    /// The programs cannot be read, or the engine fails.
    pub fn add_runner_image(&self, programs: &RunnerPrograms, engine: Engine) -> Result<()> {
        let temporary = std::env::temp_dir();
        let staged = tempfile::tempdir().map_err(Error::file("create a directory in", &temporary))?;
        programs.assemble(staged.path())?;
        self.copy_in(staged.path(), "/var/tmp/runner-programs")?;
        self.copy_in(&host::scripts().join("runner-image.sh"), "/var/tmp/runner-image.sh")?;
        let engine = engine.command();
        self.ok_within(
            &format!(
                "bash /var/tmp/runner-image.sh {engine} {RUNNER_IMAGE} /var/tmp/runner-programs && rm -r /var/tmp/runner-*"
            ),
            COMMIT_LIMIT,
        )?;
        Ok(())
    }
}

fn run(name: &str, command: &mut Command) -> Result<()> {
    let output = Output::from(command.output().map_err(Error::start(name))?);
    require_success(name, output)?;
    Ok(())
}
