//! Files into and out of the guest.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::guest::require_success;
use crate::ssh::{Streams, quoted};
use crate::{Error, Guest, Output, Result};

/// For a copy; ten MB take a second or two under emulation.
const COPY_LIMIT: Duration = Duration::from_secs(300);

impl Guest {
    /// Copies a file, with its permissions, or all that a directory holds to `to` in the guest. Directories above `to` are made.
    ///
    /// # Errors
    /// The source cannot be read, or the guest cannot write.
    pub fn copy_in(&self, from: &Path, to: &str) -> Result<()> {
        let metadata = from.metadata().map_err(Error::file("read", from))?;
        let target = quoted(to);
        if metadata.is_dir() {
            return self.copy_directory_in(from, &target);
        }
        let file = File::open(from).map_err(Error::file("open", from))?;
        let mode = metadata.permissions().mode() & 0o7777;
        // Renamed into place: a program that runs under this name can be replaced.
        let command = format!(
            "set -e; mkdir -p \"$(dirname {target})\"; cat >{target}.new; chmod {mode:o} {target}.new; mv -f {target}.new {target}"
        );
        require_success(&command, self.run_with(&command, COPY_LIMIT, Streams::from(file))?)?;
        Ok(())
    }

    /// Writes text to a file in the guest, readable by root only (chmod it for others).
    ///
    /// # Errors
    /// The guest cannot write.
    pub fn write(&self, to: &str, text: &str) -> Result<()> {
        let temporary = std::env::temp_dir();
        let file = tempfile::NamedTempFile::new().map_err(Error::file("create a file in", &temporary))?;
        std::fs::write(file.path(), text).map_err(Error::file("write", file.path()))?;
        self.copy_in(file.path(), to)
    }

    /// Copies a file or a directory of the guest to `to`, which must not exist as the other kind.
    ///
    /// # Errors
    /// The source is missing, or `to` cannot be written.
    pub fn copy_out(&self, from: &str, to: &Path) -> Result<()> {
        let source = quoted(from);
        if self.ok(&format!("if [ -d {source} ]; then echo directory; fi"))?.is_empty() {
            let file = File::create(to).map_err(Error::file("create", to))?;
            let command = format!("cat {source}");
            require_success(&command, self.run_with(&command, COPY_LIMIT, Streams::into_file(file))?)?;
            return Ok(());
        }
        std::fs::create_dir_all(to).map_err(Error::file("create", to))?;
        let archive = tempfile::NamedTempFile::new_in(to).map_err(Error::file("create a file in", to))?;
        let file = archive.reopen().map_err(Error::file("open", archive.path()))?;
        let command = format!("tar -C {source} -cf - .");
        require_success(&command, self.run_with(&command, COPY_LIMIT, Streams::into_file(file))?)?;
        let unpacked = Command::new("tar").arg("-C").arg(to).arg("-xf").arg(archive.path()).output();
        let output = Output::from(unpacked.map_err(Error::start("tar"))?);
        require_success("tar -xf", output)?;
        Ok(())
    }

    fn copy_directory_in(&self, from: &Path, target: &str) -> Result<()> {
        // Owners are root's in the guest, whoever ran this.
        let mut tar = Command::new("tar")
            .args(["--owner=0", "--group=0", "--numeric-owner", "-cf", "-", "-C"])
            .arg(from)
            .arg(".")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::start("tar"))?;
        let pipe = tar.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let command = format!("mkdir -p {target} && tar -C {target} -xf -");
        let output = self.run_with(&command, COPY_LIMIT, Streams::from(pipe));
        let status = tar.wait().map_err(Error::start("tar"))?;
        require_success(&command, output?)?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Unsupported(format!("tar could not read all of {}", from.display())))
    }
}
