//! `runnerctl schema`

use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::config;

pub(super) fn run() -> Result<Exit, Failure> {
    output::json(&config::schema())?;
    Ok(Exit::Done)
}
