//! The guest's disk: built by `guest/disk/disk.sh`, prepared in a first boot, then kept in the cache and never written to again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::accelerator::Accelerator;
use crate::cache::{self, Lock};
use crate::guest::require_success;
use crate::ssh::Streams;
use crate::{BootOptions, Error, Guest, Result, host};

/// For importing the images into both engines; about a minute under emulation on a quiet host.
const PREPARE_LIMIT: Duration = Duration::from_secs(600);

/// A disk with its kernel and key, in the cache.
#[derive(Debug, Clone)]
pub struct Disk {
    directory: PathBuf,
    accelerator: Accelerator,
}

impl Disk {
    /// The disk of this checkout, built and prepared first if need be.
    ///
    /// # Errors
    /// Missing programs, or any step of building that fails.
    pub fn ready(progress: fn(&str)) -> Result<Self> {
        host::require_programs()?;
        let cache = cache::directory()?;
        let key = cache::key()?;
        let _lock = Lock::take(&cache)?;
        let directory = cache.join(&key);
        if !directory.exists() {
            Self::build(&cache, &directory, progress)?;
        }
        cache::remove_unused_keys(&cache, &key)?;
        Self::at(&cache, directory)
    }

    fn at(cache: &Path, directory: PathBuf) -> Result<Self> {
        let disk = Self { directory, accelerator: Accelerator::Emulation };
        let accelerator = Accelerator::of_this_host(cache, &disk.kernel(), &disk.image())?;
        Ok(Self { accelerator, ..disk })
    }

    fn build(cache: &Path, directory: &Path, progress: fn(&str)) -> Result<()> {
        // Renamed at the very end: a directory under the key's own name is always complete.
        let partial = directory.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(Error::file("remove", &partial))?;
        }
        fs::create_dir_all(&partial).map_err(Error::file("create", &partial))?;

        progress("building the guest's disk; this is done once and takes a few minutes");
        let start = Instant::now();
        let script = host::scripts().join("disk/disk.sh");
        host::run_visibly("building the guest's disk", Command::new("bash").arg(script).arg(&partial))?;
        progress(&format!("built in {} s; preparing it in a first boot", start.elapsed().as_secs()));

        let start = Instant::now();
        Self::at(cache, partial.clone())?.prepare(progress)?;
        progress(&format!("prepared in {} s", start.elapsed().as_secs()));
        fs::rename(&partial, directory).map_err(Error::file("rename", &partial))
    }

    fn prepare(&self, progress: fn(&str)) -> Result<()> {
        let guest = Guest::start(self, true, &BootOptions { progress, ..BootOptions::default() })?;
        let script = host::scripts().join("disk/prepare.sh");
        let file = File::open(&script).map_err(Error::file("open", &script))?;
        let output = guest.run_with("bash -s", PREPARE_LIMIT, Streams::from(file))?;
        require_success("prepare.sh", output)?;
        guest.power_off()
    }

    pub(crate) fn kernel(&self) -> PathBuf {
        self.directory.join("vmlinuz")
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.directory.join("disk.img")
    }

    pub(crate) fn ssh_key(&self) -> PathBuf {
        self.directory.join("id")
    }

    pub(crate) fn accelerator(&self) -> Accelerator {
        self.accelerator
    }
}
