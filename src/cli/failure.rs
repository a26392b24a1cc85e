//! What ends a command early: cause and next step, from whichever part it came.

use crate::apply;
use crate::files::{FileError, SecretFileError};
use crate::fleet::plan::{ForeignAccounts, ForeignFiles};
use crate::programs::{DecryptError, ProgramError};
use crate::systemd;
use crate::unit_step::PrepareError;

/// One or more errors, each with its hint.
#[derive(Debug)]
pub(super) struct Failure {
    /// What happened.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }

    /// An error that was told already, line by line.
    pub(super) fn told() -> Self {
        Self { message: String::new(), hint: None }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

impl From<SecretFileError> for Failure {
    fn from(error: SecretFileError) -> Self {
        Self { message: error.to_string(), hint: Some(error.hint()) }
    }
}

impl From<systemd::Error> for Failure {
    fn from(error: systemd::Error) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

impl From<apply::Error> for Failure {
    fn from(error: apply::Error) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self { message: error.to_string(), hint: None }
    }
}

impl From<DecryptError> for Failure {
    fn from(error: DecryptError) -> Self {
        Self { message: error.to_string(), hint: Some(error.hint()) }
    }
}

impl From<crate::github::Error> for Failure {
    fn from(error: crate::github::Error) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        let hint = if let PrepareError::File(error) = &error { error.hint() } else { None };
        Self { message: error.to_string(), hint }
    }
}

impl From<ForeignAccounts> for Failure {
    fn from(error: ForeignAccounts) -> Self {
        Self::new(
            error.to_string(),
            "rename or remove it (nothing was changed), or set socket = \"host\" or \"none\", then run this again",
        )
    }
}

impl From<ForeignFiles> for Failure {
    fn from(error: ForeignFiles) -> Self {
        Self::new(
            error.to_string(),
            "move it away (nothing was changed), then run this again; what NixOS put there is changed in its configuration alone",
        )
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { message: error.to_string(), hint: None }
    }
}
