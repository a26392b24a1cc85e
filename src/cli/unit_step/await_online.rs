//! `runnerctl unit-step await-online`

use std::path::PathBuf;
use std::thread;

use super::{PathArgs, main_process};
use crate::cli::context::GlobalArgs;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::unit_step;

/// Options of `unit-step await-online`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    place: PathArgs,
    /// Meanwhile, delete what an ephemeral runner left here
    #[arg(long)]
    trash: Option<PathBuf>,
    /// Meanwhile, note which image this container runs
    #[arg(long, value_name = "NAME", requires = "engine_program")]
    container: Option<String>,
}

pub(super) fn run(args: Args, global: &GlobalArgs) -> Exit {
    let (runner, paths, main_process) = (args.place.runner, args.place.paths(), main_process());
    if let Some(trash) = args.trash {
        unit_step::delete_in_background(&trash);
    }
    let noting = args.container.zip(global.engine_program.clone()).map(|(container, engine)| {
        let paths = paths.clone();
        thread::spawn(move || unit_step::note_image(&engine, &container, &paths, main_process))
    });
    let online = unit_step::await_online(&paths, main_process);
    // It has a limit of its own, and is over long before where the engine answers.
    if let Some(Ok(Err(error))) = noting.map(thread::JoinHandle::join) {
        let hint =
            "until its next start neither the monitor nor `runnerctl status` can tell the age of its version";
        output::warn(&format!("runner {runner}: its image is not noted: {error}"), Some(hint));
    }
    match online {
        Ok(()) => Exit::Done,
        Err(error) => {
            output::error(&format!("runner {runner}: {error}"), None);
            Exit::No
        }
    }
}
