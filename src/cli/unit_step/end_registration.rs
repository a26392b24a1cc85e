//! `runnerctl unit-step end-registration`

use std::path::PathBuf;

use super::{PathArgs, end_noted, github_credential};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::fleet::RunnerPaths;
use crate::unit_step;

/// Options of `unit-step end-registration`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    place: PathArgs,
    #[arg(long)]
    state_dir: PathBuf,
    #[arg(long)]
    github: PathBuf,
    #[arg(long)]
    credential_file: PathBuf,
    #[arg(long)]
    load_credential: bool,
}

pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let runner = args.place.runner;
    let credential = github_credential(&args.credential_file, args.load_credential)?;
    let end = end_noted(args.github, credential);
    let paths = RunnerPaths::new(args.state_dir, args.place.runtime_dir);
    let left = unit_step::end_registration(&paths, &end)?;
    for note in &left.0 {
        let text = format!("runner {runner}: {} is still registered at GitHub", note.name);
        output::warn(
            &text,
            Some("its next start, or `runnerctl gc`, tries again; GitHub itself removes it after a day"),
        );
    }
    Ok(if left.0.is_empty() { Exit::Done } else { Exit::No })
}
