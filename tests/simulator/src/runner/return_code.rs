//! Exit codes of `Runner.Listener`, as its `Constants.Runner.ReturnCode` names them.

use std::process::ExitCode;

/// How the listener ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReturnCode {
    Success = 0,
    TerminatedError = 1,
    RetryableError = 2,
    SessionConflict = 5,
    RunnerVersionDeprecated = 7,
    /// SIGTERM, as the platform reports it: 128 + 15.
    Terminated = 143,
}

impl From<ReturnCode> for ExitCode {
    fn from(code: ReturnCode) -> Self {
        Self::from(code as u8)
    }
}
