//! `runnerctl reports`

mod serve;

use super::context::GlobalArgs;
use super::exit::Exit;
use super::failure::Failure;

/// What can be done with reports.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show the reports to browsers, until it is ended; changes nothing
    Serve(serve::Args),
}

pub(super) fn run(command: &Command, global: &GlobalArgs) -> Result<Exit, Failure> {
    match command {
        Command::Serve(args) => serve::run(args, global),
    }
}
