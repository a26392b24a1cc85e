//! What a finished command left behind.

use std::fmt;
use std::process;

/// Exit code and text of a finished command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit code; 124 when the time limit ended the command, 255 when ssh itself failed.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Whether the command exited with 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code == 0
    }
}

impl From<process::Output> for Output {
    fn from(output: process::Output) -> Self {
        Self {
            // A program killed by a signal has no code; shells say 128 + signal, and no test needs to know which.
            code: output.status.code().unwrap_or(128),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.trim().is_empty() {
                write!(f, "\n--- {name}\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}
