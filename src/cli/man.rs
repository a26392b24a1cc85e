//! `runnerctl man`

use clap::CommandFactory;

use super::exit::Exit;
use super::failure::Failure;
use super::output;

pub(super) fn run() -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(super::Cli::command()).render(&mut page)?;
    output::data(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
