//! `runnerctl monitor`

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sd_notify::NotifyState;
use tokio::sync::watch;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{ending, github_client, install_units, notify_receivers, output, serving};
use crate::apply::Host;
use crate::files::{Lock, Root};
use crate::fleet::Layout;
use crate::github::Client;
use crate::health::{Judge, Now};
use crate::http::{Server, health_site};
use crate::monitor::{self, GithubAnswer, Monitor, Timing};
use crate::why::AtGithub;

/// Options of `monitor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port, unless systemd hands over a socket
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Watch and tell only: restart no runner
    #[arg(long)]
    no_heal: bool,
    /// Time between two looks at the containers
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration, hide_short_help = true)]
    look_interval: Duration,
    /// Time between two questions to GitHub
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration, hide_short_help = true)]
    github_interval: Duration,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    if context.root != Root::host() {
        return Err(ending::nothing_runs());
    }
    let client = github_client::of(&context)?;
    let notifiers = notify_receivers::of(&context)?.notifiers(&context.fleet.notify);
    let layout = &context.fleet.layout;
    let _lock = lock(layout)?;
    let listener = serving::listener(args.listen)?;
    output::say(&format!(
        "watching {} runners at http://{}/",
        context.fleet.runners.len(),
        listener.local_addr()?
    ));
    let monitor = Monitor {
        runners: &context.fleet.runners,
        root: &context.root,
        log: monitor::log(&context.root, layout),
        may_heal: !args.no_heal,
        timing: timing(args, &context),
        connect: async || connect(layout).await,
        github: client.as_ref().map(|client| async || ask(client).await),
        alive: &alive,
        tell: &|notice| notifiers.tell(notice),
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
            () = notifiers.run() => Ok(()),
        }
    })?;
    Ok(Exit::Done)
}

/// A second one would restart what the first is restarting.
fn lock(layout: &Layout) -> Result<Lock, Failure> {
    Lock::take(&layout.state.join("monitor-lock"))?.ok_or_else(|| {
        Failure::new("another monitor watches this fleet", "look at that one, or end it first")
    })
}

/// The watchdog is told of each turn of the loop, and each look is one.
fn timing(args: &Args, context: &Context) -> Timing {
    let watchdog = sd_notify::watchdog_enabled().map_or(args.look_interval, |limit| limit / 3);
    Timing {
        look: args.look_interval.min(watchdog).max(Duration::from_millis(1)),
        github: args.github_interval.max(Duration::from_millis(1)),
        heal_limit: install_units::unit_limit(context),
    }
}

async fn connect(layout: &Layout) -> Result<Host, String> {
    Host::connect(Root::host(), layout.clone()).await.map_err(|error| error.to_string())
}

async fn ask(client: &Client) -> GithubAnswer {
    let runners = client.runners().await.map_err(|error| error.to_string())?;
    Ok(runners.iter().map(|runner| (runner.name.clone(), AtGithub::from(runner))).collect())
}

fn alive() {
    if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog]) {
        tracing::debug!(%error, "systemd is not told");
    }
}
