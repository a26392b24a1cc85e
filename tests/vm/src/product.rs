//! What this workspace builds, put into the guest: runnerctl, the GitHub simulator and the stand-in for the runner.

use std::path::{Path, PathBuf};

use crate::{Engine, Error, Guest, Result, RunnerPrograms, host};

/// Where the simulator stands in for GitHub: the repository that the guest's runners register at.
pub const REPOSITORY: &str = "http://github.localhost/acme/shop";

/// The programs of this workspace, as Cargo built them.
#[derive(Debug, Clone)]
pub struct Product {
    runnerctl: PathBuf,
    simulator: PathBuf,
    programs: RunnerPrograms,
}

impl Product {
    /// Finds the programs beside the one that runs now: they are built by the same `cargo build --workspace`.
    ///
    /// # Errors
    /// One of them was not built.
    pub fn built() -> Result<Self> {
        let this = std::env::current_exe().map_err(Error::start("this program"))?;
        let directory = this.ancestors().skip(1).find(|directory| directory.join("runnerctl").is_file());
        let Some(directory) = directory else { return Err(Error::NotBuilt { program: "runnerctl" }) };
        let built = |name: &'static str| {
            let path = directory.join(name);
            if path.is_file() { Ok(path) } else { Err(Error::NotBuilt { program: name }) }
        };
        Ok(Self {
            runnerctl: built("runnerctl")?,
            simulator: built("github-simulator")?,
            programs: RunnerPrograms {
                root: Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulator/runner-root"),
                listener: Some(built("runner-listener")?),
                worker: Some(built("runner-worker")?),
            },
        })
    }

    /// Adds the stand-in's image to an engine's store.
    ///
    /// # Errors
    /// The engine refuses it.
    pub fn add_image(&self, guest: &Guest, engine: Engine) -> Result<()> {
        guest.add_runner_image(&self.programs, engine)
    }

    /// Puts everything into a fresh guest: runnerctl in `/usr/local/bin`, the simulator running, the image in Podman's store.
    ///
    /// # Errors
    /// Something could not be copied or started.
    pub fn install(&self, guest: &Guest) -> Result<()> {
        let stripped =
            tempfile::tempdir().map_err(Error::file("create a directory in", &std::env::temp_dir()))?;
        let copy = |program: &Path, name: &str| -> Result<PathBuf> {
            let target = stripped.path().join(name);
            host::copy_stripped(program, &target)?;
            Ok(target)
        };
        guest.copy_in(&copy(&self.runnerctl, "runnerctl")?, "/usr/local/bin/runnerctl")?;
        guest.start_simulator(&copy(&self.simulator, "github-simulator")?)?;
        self.add_image(guest, Engine::Podman)
    }
}
