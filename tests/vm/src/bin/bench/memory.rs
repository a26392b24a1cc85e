//! The most memory that `runnerctl generate` has resident for 1,000 runners.
//!
//! Printed to a pipe that nobody empties: the text is many times what a pipe holds and is written only when all of it is
//! there, so the process is found waiting at its peak, and the kernel's own high-water mark can be read in peace.

use std::fs;
use std::io::{self, Read};
use std::process::{Child, Stdio};

use homelab_runners_vm::{Error, Output, Result};

use crate::footprint::kib;
use crate::runnerctl::Runnerctl;
use crate::table::Row;

const RUNNERS: u16 = 1000;

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let program = || "runnerctl generate".to_owned();
    let mut child = runnerctl
        .generate(RUNNERS)?
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|source| Error::Start { program: program(), source })?;
    let peak = peak_of_waiting(&mut child);
    let output = child.wait_with_output().map_err(|source| Error::Start { program: program(), source })?;
    if !output.status.success() {
        return Err(Error::Host { what: program(), output: Output::from(output) });
    }
    let kib = peak?;
    Ok(vec![Row::new(
        format!("peak memory of generate, {RUNNERS} runners"),
        format!("{:.1} MiB", f64::from(kib) / 1024.0),
    )])
}

/// The peak in KiB, once the first byte of the output has come.
fn peak_of_waiting(child: &mut Child) -> Result<u32> {
    let path = format!("/proc/{}/status", child.id());
    let failed = |source| Error::File { action: "read the peak in", path: path.clone().into(), source };
    if let Some(stdout) = &mut child.stdout {
        stdout.read_exact(&mut [0]).map_err(failed)?;
    }
    let status = fs::read_to_string(&path).map_err(failed)?;
    kib(&status, "VmHWM:").ok_or_else(|| failed(io::Error::other("no VmHWM")))
}
