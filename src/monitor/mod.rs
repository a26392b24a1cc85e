//! The loop around [`crate::health`]: ask the witnesses, judge, restart whom the judge names, publish.
//!
//! systemd is asked when it has announced a change, and once after each connection; containers are looked at every few seconds, through the kernel alone; GitHub is
//! asked for its list now and then. Nobody waits for anybody: a GitHub that takes a minute to answer delays no restart.

mod heal;
mod look;
mod notifier;
mod queue;
mod receiver;
mod watch;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch::{self as channel, Sender};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

use crate::apply::Host;
use crate::files::{FileError, Log, Root};
use crate::fleet::{Layout, Runner};
use crate::health::{Event, Judge, Notice, Now, Observation, Queue, Snapshot, What};
use crate::why::AtGithub;
pub use heal::Healer;
use look::Looker;
pub use notifier::{Notifier, Notifiers};
pub use queue::follow_queue;
pub use receiver::{Receiver, Refusal};
use watch::Watched;

/// Events that are kept at hand; all of them are in the log.
const EVENTS_AT_HAND: usize = 50;

/// The log's bound in bytes, twice: years of a fleet that is well, and a day of one that is not.
const LOG_BYTES: u64 = 512 * 1024;

/// The pause before systemd is tried again, and twice that after each further failure, up to the longest.
const RECONNECT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How often.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Containers are looked at.
    pub look: Duration,
    /// GitHub is asked.
    pub github: Duration,
    /// A restart may take so long.
    pub heal_limit: Duration,
}

/// What GitHub answers: its runners by their names, or why there is no answer.
pub type GithubAnswer = Result<BTreeMap<String, AtGithub>, String>;

/// Watches a fleet. `connect` reaches systemd, `github` asks GitHub for its list; both as often as it takes.
pub struct Monitor<'a, C, G> {
    /// The runners.
    pub runners: &'a [Runner],
    /// What stands for `/`.
    pub root: &'a Root,
    /// Where events are kept.
    pub log: Log,
    /// Where events of others are that watch this fleet at other times.
    pub other_logs: Vec<Log>,
    /// Who restarts runners; `None`: that they are sick is only told.
    pub healer: Option<Healer>,
    /// How often.
    pub timing: Timing,
    /// Reaches systemd.
    pub connect: C,
    /// Asks GitHub; `None` where this host has no credential for it.
    pub github: Option<G>,
    /// What waits at GitHub, from [`follow_queue`].
    pub queue: channel::Receiver<Queue>,
    /// Is called at each turn of the loop: while it is, the monitor lives.
    pub alive: &'a dyn Fn(),
    /// Takes what people are to be told, and keeps nobody waiting.
    pub tell: &'a dyn Fn(&Notice),
}

/// The log of a fleet's events: the unit's own, or that of whoever runs the monitor by hand.
#[must_use]
pub fn log(root: &Root, layout: &Layout, is_unit: bool) -> Log {
    Log::new(root.at(&layout.monitor_state(is_unit).join("events")), LOG_BYTES)
}

/// The events in `logs`, oldest first.
///
/// # Errors
/// One cannot be read.
pub fn events<'a>(logs: impl IntoIterator<Item = &'a Log>) -> Result<Vec<Event>, FileError> {
    let texts = logs.into_iter().map(Log::read).collect::<Result<Vec<_>, _>>()?;
    Ok(in_lines(&texts))
}

/// The events in the lines of several logs, in the order of their time.
#[must_use]
pub fn in_lines(texts: &[String]) -> Vec<Event> {
    let mut events: Vec<_> = texts.iter().flat_map(|text| text.lines()).filter_map(Event::of_line).collect();
    events.sort_by_key(|event| event.time);
    events
}

/// Something that is under way beside the loop.
type Task<'a, T> = Option<Pin<Box<dyn Future<Output = T> + 'a>>>;

async fn ended<T>(task: &mut Task<'_, T>) -> T {
    match task {
        Some(running) => {
            let result = running.as_mut().await;
            *task = None;
            result
        }
        None => std::future::pending().await,
    }
}

