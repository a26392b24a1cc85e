//! The loop of `crate::monitor`, second by second: who is asked when, and what the judge is told in which order.

use std::collections::VecDeque;

use fastrand::Rng;

use super::runner::TrueRunner;
use super::weather::Weather;
use super::*;

/// `--look-interval` by default; the watchdog of the unit asks for no more.
const LOOK_INTERVAL: i64 = 10;

/// `monitor.github_interval`: by default, and the least that is allowed.
const GITHUB_INTERVALS: [i64; 2] = [60, 20];

/// GitHub's client waits no longer.
const GITHUB_LIMIT: i64 = 60;

pub(super) const LONGEST_ANSWER_IN_THE_CALM: i64 = 2;

/// GitHub's answers may be as old: `Cache-Control: max-age=60`.
const BEHIND_AT_MOST: i64 = 60;

/// Between two attempts to find the bus.
const LONGEST_PAUSE: i64 = 30;

type Answer = Result<BTreeMap<u16, AtGithub>, String>;

pub(super) struct Watcher {
    judge: Judge,
    begin: i64,
    /// Units that systemd has announced.
    pub(super) unread: VecDeque<u16>,
    /// The last that GitHub's list said.
    pub(super) told_busy: [bool; COUNT as usize],
    /// How old GitHub's answers are in the calm.
    pub(super) behind: i64,
    /// Between two lists.
    pub(super) interval: i64,
    /// For the reader of a failure.
    pub(super) last_events: VecDeque<Event>,
    events: Vec<Event>,
    calm_from: i64,
    next_look: i64,
    next_ask: i64,
    /// When the answer comes, when it was asked for, and what it is.
    asking: Option<(i64, Now, Answer)>,
    /// `None` while there is one; else when it is tried again, and the pause after that.
    no_bus: Option<(i64, i64)>,
    healing: Option<u16>,
    /// Something was told in this second: a turn of the loop, which ends with a decision.
    turned: bool,
}

impl Watcher {
    pub(super) fn new(rng: &mut Rng, clock: Clock, calm_from: i64) -> Self {
        Self {
            judge: judge(),
            begin: clock.uptime,
            unread: VecDeque::new(),
            told_busy: [false; COUNT as usize],
            behind: rng.i64(0..=BEHIND_AT_MOST),
            interval: GITHUB_INTERVALS[usize::from(rng.u32(..4) == 0)],
            last_events: VecDeque::new(),
            events: Vec::new(),
            calm_from,
            next_look: 0,
            next_ask: 0,
            asking: None,
            no_bus: Some((0, 1)),
            healing: None,
            turned: false,
        }
    }

    /// Another monitor, which has nothing but the events of the one before.
    fn begin_anew(&mut self, rng: &mut Rng, clock: Clock) {
        let events = std::mem::take(&mut self.events);
        let (behind, interval) = (self.behind, self.interval);
        *self = Self { behind, interval, events, ..Self::new(rng, clock, self.calm_from) };
        (self.next_look, self.next_ask, self.no_bus) = (clock.uptime, clock.uptime, Some((clock.uptime, 1)));
        let now = self.now(clock);
        self.judge.remember(&self.events, now);
    }

    fn now(&self, clock: Clock) -> Now {
        Now { uptime: SignedDuration::from_secs(clock.uptime - self.begin), time: clock.time() }
    }

    fn tell(&mut self, observation: Observation, clock: Clock) {
        self.turned = true;
        let events = self.judge.observe(observation, self.now(clock));
        self.keep(events);
    }

    fn keep(&mut self, events: Vec<Event>) {
        self.last_events.extend(events.iter().cloned());
        self.last_events.drain(..self.last_events.len().saturating_sub(12));
        self.events.extend(events);
    }

    /// A second. Who is restarted now.
    pub(super) fn step(
        &mut self,
        rng: &mut Rng,
        clock: Clock,
        weather: &Weather,
        runners: &mut [TrueRunner],
        lists: &[[AtGithub; COUNT as usize]],
    ) -> Option<u16> {
        if weather.starts_monitor(clock.uptime) {
            self.begin_anew(rng, clock);
        }
        // Whichever is first: the loop takes what is ready.
        if rng.bool() {
            self.hear_github(rng, clock, weather, lists);
            self.hear_host(clock, weather, runners);
        } else {
            self.hear_host(clock, weather, runners);
            self.hear_github(rng, clock, weather, lists);
        }
        if let Some(number) = self.healing.filter(|number| runners[usize::from(*number) - 1].is_up()) {
            self.healing = None;
            self.tell(Observation::HealEnded(number, HealEnd::Healed), clock);
        }
        if !std::mem::take(&mut self.turned) {
            return None;
        }
        let (decided, events) = self.judge.decide(self.now(clock));
        self.keep(events);
        assert!(self.healing.is_none() || decided.is_none(), "two at once");
        self.healing = self.healing.or(decided);
        decided
    }

