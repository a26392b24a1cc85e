//! Ephemeral runners that GitHub was asked for: what is noted of them on the disk, and how they end at GitHub.

use std::path::Path;

use super::registrations;
use crate::files::{self, FileError};
use crate::github::{self, Client, Removal};
use crate::runner::{Agent, Note, Notes};

/// Reads what is noted in the file at `path`; nothing where there is none.
///
/// # Errors
/// It could not be read.
pub fn read(path: &Path) -> Result<Notes, FileError> {
    Ok(Notes::of_text(&files::read(path)?.unwrap_or_default()))
}

/// Writes it down; a file that nothing is in goes.
///
/// # Errors
/// It could not be written.
pub fn write(path: &Path, notes: &Notes) -> Result<(), FileError> {
    if notes.0.is_empty() {
        files::remove(path)
    } else {
        files::write(path, notes.to_text().as_bytes(), 0o600)
    }
}

/// Ends a runner at GitHub that may be there. `None` where its id is somebody else's.
///
/// # Errors
/// GitHub could not be asked.
pub async fn end(github: &Client, note: &Note) -> Result<Option<Removal>, github::Error> {
    let id = match note.id {
        Some(id) => Some(id),
        // The answer was lost. The name was made for it alone, so no other host has one of that name.
        None => github
            .runners()
            .await?
            .into_iter()
            .find(|runner| runner.ephemeral && runner.name == note.name)
            .map(|runner| runner.id),
    };
    match id {
        Some(id) => registrations::end(github, &Agent { id, name: note.name.clone() }).await,
        None => Ok(Some(Removal::AlreadyGone)),
    }
}

/// Ends all of them; returns those that stay, because a workflow job runs on them or GitHub cannot be asked.
pub async fn end_all(github: &Client, notes: &Notes) -> Notes {
    let ended = futures_util::future::join_all(notes.0.iter().map(|note| end(github, note))).await;
    let stays = |(note, ended): (&Note, Result<Option<Removal>, github::Error>)| {
        matches!(ended, Ok(Some(Removal::Busy)) | Err(_)).then(|| note.clone())
    };
    Notes(notes.0.iter().zip(ended).filter_map(stays).collect())
}