impl<C, G> Monitor<'_, C, G>
where
    C: AsyncFn() -> Result<Host, String>,
    G: AsyncFn() -> GithubAnswer,
{
    /// Goes on until it is dropped. What is known goes to `publish` after each change.
    pub async fn run(&self, publish: &Sender<Arc<Snapshot>>) {
        let mut state = State::new(self);
        let (mut looks, mut asks) = (every(self.timing.look), every(self.timing.github));
        let mut looker = Looker::default();
        let mut pause = RECONNECT.0;
        let mut watched: Option<Watched> = None;
        let mut connecting: Task<'_, _> = Some(Box::pin(self.connect(Duration::ZERO)));
        let mut asking: Task<'_, (GithubAnswer, Now)> = None;
        let mut healing: Task<'_, Observation> = None;
        let mut queue = self.queue.clone();
        loop {
            (self.alive)();
            tokio::select! {
                connected = ended(&mut connecting) => match connected {
                    Ok(new) => {
                        pause = RECONNECT.0;
                        watched = Some(new);
                        looks.reset_immediately();
                    }
                    Err(reason) => {
                        state.observe(Observation::SystemdLost(reason));
                        connecting = Some(Box::pin(self.connect(pause)));
                        pause = RECONNECT.1.min(pause * 2);
                    }
                },
                news = watch::next(&mut watched) => match news {
                    Ok((number, unit)) => {
                        let seen = watched.as_ref().and_then(|watched| self.look(&mut looker, watched, number));
                        state.observe(Observation::Systemd(number, unit));
                        state.observe_all(seen);
                    }
                    Err(reason) => {
                        watched = None;
                        state.observe(Observation::SystemdLost(reason));
                        connecting = Some(Box::pin(self.connect(pause)));
                    }
                },
                _ = looks.tick() => {
                    if let Some(watched) = &watched {
                        let numbers = self.runners.iter().map(|runner| runner.number);
                        state.observe_all(numbers.filter_map(|number| self.look(&mut looker, watched, number)));
                        state.observe_all(self.runners.iter().map(|runner| look::image(self.root, runner)));
                    }
                }
                _ = asks.tick(), if asking.is_none() && self.github.is_some() => {
                    if let Some(github) = &self.github {
                        let asked = state.now();
                        asking = Some(Box::pin(async move { (github().await, asked) }));
                    }
                }
                (answer, asked) = ended(&mut asking) => state.observe(self.of_github(answer, asked)),
                end = ended(&mut healing) => state.observe(end),
                // Without anybody who asks, nothing changes.
                Ok(()) = queue.changed() => {}
            }
            if let (Some(number), Some(watched), Some(healer)) = (state.decide(), &watched, &self.healer) {
                let host = Arc::clone(&watched.host);
                let limit = self.timing.heal_limit;
                healing = Some(Box::pin(async move { healer.heal(&host, number, limit).await }));
            }
            let waiting = queue.borrow_and_update().clone();
            publish.send_replace(Arc::new(Snapshot { queue: waiting, ..state.snapshot() }));
        }
    }

    async fn connect(&self, pause: Duration) -> Result<Watched, String> {
        sleep(pause).await;
        Watched::begin((self.connect)().await?, self.runners).await
    }

    fn look(&self, looker: &mut Looker, watched: &Watched, number: u16) -> Option<Observation> {
        let runner = self.runners.iter().find(|runner| runner.number == number)?;
        Some(looker.look(&watched.host, self.root, runner))
    }

    fn of_github(&self, answer: GithubAnswer, asked: Now) -> Observation {
        let seen = |list: BTreeMap<String, AtGithub>| {
            let number = |runner: &Runner| Some((runner.number, *list.get(&runner.name)?));
            self.runners.iter().filter_map(number).collect()
        };
        Observation::Github(answer.map(seen), asked)
    }
}

/// What was missed while the host slept is not made up for.
fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The judge, with a clock, and what has happened.
struct State<'a> {
    tell: &'a dyn Fn(&Notice),
    judge: Judge,
    begin: Instant,
    log: Log,
    events: Vec<Event>,
}

impl<'a> State<'a> {
    fn new<C, G>(monitor: &Monitor<'a, C, G>) -> Self {
        let begin = Instant::now();
        let now = Now { uptime: SignedDuration::ZERO, time: Timestamp::now() };
        let fleet = monitor.runners.iter().map(|runner| (runner.number, runner.name.clone()));
        let mut judge = Judge::new(fleet, monitor.healer.is_some(), now);
        let logs = monitor.other_logs.iter().chain([&monitor.log]);
        let mut events = events(logs).unwrap_or_else(|error| {
            tracing::warn!(%error, "earlier restarts are not known");
            Vec::new()
        });
        judge.remember(&events, now);
        events.drain(..events.len().saturating_sub(EVENTS_AT_HAND));
        let mut state = Self { tell: monitor.tell, judge, begin, log: monitor.log.clone(), events };
        let why = match monitor.healer {
            Some(_) => "the monitor began",
            None => "the monitor began; it restarts nobody",
        };
        state.keep(vec![Event::new(now, None, What::Watching, why)]);
        state
    }

    fn now(&self) -> Now {
        let uptime = SignedDuration::try_from(self.begin.elapsed()).unwrap_or(SignedDuration::MAX);
        Now { uptime, time: Timestamp::now() }
    }

    fn observe(&mut self, observation: Observation) {
        let events = self.judge.observe(observation, self.now());
        self.keep(events);
    }

    fn observe_all(&mut self, observations: impl IntoIterator<Item = Observation>) {
        observations.into_iter().for_each(|observation| self.observe(observation));
    }

    fn decide(&mut self) -> Option<u16> {
        let (number, events) = self.judge.decide(self.now());
        self.keep(events);
        number
    }

    fn keep(&mut self, events: Vec<Event>) {
        for event in events {
            tracing::info!(runner = event.runner, why = event.why, "{}", event.what.words());
            if let Err(error) = self.log.add(&event.line()) {
                tracing::warn!(%error, "an event is not kept");
            }
            let standing = event.runner.and_then(|number| self.judge.standing(number));
            if let Some(notice) = Notice::of(&event, standing) {
                (self.tell)(&notice);
            }
            self.events.push(event);
        }
        self.events.drain(..self.events.len().saturating_sub(EVENTS_AT_HAND));
    }

    fn snapshot(&self) -> Snapshot {
        self.judge.snapshot(&self.events, self.now())
    }
}