    fn hear_host(&mut self, clock: Clock, weather: &Weather, runners: &[TrueRunner]) {
        let has_bus = weather.has_bus(clock.uptime);
        match self.no_bus {
            None if has_bus => {}
            None => {
                self.lose_bus();
                self.tell(Observation::SystemdLost("the connection to the bus is lost".to_owned()), clock);
            }
            Some((again, pause)) if clock.uptime >= again && !has_bus => {
                self.no_bus = Some((clock.uptime + pause, LONGEST_PAUSE.min(pause * 2)));
                self.tell(Observation::SystemdLost("no bus".to_owned()), clock);
            }
            Some((again, _)) if clock.uptime >= again => {
                self.no_bus = None;
                self.unread = (1..=COUNT).collect();
                self.next_look = clock.uptime;
            }
            Some(_) => {}
        }
        if self.no_bus.is_some() {
            self.unread.clear();
            return;
        }
        while let Some(number) = self.unread.pop_front() {
            // The look is taken before systemd's word is told, as the loop does it.
            let unit = runners[usize::from(number) - 1].unit.clone();
            self.tell(Observation::Systemd(number, unit), clock);
            self.look(number, clock, runners);
        }
        if clock.uptime >= self.next_look {
            self.next_look = clock.uptime + LOOK_INTERVAL;
            (1..=COUNT).for_each(|number| self.look(number, clock, runners));
        }
    }

    fn lose_bus(&mut self) {
        self.no_bus = Some((0, 1));
    }

    fn look(&mut self, number: u16, clock: Clock, runners: &[TrueRunner]) {
        let runner = &runners[usize::from(number) - 1];
        let container = Some(runner.container(clock.uptime));
        let (drained, usage) = (runner.drained, USAGE);
        self.tell(Observation::Look { number, container, drained, usage, workflow_job: None }, clock);
    }

    fn hear_github(
        &mut self,
        rng: &mut Rng,
        clock: Clock,
        weather: &Weather,
        lists: &[[AtGithub; COUNT as usize]],
    ) {
        if self.asking.is_none() && clock.uptime >= self.next_ask {
            self.next_ask = clock.uptime + self.interval;
            self.asking = Some(self.ask(rng, clock, weather, lists));
        }
        if let Some((_, asked, answer)) = self.asking.take_if(|(comes, ..)| clock.uptime >= *comes) {
            if let Ok(list) = &answer {
                self.told_busy = std::array::from_fn(|place| {
                    u16::try_from(place + 1).ok().and_then(|number| list.get(&number))
                        == Some(&AtGithub::Busy)
                });
            }
            self.tell(Observation::Github(answer, asked), clock);
        }
    }

    fn ask(
        &self,
        rng: &mut Rng,
        clock: Clock,
        weather: &Weather,
        lists: &[[AtGithub; COUNT as usize]],
    ) -> (i64, Now, Answer) {
        let is_calm = clock.uptime >= self.calm_from;
        let slow = if rng.u32(..20) == 0 { GITHUB_LIMIT } else { 2 };
        let takes = rng.i64(0..=if is_calm { LONGEST_ANSWER_IN_THE_CALM } else { slow });
        let behind = if is_calm { self.behind } else { rng.i64(0..=BEHIND_AT_MOST) };
        let is_there = weather.has_list(clock.uptime) && weather.has_list(clock.uptime + takes);
        let answer = if is_there && takes < GITHUB_LIMIT {
            let at = usize::try_from(clock.elsewhere() - behind).unwrap_or(0).min(lists.len() - 1);
            Ok((1..=COUNT).zip(lists[at]).collect())
        } else {
            Err("no answer".to_owned())
        };
        (clock.uptime + takes, self.now(clock), answer)
    }
}

fn judge() -> Judge {
    Judge::new((1..=COUNT).map(|number| (number, String::new())), true, now(0))
}
