//! `runnerctl unit-step heal`

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::apply::Host;
use crate::cli::context::{GlobalArgs, block_on};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::files::Root;
use crate::health::HealEnd;
use crate::unit_step;

/// Options of `unit-step heal`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct Args {
    /// Runners, numbered from 1
    #[arg(long)]
    count: u16,
    /// Seconds
    #[arg(long)]
    limit: u32,
}

/// Who asked hears what came of it, and the journal too.
pub(super) fn run(args: Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let limit = Duration::from_secs(args.limit.into());
    let layout = global.layout()?;
    let end = match unit_step::asked(&stream, args.count) {
        Ok(number) => block_on(async {
            let end = match Host::connect(Root::host(), layout).await {
                Ok(host) => unit_step::heal(&host, number, limit).await,
                Err(error) => HealEnd::Failed(error.to_string()),
            };
            output::say(&format!("runner {number}: {}", end.line().trim_end()));
            Ok(end)
        })?,
        Err(why) => {
            output::error(&why, None);
            HealEnd::Failed(why)
        }
    };
    unit_step::answer(&stream, &end)?;
    Ok(if matches!(end, HealEnd::Failed(_)) { Exit::No } else { Exit::Done })
}
