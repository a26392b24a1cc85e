//! `runnerctl completions`

use clap::CommandFactory;

use super::exit::Exit;
use super::failure::Failure;
use super::output;

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose completions
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "runnerctl", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
