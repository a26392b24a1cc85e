//! Brings a new image to the runners, one after the other: pulls, asks [`Update`] what is next, and has it tried.
//!
//! Until the first runner has proved a pulled image, its reference means what it meant before: a runner that systemd starts anew meanwhile, or that a
//! reboot starts, gets the image that works.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::drain::{self, Drain};
use super::trial::{Replacement, TRIAL, Trouble};
use super::{Error, busy, roll};
use crate::config::Image;
use crate::files;
use crate::fleet::{OnImage, Runner, Standing, Update, UpdateStep, names};
use crate::programs;
use crate::runner::{Session, SessionState};
use crate::systemd::{ActiveState, UnitState};
use crate::units;

/// How soon a runner that has become idle, or fallen over, is found.
pub(super) const INTERVAL: Duration = Duration::from_secs(2);

/// What an update needs.
pub struct Updater<'a> {
    /// How runners are ended.
    pub drain: Drain<'a>,
    /// Podman or Docker.
    pub engine: &'a Path,
    /// End runners although a workflow job runs on them.
    pub force: bool,
    /// Becomes true when the update is to end; a runner that is out of service by then is seen to first.
    pub interrupted: watch::Receiver<bool>,
}

/// What people want to know meanwhile.
#[derive(Debug)]
pub enum News {
    /// The engine pulls.
    Pulls,
    /// All runners that are left run workflow jobs.
    Waits(Vec<u16>),
    /// Of the drain of a runner.
    Drains(u16, drain::News),
    /// It is ended, to be started on the new image; the first one is the canary.
    Tries(u16, bool),
    /// It is online with the new image.
    Replaced(u16),
    /// It was not, or not for long, and is put back to the image that it had.
    PutsBack(u16, Trouble),
}

/// How an update ended.
#[derive(Debug)]
pub enum End {
    /// Whoever should has the new image.
    Done,
    /// These still run workflow jobs.
    Busy(Vec<u16>),
    /// It was told to end.
    Interrupted,
    /// This runner has the new image and is not online; the others were not touched after that.
    Unwell(u16),
    /// The new image did not work for this runner. Is it online with the old one?
    Failed(u16, bool),
}

