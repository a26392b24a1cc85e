//! Files that hold secrets are read only if nobody else can.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// More than any `.env` of tokens or private key has.
const LARGEST_BYTES: u64 = 1 << 20;

/// What a file of secrets is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// The `.env` of registration tokens.
    Tokens,
    /// A registration token and nothing else.
    Token,
    /// A personal access token, or the private key of a GitHub App.
    Credential,
}

/// Why a file of secrets is not read. Never holds any of its content.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// There is none.
    #[error("{path} does not exist", path = path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// What should be in it.
        kind: SecretKind,
    },
    /// A directory, device or pipe.
    #[error("{path} is not a regular file", path = path.display())]
    NotRegular {
        /// What is no file.
        path: PathBuf,
        /// What should be in it.
        kind: SecretKind,
    },
    /// Group or others may read or write it.
    #[error("{path} is open to other users (mode {mode:04o})", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user, who could change it.
    #[error("{path} belongs to another user (uid {owner})", path = path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Too large, or no UTF-8.
    #[error("{path} is not a text file{}", if *kind == SecretKind::Tokens { " of tokens" } else { "" }, path = path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        kind: SecretKind,
    },
    /// The kernel refused.
    #[error("cannot read {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
}

impl SecretFileError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { path, kind: SecretKind::Tokens } => format!(
                "write RUNNER_TOKEN_1=… and so on into {} (mode 0600), or run `runnerctl init`",
                path.display()
            ),
            Self::Missing { path, kind: SecretKind::Token } => {
                format!(
                    "put the registration token into {} (mode 0600), or type it when asked",
                    path.display()
                )
            }
            Self::Missing { path, kind: SecretKind::Credential } => format!(
                "put the personal access token, or the App's private key, into {} (mode 0600)",
                path.display()
            ),
            Self::Open { path, .. } => format!("chmod 600 {}", path.display()),
            Self::Owner { path, .. } => format!("make it yours: chown \"$(id -u)\": {}", path.display()),
            Self::NotRegular { kind, .. } | Self::NotText { kind, .. } => match kind {
                SecretKind::Tokens => "name a text file with RUNNER_TOKEN_n=… lines".to_owned(),
                SecretKind::Token => {
                    "name a text file with the token alone, or pipe the token in without --token-file"
                        .to_owned()
                }
                SecretKind::Credential => {
                    "name a text file with the personal access token, or with the App's private key in PEM"
                        .to_owned()
                }
            },
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root (sudo)".to_owned()
            }
            Self::Io { .. } => "see that the file can be read".to_owned(),
        }
    }
}

/// Reads the `.env` of tokens, as [`read_secret`] does.
///
/// # Errors
/// Why it is not read.
pub fn read_tokens(path: &Path) -> Result<SecretString, SecretFileError> {
    read_secret(path, SecretKind::Tokens)
}

/// Reads a credential that systemd has loaded for this unit, systemd.exec(5). Its mode is not looked at: systemd lets the unit's user in by an access control list, which looks like
/// the mode of a group.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read_loaded(path: &Path, kind: SecretKind) -> Result<SecretString, SecretFileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(SecretString::from(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(SecretFileError::Missing { path: path.to_owned(), kind })
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(SecretFileError::NotText { path: path.to_owned(), kind })
        }
        Err(source) => Err(SecretFileError::Io { path: path.to_owned(), source }),
    }
}

/// Reads a file of secrets. A link is followed (secret managers make them); what it leads to has to be a regular file that
/// belongs to this user or root and is closed to everybody else.
///
/// # Errors
/// Why it is not read.
pub fn read_secret(path: &Path, kind: SecretKind) -> Result<SecretString, SecretFileError> {
    let path_buf = || path.to_owned();
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => SecretFileError::Missing { path: path_buf(), kind },
        _ => SecretFileError::Io { path: path_buf(), source },
    };
    // O_NONBLOCK: opening a pipe must not wait for its writer.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(SecretFileError::NotRegular { path: path_buf(), kind });
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(SecretFileError::Open { path: path_buf(), mode: metadata.mode() & 0o7777 });
    }
    if metadata.uid() != 0 && metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(SecretFileError::Owner { path: path_buf(), owner: metadata.uid() });
    }
    if metadata.len() > LARGEST_BYTES {
        return Err(SecretFileError::NotText { path: path_buf(), kind });
    }
    let mut text = String::new();
    let read = file.take(LARGEST_BYTES).read_to_string(&mut text);
    let text = SecretString::from(text);
    match read {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(SecretFileError::NotText { path: path_buf(), kind })
        }
        Err(error) => Err(io(error)),
    }
}
