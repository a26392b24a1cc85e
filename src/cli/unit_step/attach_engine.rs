//! `runnerctl unit-step attach-engine`

use std::path::PathBuf;

use super::{PathArgs, id_range, main_process};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::fleet::IdRange;
use crate::unit_step::{self, AttachError};

/// Options of `unit-step attach-engine`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    place: PathArgs,
    #[arg(long, value_parser = id_range)]
    first_id: IdRange,
    #[arg(long)]
    externals: PathBuf,
    #[arg(long)]
    images: PathBuf,
}

pub(super) fn run(args: Args) -> Exit {
    let runner = args.place.runner;
    let step = unit_step::AttachEngine {
        runner,
        paths: args.place.paths(),
        ids: args.first_id,
        externals: args.externals,
        images: args.images,
    };
    match unit_step::attach(&step, main_process()) {
        Ok(said) => {
            if let Some(line) = said {
                output::say(&line);
            }
            Exit::Done
        }
        Err(AttachError::NotStarted(error)) => {
            output::error(&format!("runner {runner}: {error}"), None);
            Exit::No
        }
        Err(error) => {
            let text = format!("runner {runner}: the private engine cannot be attached: {error}");
            output::error(
                &text,
                Some("`runnerctl doctor` shows what this host lacks for socket = \"private\""),
            );
            Exit::No
        }
    }
}
