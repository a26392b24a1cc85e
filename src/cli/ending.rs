//! How commands end runners: each once no workflow job runs on it, with a word to those who wait.

use std::time::Duration;

use tokio::time::Instant;

use super::context::Context;
use super::failure::Failure;
use super::{github_client, install_units, output, power};
use crate::apply::Host;
use crate::apply::drain::{Drain, Drained, News};
use crate::fleet::{Runner, names};
use crate::github::Client;
use crate::systemd::{Systemd, UnitJob};

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

/// For the fleet of `context`; workflow jobs that run longer than `timeout` from now on are left to run.
///
/// # Errors
/// There is no systemd, or the credential for GitHub cannot be used.
pub(super) fn of<'a>(
    context: &'a Context,
    host: &'a Host,
    timeout: Option<Duration>,
) -> Result<Endings<'a>, Failure> {
    let systemd = host.systemd.as_ref().ok_or_else(nothing_runs)?;
    let github = github_client::of(context)?;
    Ok(Endings { context, host, systemd, github, deadline: timeout.map(|timeout| Instant::now() + timeout) })
}

impl Endings<'_> {
    pub(super) fn host(&self) -> &Host {
        self.host
    }

    /// What ends a runner.
    pub(super) fn drain(&self) -> Drain<'_> {
        Drain {
            host: self.host,
            systemd: self.systemd,
            github: self.github.as_ref(),
            stop_limit: install_units::unit_limit(self.context),
            deadline: self.deadline,
        }
    }

    /// Ends a runner as soon as it is idle, and says what there is to wait for.
    ///
    /// # Errors
    /// The host could not be read.
    pub(super) async fn end(&self, runner: &Runner) -> Result<Drained, Failure> {
        let ended = self.drain().end(runner, &mut |news| tell(runner, &news)).await?;
        match &ended {
            Drained::Ended => {}
            Drained::Busy => output::warn(
                &format!("runner {} still runs a workflow job: it is left alone", runner.number),
                Some("run this again later, or with --force (the workflow job is cancelled)"),
            ),
            Drained::Failed(outcome) => {
                power::tell_outcomes(self.context, self.systemd, std::slice::from_ref(outcome)).await?;
            }
        }
        Ok(ended)
    }

    /// Starts it; is it online?
    ///
    /// # Errors
    /// The host could not be read.
    pub(super) async fn start(&self, runner: &Runner) -> Result<bool, Failure> {
        let unit_job = UnitJob::start(names::service(runner.number));
        power::run_jobs(self.context, self.systemd, &[unit_job]).await
    }
}

/// Says what a drain waits for.
pub(super) fn tell(runner: &Runner, news: &News) {
    match news {
        News::Waits => output::say(&format!("{}: runs a workflow job; waiting for its end", runner.name)),
        News::Unasked(error) => output::warn(
            &format!("{}: {error}; it is ended when this host sees it idle", runner.name),
            error.hint().as_deref(),
        ),
    }
}