impl Updater<'_> {
    /// Has the engine pull `image`, unless it was built here or nothing is to be changed. `None`: told to end meanwhile.
    ///
    /// # Errors
    /// It cannot be pulled, or the engine does not have it.
    pub async fn pull(
        &self,
        image: &Image,
        dry_run: bool,
        tell: &mut dyn FnMut(News),
    ) -> Result<Option<Update>, Error> {
        let reference = image.to_string();
        let before = self.meaning(&reference)?;
        if !dry_run && !image.is_local() {
            tell(News::Pulls);
            let mut interrupted = self.interrupted.clone();
            tokio::select! {
                pulled = programs::pull(self.engine, &reference) => pulled?,
                _ = interrupted.wait_for(|is_so| *is_so) => return Ok(None),
            }
        }
        let new = self.meaning(&reference)?.ok_or(Error::NoImage(reference))?;
        Ok(Some(Update { before, new, force: self.force }))
    }

    fn meaning(&self, reference: &str) -> Result<Option<String>, Error> {
        let mut found = programs::runner_images(self.engine, &[reference])?;
        Ok(found.remove(reference).map(|image| image.id))
    }

    /// How the `runners` of `image` stand; `replaced` are those that have got the new one.
    ///
    /// # Errors
    /// systemd, the engine or a file could not be read.
    pub async fn look(
        &self,
        image: &Image,
        runners: &[&Runner],
        replaced: &BTreeSet<u16>,
    ) -> Result<Vec<OnImage>, Error> {
        let names: Vec<&str> = runners.iter().map(|runner| runner.name.as_str()).collect();
        let mut images = programs::container_images(self.engine, &names)?;
        let mut found = Vec::new();
        for runner in runners {
            let state = self.state(runner).await?;
            found.push(OnImage {
                now: roll::runner_now(self.drain.host, runner, &state)?,
                busy: !busy(self.drain.host, &[runner.number])?.is_empty(),
                image: images.remove(&runner.name),
                named: self.drop_in(&state, image, "")?.is_some(),
                online: self.is_online(runner, &state),
                replaced: replaced.contains(&runner.number),
            });
        }
        Ok(found)
    }

    /// Until every one of the `runners` has the new image, or had its chance, or one fails.
    ///
    /// # Errors
    /// systemd, the engine or a file could not be read or written. No runner is left out of service for that.
    pub async fn roll(
        &self,
        update: &Update,
        image: &Image,
        runners: &[&Runner],
        tell: &mut dyn FnMut(News),
    ) -> Result<End, Error> {
        self.keep_the_old_meaning(update, image, runners).await?;
        let mut replaced = BTreeSet::new();
        let mut passed_over = None;
        loop {
            if *self.interrupted.borrow() {
                return Ok(End::Interrupted);
            }
            let now = self.look(image, runners, &replaced).await?;
            let number = match update.step(&now, passed_over.take()) {
                UpdateStep::Done => return Ok(End::Done),
                UpdateStep::Wait(waiting) => {
                    tell(News::Waits(waiting.clone()));
                    if !self.wait_for_one(&waiting).await? {
                        return Ok(End::Busy(waiting));
                    }
                    continue;
                }
                UpdateStep::Hold(number) => {
                    let runner = runners.iter().find(|runner| runner.number == number);
                    if !self.comes_online(runner.copied()).await? {
                        return Ok(End::Unwell(number));
                    }
                    continue;
                }
                UpdateStep::Replace(number) => number,
            };
            let (Some(runner), Some(on)) = (
                runners.iter().find(|runner| runner.number == number),
                now.iter().find(|on| on.now.number == number),
            ) else {
                return Ok(End::Done);
            };
            let is_canary = !now.iter().any(|on| update.standing(on) == Standing::Current);
            match self.replace(update, image, runner, on, is_canary, tell).await? {
                Replacement::Done => {
                    replaced.insert(number);
                    tell(News::Replaced(number));
                }
                Replacement::PassedOver if self.is_late() => return Ok(End::Busy(vec![number])),
                Replacement::PassedOver => passed_over = Some(number),
                Replacement::Failed(is_back) => return Ok(End::Failed(number, is_back)),
            }
        }
    }

    async fn keep_the_old_meaning(
        &self,
        update: &Update,
        image: &Image,
        runners: &[&Runner],
    ) -> Result<(), Error> {
        let now = self.look(image, runners, &BTreeSet::new()).await?;
        let is_to_do = now.iter().any(|on| update.standing(on) == Standing::Outdated);
        if let (true, Some(before)) = (is_to_do, update.before.as_ref().filter(|id| **id != update.new)) {
            programs::tag(self.engine, before, &image.to_string())?;
        }
        Ok(())
    }

    /// False: they all run workflow jobs until the time is up.
    async fn wait_for_one(&self, numbers: &[u16]) -> Result<bool, Error> {
        while busy(self.drain.host, numbers)?.len() == numbers.len() {
            if self.is_late() {
                return Ok(false);
            }
            let mut interrupted = self.interrupted.clone();
            tokio::select! {
                () = sleep(INTERVAL) => {}
                _ = interrupted.wait_for(|is_so| *is_so) => return Ok(true),
            }
        }
        Ok(true)
    }

    /// systemd has this long to bring it back.
    async fn comes_online(&self, runner: Option<&Runner>) -> Result<bool, Error> {
        let Some(runner) = runner else { return Ok(false) };
        let deadline = Instant::now() + TRIAL;
        while !self.is_online(runner, &self.state(runner).await?) {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(INTERVAL).await;
        }
        Ok(true)
    }

    fn is_late(&self) -> bool {
        self.drain.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub(super) async fn state(&self, runner: &Runner) -> Result<UnitState, Error> {
        let unit = names::service(runner.number);
        let states = self.drain.systemd.observe(&[unit.as_str()]).await?;
        Ok(states.into_iter().next().unwrap_or_else(|| UnitState::not_found(&unit)))
    }

    pub(super) fn is_online(&self, runner: &Runner, state: &UnitState) -> bool {
        let session = self.session(runner).map(|session| session.state);
        state.active_state == ActiveState::Active && session == Some(SessionState::Online)
    }

    pub(super) fn session(&self, runner: &Runner) -> Option<Session> {
        super::session(&self.drain.host.root, &runner.paths)
    }

    /// The drop-in that starts the unit on the image `id`; `None` where the unit does not run `image`.
    pub(super) fn drop_in(
        &self,
        state: &UnitState,
        image: &Image,
        id: &str,
    ) -> Result<Option<String>, Error> {
        let Some(path) = &state.fragment_path else { return Ok(None) };
        let text = files::read(&self.drain.host.root.at(path))?;
        Ok(text.and_then(|text| units::trial(&text, image, id)))
    }
}
