//! Ends a runner once no workflow job runs on it: looks, does what [`Draining`] says, and looks again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Error, Host, busy, registrations};
use crate::config::GithubUrl;
use crate::files::{self, FileError, Root};
use crate::fleet::{AtGithub, DrainStep, Draining, Runner, RunnerPaths, names};
use crate::github::{self, Client, Removal};
use crate::systemd::{JobMode, JobOutcome, Systemd, UnitJob};

/// How soon a runner that has become idle is found.
const INTERVAL: Duration = Duration::from_secs(2);

/// What a drain needs.
#[derive(Clone, Copy)]
pub struct Drain<'a> {
    /// The host.
    pub host: &'a Host,
    /// Its systemd.
    pub systemd: &'a Systemd,
    /// GitHub, where this host may ask it to remove runners, and whose runners it asks for.
    pub github: Option<(&'a Client, &'a GithubUrl)>,
    /// What a unit may take to stop.
    pub stop_limit: Duration,
    /// A workflow job that still runs then is left to run.
    pub deadline: Option<Instant>,
}

/// How a drain ended.
#[derive(Debug)]
pub enum Drained {
    /// It has ended, or did not run.
    Ended,
    /// A workflow job still runs on it.
    Busy,
    /// Its unit did not stop.
    Failed(JobOutcome),
}

/// What came of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// It has ended, or did not run.
    Ended,
    /// No workflow job runs on it.
    Idle(AtGithub),
    /// A workflow job still runs on it.
    Busy,
}

/// What people want to know meanwhile.
#[derive(Debug)]
pub enum News {
    /// A workflow job runs on it.
    Waits,
    /// GitHub could not be asked; it is drained without.
    Unasked(github::Error),
}

/// What is known of the runner since the drain began.
struct Watched {
    idle_since: Option<Instant>,
    at_github: AtGithub,
    refused: Instant,
    has_waited: bool,
}

impl Drain<'_> {
    /// Ends runner `number` as soon as it is idle; the config need not have it any more.
    ///
    /// # Errors
    /// systemd or a control group could not be read, or a dead identity could not be deleted.
    pub async fn end(&self, number: u16, tell: &mut dyn FnMut(News)) -> Result<Drained, Error> {
        match self.wait(number, tell).await? {
            Awaited::Ended => Ok(Drained::Ended),
            Awaited::Idle(at_github) => self.stop(number, at_github).await,
            Awaited::Busy => Ok(Drained::Busy),
        }
    }

    /// Waits until runner `number` can be stopped. Whoever is cut off in this leaves a runner that works, or that GitHub has removed and that registers again.
    ///
    /// # Errors
    /// systemd or a control group could not be read.
    pub async fn wait(&self, number: u16, tell: &mut dyn FnMut(News)) -> Result<Awaited, Error> {
        let at_github = if self.github.is_some() { AtGithub::Untried } else { AtGithub::Unasked };
        let mut watched = Watched { idle_since: None, at_github, refused: Instant::now(), has_waited: false };
        loop {
            let mut draining = self.look(number, &mut watched).await?;
            if draining.step() == DrainStep::Remove {
                watched.at_github = self.remove(number, tell).await;
                watched.refused = Instant::now();
                draining.at_github = watched.at_github;
            }
            match draining.step() {
                DrainStep::Done => return Ok(Awaited::Ended),
                DrainStep::Stop => return Ok(Awaited::Idle(draining.at_github)),
                DrainStep::Wait | DrainStep::Remove => {}
            }
            let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let is_busy = draining.busy || matches!(draining.at_github, AtGithub::Busy(_));
            if is_busy && is_late {
                return Ok(Awaited::Busy);
            }
            if is_busy && !std::mem::replace(&mut watched.has_waited, true) {
                tell(News::Waits);
            }
            sleep(INTERVAL).await;
        }
    }

    async fn look(&self, number: u16, watched: &mut Watched) -> Result<Draining, Error> {
        let states = self.systemd.observe(&[names::service(number).as_str()]).await?;
        let busy = !busy(self.host, &[number])?.is_empty();
        let now = Instant::now();
        watched.idle_since = if busy { None } else { watched.idle_since.or(Some(now)) };
        Ok(Draining {
            running: states.first().is_some_and(|state| state.active_state.is_started()),
            busy,
            idle: watched.idle_since.map_or(Duration::ZERO, |since| now - since),
            at_github: match watched.at_github {
                AtGithub::Busy(_) => AtGithub::Busy(now - watched.refused),
                other => other,
            },
        })
    }

    /// Only a runner that this host itself registered, by its id: another host's may bear the same name. Its own name may be an old one, which the config has changed.
    async fn remove(&self, number: u16, tell: &mut dyn FnMut(News)) -> AtGithub {
        let paths = self.host.layout.runner(number);
        let Some((github, url)) = self.github else { return AtGithub::Unasked };
        let Some(registered) = registrations::registered(self.host, &paths, url) else {
            return AtGithub::Unasked;
        };
        match registrations::end(github, &registered.agent).await {
            // Its workflow job is done, and another one of this runner is on its way or here already: that one is to go.
            Ok(Some(Removal::AlreadyGone)) if registered.ephemeral => AtGithub::Untried,
            // What is not there takes no workflow job.
            Ok(Some(Removal::Removed | Removal::AlreadyGone)) => AtGithub::Gone,
            Ok(Some(Removal::Busy)) => AtGithub::Busy(Duration::ZERO),
            Ok(None) => AtGithub::Unasked,
            Err(error) => {
                tell(News::Unasked(error));
                AtGithub::Unasked
            }
        }
    }

    /// Stops a runner that [`Drain::wait`] has found idle.
    ///
    /// # Errors
    /// systemd could not be read, or a dead identity could not be deleted.
    pub async fn stop(&self, number: u16, at_github: AtGithub) -> Result<Drained, Error> {
        let (unit, paths) = (names::service(number), self.host.layout.runner(number));
        let unit_jobs = [UnitJob::stop(&unit)];
        let outcomes =
            self.systemd.run_jobs(&unit_jobs, &JobMode::Replace, self.stop_limit, &mut |_| {}).await;
        if let Some(failed) = outcomes.into_iter().find(|outcome| !outcome.is_success()) {
            return Ok(Drained::Failed(failed));
        }
        if at_github == AtGithub::Gone {
            // GitHub's removal ends the listener, and its unit fails, if it is not stopped sooner.
            self.systemd.reset_failed(&unit).await?;
            registrations::forget_all(self.host, &paths)?;
        }
        Ok(Drained::Ended)
    }
}

/// Marks a runner drained: from now on its unit does not start, also not at boot.
///
/// # Errors
/// The mark could not be written.
pub fn mark(host: &Host, runner: &Runner) -> Result<(), FileError> {
    let text = b"`runnerctl drain` drained this runner; `runnerctl undrain` takes this file away\n";
    files::write(&host.root.at(&runner.paths.drained), text, 0o644)
}

/// Takes the mark away; was there one?
///
/// # Errors
/// It could not be taken away.
pub fn unmark(host: &Host, runner: &Runner) -> Result<bool, FileError> {
    let was_marked = is_marked(&host.root, &runner.paths);
    files::remove(&host.root.at(&runner.paths.drained))?;
    Ok(was_marked)
}

/// Is it marked?
#[must_use]
pub fn is_marked(root: &Root, paths: &RunnerPaths) -> bool {
    files::exists(&root.at(&paths.drained))
}
