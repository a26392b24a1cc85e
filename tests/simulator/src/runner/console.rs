//! What the runner prints, and its log below `_diag`, which can be asked to show up on the standard output too.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// The log of one process below `_diag`.
#[derive(Debug)]
pub(crate) struct Diagnostics {
    file: Mutex<File>,
    /// Printed before each line on the standard output, when that is wanted.
    echo: Option<&'static str>,
}

impl Diagnostics {
    /// Opens `_diag/<program>_<start>-utc.log`.
    pub(crate) fn open(root: &Path, program: &'static str, echoes: bool) -> io::Result<Self> {
        let directory = root.join("_diag");
        std::fs::create_dir_all(&directory)?;
        let start = Timestamp::now().strftime("%Y%m%d-%H%M%S");
        let path = directory.join(format!("{program}_{start}-utc.log"));
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let echo = if program == "Runner" { "RUNNER" } else { "WORKER" };
        Ok(Self { file: Mutex::new(file), echo: echoes.then_some(echo) })
    }

    pub(crate) fn note(&self, source: &str, text: &str) {
        let line = format!("{} INFO {source}] {text}", stamp());
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut *file, &format!("[{line}"));
        if let Some(echo) = self.echo {
            write(&mut io::stdout(), &format!("[{echo} {line}"));
        }
    }
}

/// Standard output and error; everything printed is logged as well.
#[derive(Debug)]
pub(crate) struct Console {
    pub(crate) diagnostics: Diagnostics,
}

impl Console {
    pub(crate) fn write_line(&self, text: &str) {
        self.diagnostics.note("Terminal", &format!("WRITE LINE: {text}"));
        write(&mut io::stdout(), text);
    }

    pub(crate) fn write_error(&self, text: &str) {
        self.diagnostics.note("Terminal", &format!("WRITE ERROR: {text}"));
        write(&mut io::stderr(), text);
    }

    pub(crate) fn write_success(&self, text: &str) {
        self.write_line(&format!("√ {text}"));
    }

    pub(crate) fn write_section(&self, title: &str) {
        self.write_line("");
        self.write_line(&format!("# {title}"));
        self.write_line("");
    }

    /// A line with the time before it, as most lines of `run` have.
    pub(crate) fn write_timed_line(&self, text: &str) {
        self.write_line(&format!("{}: {text}", stamp()));
    }

    pub(crate) fn write_timed_error(&self, text: &str) {
        self.write_error(&format!("{}: {text}", stamp()));
    }
}

/// `2026-11-23 16:29:56Z`
fn stamp() -> String {
    Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Writes one line; a reader that went away is no reason to stop working.
fn write(target: &mut impl Write, text: &str) {
    drop(writeln!(target, "{text}").and_then(|()| target.flush()));
}
