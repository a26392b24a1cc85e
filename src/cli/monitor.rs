//! `runnerctl monitor`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sd_notify::NotifyState;
use tokio::sync::watch;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{ending, github_client, output, serving};
use crate::apply::Host;
use crate::files::{Lock, Log, Root};
use crate::fleet::{Layout, names};
use crate::github::Client;
use crate::health::{Judge, Now};
use crate::http::{Server, health_site};
use crate::monitor::{self, GithubAnswer, Healer, Monitor, Timing};
use crate::why::AtGithub;

/// Options of `monitor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port, unless systemd hands over a socket [default: as `[monitor]` of the config says]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Watch and tell only: restart no runner [default: as `[monitor]` of the config says]
    #[arg(long)]
    no_heal: bool,
    /// Time between two looks at the containers
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration, hide_short_help = true)]
    look_interval: Duration,
    /// Time between two questions to GitHub [default: as `[monitor]` of the config says]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, hide_short_help = true)]
    github_interval: Option<Duration>,
    /// Run as our unit does: state and credential are where systemd puts them for it
    #[arg(long, hide = true)]
    as_unit: bool,
    /// Ask there for restarts
    #[arg(long, value_name = "PATH", hide = true, requires = "as_unit")]
    heal_socket: Option<PathBuf>,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    if context.root != Root::host() {
        return Err(ending::nothing_runs());
    }
    let client = client(args, &context)?;
    let layout = &context.fleet.layout;
    let _lock = lock(args, layout)?;
    let config = &context.fleet.monitor;
    let listener = serving::listener(args.listen.unwrap_or(config.listen))?;
    output::say(&format!(
        "watching {} runners at http://{}/",
        context.fleet.runners.len(),
        listener.local_addr()?
    ));
    let monitor = Monitor {
        runners: &context.fleet.runners,
        root: &context.root,
        log: monitor::log(&context.root, layout, args.as_unit),
        other_logs: other_logs(args, &context),
        healer: healer(args, config.heal),
        timing: timing(args, &context),
        connect: async || connect(layout).await,
        github: client.as_ref().map(|client| async || ask(client).await),
        alive: &alive,
    };
    let now = Now { uptime: SignedDuration::ZERO, time: Timestamp::now() };
    let unasked = Judge::new(
        context.fleet.runners.iter().map(|runner| (runner.number, runner.name.clone())),
        false,
        now,
    );
    let publish = watch::Sender::new(Arc::new(unasked.snapshot(&[], now)));
    block_on(async {
        let server =
            Server { site: health_site(publish.subscribe()), tls: None, idle_exit: None, threads: 1 };
        let end = serving::end()?;
        sd_notify::notify(&[NotifyState::Ready])?;
        tokio::select! {
            result = server.run(listener, end) => Ok(result?),
            () = monitor.run(&publish) => Ok(()),
        }
    })?;
    Ok(Exit::Done)
}

/// GitHub, or why it cannot be asked. Whoever starts it by hand is told that at once; the unit watches all the same, and says it as of any GitHub that does not answer.
fn client(args: &Args, context: &Context) -> Result<Option<Result<Client, String>>, Failure> {
    if !args.as_unit {
        return Ok(github_client::of(context)?.map(Ok));
    }
    match github_client::of_unit(context) {
        Ok(client) => Ok(client.map(Ok)),
        Err(failure) => {
            output::failure(&failure);
            Ok(Some(Err(failure.message)))
        }
    }
}

/// A second one would restart what the first is restarting. The unit's lock is out of reach for whoever runs it by hand without root, and the other way round.
fn lock(args: &Args, layout: &Layout) -> Result<Lock, Failure> {
    let place = |is_unit| layout.monitor_state(is_unit).join("monitor-lock");
    let (own, other) = (place(args.as_unit), place(!args.as_unit));
    let taken = Lock::take(&own)?.filter(|_| own == other || !Lock::is_held(&other));
    taken.ok_or_else(|| {
        let scope = layout.scope.option();
        Failure::new(
            "another monitor watches this fleet",
            format!("look at that one, or end it first: `systemctl{scope} stop {}`", names::MONITOR_SERVICE),
        )
    })
}

/// What the monitor has spent at other times counts.
fn other_logs(args: &Args, context: &Context) -> Vec<Log> {
    let layout = &context.fleet.layout;
    let has_other = layout.monitor_state(true) != layout.monitor_state(false);
    has_other.then(|| monitor::log(&context.root, layout, !args.as_unit)).into_iter().collect()
}

fn healer(args: &Args, may_heal: bool) -> Option<Healer> {
    let healer = args.heal_socket.clone().map_or(Healer::Itself, Healer::Helper);
    // The unit may not restart anything itself.
    let can_heal = !args.as_unit || args.heal_socket.is_some();
    (may_heal && !args.no_heal && can_heal).then_some(healer)
}

/// The watchdog is told of each turn of the loop, and each look is one.
fn timing(args: &Args, context: &Context) -> Timing {
    let watchdog = sd_notify::watchdog_enabled().map_or(args.look_interval, |limit| limit / 3);
    Timing {
        look: args.look_interval.min(watchdog).max(Duration::from_millis(1)),
        github: args
            .github_interval
            .unwrap_or(context.fleet.monitor.github_interval)
            .max(Duration::from_millis(1)),
        heal_limit: context.fleet.unit_limit(),
    }
}

async fn connect(layout: &Layout) -> Result<Host, String> {
    Host::connect(Root::host(), layout.clone()).await.map_err(|error| error.to_string())
}

async fn ask(client: &Result<Client, String>) -> GithubAnswer {
    let runners =
        client.as_ref().map_err(String::clone)?.runners().await.map_err(|error| error.to_string())?;
    Ok(runners.iter().map(|runner| (runner.name.clone(), AtGithub::from(runner))).collect())
}

fn alive() {
    if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog]) {
        tracing::debug!(%error, "systemd is not told");
    }
}
