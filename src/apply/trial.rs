//! One runner on a new image: ended in order, started once on the image's id, watched for a while, and put back if that goes wrong.
//!
//! The id comes into the unit by a drop-in that a reboot takes away, and that goes as soon as the unit has started: if the new image ends, systemd's own restart is on the
//! reference, and so on the old image, whatever has become of this program.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::drain::{Drain, Drained};
use super::update::{INTERVAL, News, Updater};
use super::{Error, Host, busy};
use crate::config::Image;
use crate::files::{self, FileError, Lock};
use crate::fleet::{OnImage, Runner, Update, names};
use crate::programs;
use crate::runner::Session;
use crate::systemd::{JobMode, UnitJob};

/// A runner that has been online for so long works: a listener that GitHub refuses, or whose image lacks something, ends within seconds.
pub const TRIAL: Duration = Duration::from_secs(20);

/// For a runner that looks idle: GitHub may call it busy, and then another one comes first.
const DRAIN_LIMIT: Duration = Duration::from_secs(15);

/// What went wrong with a runner on the new image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The exit status of its container.
    pub exit_status: Option<i32>,
    /// What its entrypoint said last.
    pub session: Option<Session>,
    /// Its unit started; it was online, but not for long.
    pub was_online: bool,
}

/// What became of a runner.
pub(super) enum Replacement {
    /// It is online with the new image.
    Done,
    /// It got a workflow job meanwhile, or another runnerctl is changing the fleet.
    PassedOver,
    /// It did not work with the new image. Is it online with the old one?
    Failed(bool),
}

impl Updater<'_> {
    pub(super) async fn replace(
        &self,
        update: &Update,
        image: &Image,
        runner: &Runner,
        on: &OnImage,
        is_canary: bool,
        tell: &mut dyn FnMut(News),
    ) -> Result<Replacement, Error> {
        let host = self.drain.host;
        let lock = Lock::take(&host.lock_file())?;
        let drop_in = self.drop_in(&self.state(runner).await?, image, &update.new)?;
        let (Some(_lock), Some(drop_in)) = (lock, drop_in) else {
            sleep(INTERVAL).await;
            return Ok(Replacement::PassedOver);
        };
        tell(News::Tries(runner.number, is_canary));
        if self.end(runner, tell).await? {
            return Ok(Replacement::PassedOver);
        }
        match self.try_image(runner, &drop_in, &update.new).await {
            Ok(None) => {
                programs::tag(self.engine, &update.new, &image.to_string())?;
                Ok(Replacement::Done)
            }
            Ok(Some(trouble)) => {
                tell(News::PutsBack(runner.number, trouble));
                Ok(Replacement::Failed(self.put_back(update, image, runner, on, tell).await?))
            }
            Err(error) => {
                self.put_back(update, image, runner, on, tell).await?;
                Err(error)
            }
        }
    }

    /// Is it busy?
    async fn end(&self, runner: &Runner, tell: &mut dyn FnMut(News)) -> Result<bool, Error> {
        if self.force {
            self.run(UnitJob::stop(names::service(runner.number))).await?;
            return Ok(false);
        }
        let drain = Drain { deadline: Some(Instant::now() + DRAIN_LIMIT), ..self.drain };
        let mut tell = |news| tell(News::Drains(runner.number, news));
        match drain.end(runner.number, &mut tell).await? {
            Drained::Ended => Ok(false),
            Drained::Busy => Ok(true),
            Drained::Failed(outcome) => outcome.into_result().map(|()| false).map_err(Error::from),
        }
    }

    async fn try_image(&self, runner: &Runner, drop_in: &str, id: &str) -> Result<Option<Trouble>, Error> {
        let host = self.drain.host;
        files::write(&drop_in_file(host, runner.number), drop_in.as_bytes(), 0o644)?;
        self.drain.systemd.reload().await?;
        let started = self.run(UnitJob::start(names::service(runner.number))).await;
        self.take_away(runner.number).await?;
        if started.is_err() {
            return self.trouble(runner, false).await.map(Some);
        }
        self.watch(runner, id).await
    }

    async fn watch(&self, runner: &Runner, id: &str) -> Result<Option<Trouble>, Error> {
        let begin = Instant::now();
        let invocation = self.state(runner).await?.invocation_id;
        let images = programs::container_images(self.engine, &[runner.name.as_str()])?;
        let mut is_well = images.get(&runner.name).is_some_and(|image| image == id);
        while is_well && begin.elapsed() < TRIAL {
            sleep(INTERVAL).await;
            let state = self.state(runner).await?;
            is_well = self.is_online(runner, &state) && state.invocation_id == invocation;
        }
        if is_well { Ok(None) } else { self.trouble(runner, true).await.map(Some) }
    }

    async fn trouble(&self, runner: &Runner, was_online: bool) -> Result<Trouble, Error> {
        let exit_status = self.state(runner).await?.exec_main_status;
        Ok(Trouble { exit_status, session: self.session(runner), was_online })
    }

    /// The reference means the old image again, and the runner is started on it; is it online?
    async fn put_back(
        &self,
        update: &Update,
        image: &Image,
        runner: &Runner,
        on: &OnImage,
        tell: &mut dyn FnMut(News),
    ) -> Result<bool, Error> {
        let before = update.before.as_ref().filter(|id| **id != update.new);
        if let Some(old) = on.image.as_ref().or(before) {
            programs::tag(self.engine, old, &image.to_string())?;
        }
        let is_left = files::exists(&drop_in_file(self.drain.host, runner.number));
        let swept = if is_left { self.take_away(runner.number).await } else { Ok(()) };
        let unit = names::service(runner.number);
        let is_busy = !busy(self.drain.host, &[runner.number])?.is_empty();
        let ended = if is_busy || self.is_online(runner, &self.state(runner).await?) {
            let drain = Drain { deadline: None, ..self.drain };
            drain.end(runner.number, &mut |news| tell(News::Drains(runner.number, news))).await.map(drop)
        } else {
            self.run(UnitJob::stop(&unit)).await
        };
        // Whatever went wrong before: it is not left stopped.
        let is_started = self.run(UnitJob::start(&unit)).await.is_ok();
        swept.and(ended)?;
        Ok(is_started && self.is_online(runner, &self.state(runner).await?))
    }

    async fn take_away(&self, number: u16) -> Result<(), Error> {
        files::remove(&drop_in_file(self.drain.host, number))?;
        Ok(self.drain.systemd.reload().await?)
    }

    async fn run(&self, unit_job: UnitJob) -> Result<(), Error> {
        let systemd = self.drain.systemd;
        let outcomes =
            systemd.run_jobs(&[unit_job], &JobMode::Replace, self.drain.stop_limit, &mut |_| {}).await;
        outcomes.into_iter().try_for_each(|outcome| outcome.into_result().map_err(Error::from))
    }
}

fn drop_in_file(host: &Host, number: u16) -> PathBuf {
    host.root.at(&host.layout.runtime_unit_dir.join(names::drop_ins(number)).join(names::TRIAL))
}

/// Takes away the drop-ins of an update that was killed; were there any? systemd knows them until it reads its files again.
///
/// # Errors
/// A directory could not be read, or a file not be removed.
pub fn sweep(host: &Host) -> Result<bool, FileError> {
    let mut found = false;
    for directory in files::names(&host.root.at(&host.layout.runtime_unit_dir))? {
        let number = directory.strip_suffix(".d").and_then(names::runner_of);
        let Some(file) = number.map(|number| drop_in_file(host, number)) else { continue };
        if files::exists(&file) {
            files::remove(&file)?;
            found = true;
        }
    }
    Ok(found)
}
