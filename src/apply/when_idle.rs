//! Changes runners that run with something else than what they should: each keeps its old files until no workflow job runs on it, is ended, and gets the new ones.

use tokio::sync::{Mutex, RwLock};

use super::drain::{self, Awaited, Drain, Drained, News};
use super::{Error, Execution, execute, observe};
use crate::fleet::plan::{HeldBack, Step};
use crate::fleet::{Observed, Plan, names};
use crate::systemd::{JobMode, UnitJob};

/// How runners are changed that a [`Plan`] holds back.
pub struct WhenIdle<'a, E> {
    /// How they are ended.
    pub drain: Drain<'a>,
    /// What is left to do on a host whose runners have ended in part: files, and no start.
    pub plan: &'a (dyn Fn(&Observed) -> Result<Plan, E> + Sync),
    /// Held, by any number of them, from a runner's stop to its start: that is not broken off.
    begun: RwLock<()>,
    /// Held while files and units are changed: that is not done twice at once.
    changing: Mutex<()>,
}

/// What became of a runner.
#[derive(Debug)]
pub enum Changed {
    /// Nothing: it has not ended, and works as it did.
    Left(Drained),
    /// It has ended, and still there is something in the way.
    HeldBack(HeldBack),
    /// It has ended, and its files are as they should be.
    Done(Execution),
}

/// Whoever sees what is done while it is done.
pub trait Spectator {
    /// There is something to wait for.
    fn news(&mut self, news: News);
    /// This step is taken next.
    fn step(&mut self, step: &Step);
}

impl<'a, E: From<Error>> WhenIdle<'a, E> {
    /// By `drain` and `plan`.
    pub fn new(drain: Drain<'a>, plan: &'a (dyn Fn(&Observed) -> Result<Plan, E> + Sync)) -> Self {
        Self { drain, plan, begun: RwLock::new(()), changing: Mutex::new(()) }
    }

    /// Ends runner `number` as soon as it is idle, does what is left to do then, and starts it again if `is_wanted`. What others of the fleet need that have ended
    /// meanwhile is done as well.
    ///
    /// # Errors
    /// The host could not be read or changed. What was done stays done; the next run finishes it.
    pub async fn change(
        &self,
        number: u16,
        is_wanted: bool,
        spectator: &mut dyn Spectator,
    ) -> Result<Changed, E> {
        let awaited = self.drain.wait(number, &mut |news| spectator.news(news)).await?;
        let _begun = self.begun.read().await;
        match awaited {
            Awaited::Busy => return Ok(Changed::Left(Drained::Busy)),
            Awaited::Ended => {}
            Awaited::Idle(at_github) => {
                spectator.step(&Step::Stop(names::service(number)));
                let stopped = self.drain.stop(number, at_github).await?;
                if !matches!(stopped, Drained::Ended) {
                    return Ok(Changed::Left(stopped));
                }
            }
        }
        let host = self.drain.host;
        let changing = self.changing.lock().await;
        let plan = (self.plan)(&observe(host).await?)?;
        let mut execution =
            execute(&plan, host, self.drain.stop_limit, &mut |step| spectator.step(step)).await?;
        drop(changing);
        if let Some((_, why)) = plan.held_back.iter().find(|(held, _)| *held == number) {
            return Ok(Changed::HeldBack(*why));
        }
        if is_wanted && !drain::is_marked(&host.root, &host.layout.runner(number)) {
            let unit = names::service(number);
            spectator.step(&Step::Start(vec![unit.clone()]));
            let (start, limit) = ([UnitJob::start(unit)], self.drain.stop_limit);
            let started = self.drain.systemd.run_jobs(&start, &JobMode::Replace, limit, &mut |_| {}).await;
            execution.outcomes.extend(started);
        }
        Ok(Changed::Done(execution))
    }

    /// What `all` of the changes come to; `None` if `interrupt` comes first. Then none is begun any more, and those that have begun are waited for, unless it comes `again`.
    pub async fn unless<T>(
        &self,
        interrupt: impl Future<Output = ()>,
        again: impl Future<Output = ()>,
        all: impl Future<Output = T>,
    ) -> Option<T> {
        let mut all = std::pin::pin!(all);
        tokio::select! {
            // First, so that it is listened to before anybody is told that there is something to interrupt.
            biased;
            () = interrupt => {}
            all = &mut all => return Some(all),
        }
        tokio::select! {
            biased;
            _none_has_begun = self.begun.write() => None,
            all = &mut all => Some(all),
            () = again => None,
        }
    }
}
