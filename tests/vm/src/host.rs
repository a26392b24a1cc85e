//! The programs this host must have, and the scripts that come with this crate.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, Output, Result};

/// The scripts and files of `tests/vm/guest/`.
#[must_use]
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guest")
}

/// Installs what is missing on this host, or says what is.
///
/// # Errors
/// Another processor than x86-64, or packages that cannot be installed.
pub fn require_programs() -> Result<()> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(Error::Unsupported(format!(
            "the guest is built for x86-64, this host is {}",
            std::env::consts::ARCH
        )));
    }
    let script = scripts().join("packages.sh");
    run_visibly("installing the programs for the guest", Command::new("bash").arg(script))
}

/// Runs a program of this host whose progress the user shall see, on standard error.
pub(crate) fn run_visibly(what: &str, command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::start(&program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Host { what: what.to_owned(), output: Output::from(output) })
}

/// The program act, which runs workflow files on a Docker host; fetched once.
///
/// # Errors
/// It cannot be installed.
pub fn act() -> Result<PathBuf> {
    let script = scripts().join("act.sh");
    let output =
        Command::new("bash").arg(script).stdin(Stdio::null()).output().map_err(Error::start("bash"))?;
    if output.status.success() {
        return Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()));
    }
    Err(Error::Host { what: "installing act".to_owned(), output: Output::from(output) })
}

/// Copies a program without its debug information: that is most of a development build, and every byte is decrypted under emulation.
///
/// # Errors
/// The program cannot be copied.
pub fn copy_stripped(program: &Path, target: &Path) -> Result<()> {
    let stripped = Command::new("strip").arg("-o").arg(target).arg(program).output();
    if !stripped.is_ok_and(|output| output.status.success()) {
        std::fs::copy(program, target).map_err(Error::file("copy", program))?;
    }
    Ok(())
}
