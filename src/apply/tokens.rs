//! Another registration token in the `.env`.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::config::{RegistrationToken, TokenError, Tokens, with_token};
use crate::files::{self, FileError, SecretFileError};

/// Why it is not written; nothing was changed then. Never holds any of the file's content.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// A link: what made it would make it again.
    #[error("{} is a link, so somebody else writes it", .0.display())]
    Link(PathBuf),
    /// The file cannot be trusted, or not be read.
    #[error(transparent)]
    Unreadable(#[from] SecretFileError),
    /// What is wrong in it, or would be.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Content(Vec<TokenError>),
    /// It could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes `token` as that of runner `number` into the `.env` at `path`, which keeps every other byte, and is made where there is none (mode 0600). Call it with the
/// fleet's lock held. Where tokens are not `shared`, one that another runner has is refused.
///
/// # Errors
/// Why it is not written.
pub fn write_token(
    path: &Path,
    number: u16,
    token: &RegistrationToken,
    shared: bool,
) -> Result<(), TokensError> {
    if files::is_link(path) {
        return Err(TokensError::Link(path.to_owned()));
    }
    let old = match files::read_tokens(path) {
        Ok(text) => text,
        Err(SecretFileError::Missing { .. }) => SecretString::from(""),
        Err(error) => return Err(error.into()),
    };
    let new = with_token(old.expose_secret(), number, token).map_err(TokensError::Content)?;
    if !shared {
        let tokens = Tokens::parse(new.expose_secret()).map_err(TokensError::Content)?;
        let mut wrong = tokens.shared(u16::MAX);
        wrong.retain(|error| error.concerns(number));
        if !wrong.is_empty() {
            return Err(TokensError::Content(wrong));
        }
    }
    if let Some(directory) = path.parent() {
        // A run that was killed may have left a token there.
        files::sweep(directory)?;
    }
    Ok(files::write(path, new.expose_secret().as_bytes(), 0o600)?)
}
