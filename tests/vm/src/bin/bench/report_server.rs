//! `runnerctl reports serve` over a tree of its own, as a process.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use homelab_runners_vm::{Error, Result};

use crate::footprint::kib;
use crate::http_client::Connection;
use crate::runnerctl::Runnerctl;

/// Ended when it is dropped.
pub(crate) struct ReportServer {
    child: Child,
    pub(crate) address: String,
}

impl ReportServer {
    /// Returns when it listens.
    pub(crate) fn start(runnerctl: &Runnerctl, directory: &Path) -> Result<Self> {
        let failed = |source| Error::Start { program: "runnerctl reports serve".to_owned(), source };
        let mut command = runnerctl.command(&["reports", "serve", "--listen", "127.0.0.1:0", "--directory"]);
        command.arg(directory).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(stderr) = child.stderr.take() {
            BufReader::new(stderr).read_line(&mut line).map_err(failed)?;
        }
        let address =
            line.trim().rsplit_once("http://").map(|(_, rest)| rest.trim_end_matches('/').to_owned());
        let mut server = Self { child, address: String::new() };
        server.address = address.ok_or_else(|| failed(io::Error::other(line)))?;
        Ok(server)
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::to(&self.address).map_err(asked)
    }

    /// KiB that are resident now.
    pub(crate) fn resident(&self) -> Result<u32> {
        let path = format!("/proc/{}/status", self.child.id());
        let failed = |source| Error::File { action: "read the memory in", path: path.clone().into(), source };
        let status = fs::read_to_string(&path).map_err(failed)?;
        kib(&status, "VmRSS:").ok_or_else(|| failed(io::Error::other("no VmRSS")))
    }
}

impl Drop for ReportServer {
    fn drop(&mut self) {
        // One that ended by itself has been seen in what it answered.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server did not answer.
pub(crate) fn asked(source: io::Error) -> Error {
    Error::Start { program: "a request".to_owned(), source }
}
