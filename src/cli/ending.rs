//! How commands end runners: each once no workflow job runs on it, with a word to those who wait.

use std::time::Duration;

use tokio::time::Instant;

use super::context::Context;
use super::failure::Failure;
use super::{github_client, output, power};
use crate::apply::Host;
use crate::apply::drain::{self, Drain, Drained, News};
use crate::fleet::names;
use crate::github::Client;
use crate::systemd::{Systemd, UnitJob};

/// How long a command waits for busy runners.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Waiting {
    /// Leave runners alone that are still busy after so long, such as "2h" [default: wait as long as it takes]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,
}

/// What a command does about busy runners.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Patience {
    #[command(flatten)]
    pub waiting: Waiting,
    /// Do not wait: a workflow job that runs is cancelled
    #[arg(long, conflicts_with = "timeout")]
    pub force: bool,
}

/// What the runners of one command are ended with.
pub(super) struct Endings<'a> {
    context: &'a Context,
    host: &'a Host,
    systemd: &'a Systemd,
    github: Option<Client>,
    deadline: Option<Instant>,
}

/// Below a `--root`.
pub(super) fn nothing_runs() -> Failure {
    Failure::new("nothing runs below a --root", "leave --root out")
}

/// For the fleet of `context`; workflow jobs that run longer than that from now on are left to run.
///
/// # Errors
/// There is no systemd, or the credential for GitHub cannot be used.
pub(super) fn of<'a>(context: &'a Context, host: &'a Host, waiting: Waiting) -> Result<Endings<'a>, Failure> {
    let systemd = host.systemd.as_ref().ok_or_else(nothing_runs)?;
    let github = github_client::of(context)?;
    let deadline = waiting.timeout.map(|timeout| Instant::now() + timeout);
    Ok(Endings { context, host, systemd, github, deadline })
}

impl Endings<'_> {
    pub(super) fn host(&self) -> &Host {
        self.host
    }

    pub(super) fn systemd(&self) -> &Systemd {
        self.systemd
    }

    pub(super) fn drain(&self) -> Drain<'_> {
        Drain {
            host: self.host,
            systemd: self.systemd,
            github: self.github.as_ref().map(|client| (client, &self.context.fleet.url)),
            stop_limit: self.context.fleet.unit_limit(),
            deadline: self.deadline,
        }
    }

    /// Ends a runner as soon as it is idle, and says what there is to wait for; has it ended?
    ///
    /// # Errors
    /// The host could not be read.
    pub(super) async fn end(&self, number: u16) -> Result<bool, Failure> {
        let drained = self.drain().end(number, &mut |news| self.tell_news(number, &news)).await?;
        self.tell(number, &drained).await
    }

    /// Says why a runner has not ended; has it?
    ///
    /// # Errors
    /// The host could not be read.
    pub(super) async fn tell(&self, number: u16, drained: &Drained) -> Result<bool, Failure> {
        match drained {
            Drained::Ended => return Ok(true),
            Drained::Busy => tell_busy(number),
            Drained::Failed(outcome) => {
                power::tell_outcomes(self.context, self.systemd, std::slice::from_ref(outcome)).await?;
            }
        }
        Ok(false)
    }

    /// Says what there is to wait for.
    pub(super) fn tell_news(&self, number: u16, news: &News) {
        match self.context.fleet.runner(number) {
            Some(runner) => tell_news(&runner.name, news),
            // The config has it no more.
            None => tell_news(&format!("runner {number}"), news),
        }
    }

    /// Starts it, unless it is drained; is it online?
    ///
    /// # Errors
    /// The host could not be read.
    pub(super) async fn start(&self, number: u16) -> Result<bool, Failure> {
        if drain::is_marked(&self.host.root, &self.host.layout.runner(number)) {
            power::tell_drained(number);
            return Ok(false);
        }
        let unit_job = UnitJob::start(names::service(number));
        power::run_jobs(self.context, self.systemd, &[unit_job]).await
    }

    /// Ends it as soon as it is idle, and starts it again; is it online?
    ///
    /// # Errors
    /// The host could not be read.
    pub(super) async fn restart(&self, number: u16) -> Result<bool, Failure> {
        Ok(self.end(number).await? && self.start(number).await?)
    }
}

/// Waits for all at once; did all end well?
///
/// # Errors
/// The first that there was.
pub(super) async fn all_well(
    each: impl Iterator<Item = impl Future<Output = Result<bool, Failure>>>,
) -> Result<bool, Failure> {
    let done = futures_util::future::join_all(each).await;
    Ok(done.into_iter().collect::<Result<Vec<bool>, Failure>>()?.into_iter().all(|well| well))
}

/// Says why a runner was not waited for any longer.
pub(super) fn tell_busy(number: u16) {
    output::warn(
        &format!("runner {number} still runs a workflow job: it is left alone"),
        Some("run this again later, or with --force (the workflow job is cancelled)"),
    );
}

/// Says what the end of `runner` waits for.
pub(super) fn tell_news(runner: &str, news: &News) {
    match news {
        News::Waits => output::say(&format!("{runner}: runs a workflow job; waiting for its end")),
        News::Unasked(error) => output::warn(
            &format!("{runner}: {error}; it is ended when this host sees it idle"),
            error.hint().as_deref(),
        ),
    }
}
