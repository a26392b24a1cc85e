//! `runnerctl unit-step await-workflow-job`

use std::time::Duration;

use crate::cli::context::block_on;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::fleet::Scope;
use crate::systemd::Systemd;
use crate::unit_step::{self, StopNews};

/// Options of `unit-step await-workflow-job`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct Args {
    #[arg(long)]
    runner: u16,
    /// Seconds
    #[arg(long)]
    limit: u32,
}

/// How much longer than the limit systemd waits for this step: it has to end by itself for the engine's `ExecStop=` to come after it.
const STEP_MARGIN: Duration = Duration::from_secs(30);

pub(super) fn run(args: Args, scope: Scope) -> Result<(), Failure> {
    let host_is_stopping = block_on(async { Ok(Systemd::connect(scope).await?.is_stopping().await?) })?;
    let limit = Duration::from_secs(args.limit.into());
    let step = unit_step::AwaitWorkflowJob { runner: args.runner, limit, host_is_stopping };
    Ok(unit_step::await_workflow_job(&step, &mut |news| tell_stop(args.runner, news))?)
}

/// For the journal and `systemctl status`; the console has systemd's own "A stop job is running" with the limit that is told here.
fn tell_stop(runner: u16, news: StopNews) -> std::io::Result<()> {
    let duration = |duration: Duration| humantime::format_duration(Duration::from_secs(duration.as_secs()));
    let (text, extended) = match news {
        StopNews::Waits(limit) => (
            format!("the host is going down: waiting at most {} for the workflow job", duration(limit)),
            Some(limit + STEP_MARGIN),
        ),
        StopNews::Ended(waited) => (format!("the workflow job ended after {}", duration(waited)), None),
        StopNews::GivesUp(limit) => {
            (format!("the workflow job still runs after {}: it is cancelled", duration(limit)), None)
        }
    };
    output::say(&format!("runner {runner}: {text}"));
    let micros = extended.map(|limit| u32::try_from(limit.as_micros()).unwrap_or(u32::MAX));
    // Unheard, systemd would end this step and the container after TimeoutStopSec=, and not in order.
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return Err(std::io::Error::other("systemd gave this step no NOTIFY_SOCKET: nothing is waited for"));
    }
    let extension = micros.map(sd_notify::NotifyState::ExtendTimeoutUsec);
    let states: Vec<_> = [sd_notify::NotifyState::Status(&text)].into_iter().chain(extension).collect();
    sd_notify::notify(&states)
}
