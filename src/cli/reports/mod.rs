//! `runnerctl reports`

mod list;
mod prune;
mod serve;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::context::{Context, GlobalArgs};
use super::exit::Exit;
use super::failure::Failure;
use crate::report_files::ReportTree;

/// What can be done with reports.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show the workflow runs that filed reports, newest first
    List(list::Args),
    /// Delete the reports that the config does not let stay
    Prune(prune::Args),
    /// Show the reports to browsers, until it is ended; changes nothing
    Serve(serve::Args),
}

pub(super) fn run(command: &Command, global: &GlobalArgs) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(args, global),
        Command::Prune(args) => prune::run(args, global),
        Command::Serve(args) => serve::run(args, global),
    }
}

/// The reports directory: as `given`, else that of the config.
fn place(given: Option<&PathBuf>, global: &GlobalArgs) -> Result<PathBuf, Failure> {
    if let Some(directory) = given {
        return Ok(directory.clone());
    }
    let context = Context::load(global)?;
    Ok(context.root.at(&context.fleet.layout.reports))
}

fn open(directory: &Path) -> Result<ReportTree, Failure> {
    ReportTree::open(directory).map_err(|error| cannot_read(directory, &error))
}

fn cannot_read(directory: &Path, error: &io::Error) -> Failure {
    let hint = if error.kind() == ErrorKind::PermissionDenied {
        "the report server is a user of its own: let everybody read the directory (chmod o+rx)"
    } else {
        "the first runner that starts makes it; --directory names another one"
    };
    Failure::new(format!("cannot read the reports directory {}: {error}", directory.display()), hint)
}
