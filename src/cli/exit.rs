//! Exit codes.

use std::process::{ExitCode, Termination};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: asked, and the answer is no; or not everything could be done.
    No,
    /// 2: wrong usage, or an unexpected error.
    Error,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Error => 2,
        })
    }
}
