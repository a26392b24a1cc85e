//! Two hours of four runners, hundreds of times over, in simulated time: workflow jobs, ends and restarts, people who stop and drain, a GitHub that is away, slow or behind, a bus
//! that is gone, a host that sleeps, a monitor that is started again. With the intervals that the monitor has by default.
//!
//! Who is sick and who is busy is known here for certain, so it can be told whether the judge was right.

mod runner;
mod watcher;
mod weather;

use fastrand::Rng;

use super::*;
use runner::{Sickness, TrueRunner};
use watcher::Watcher;
use weather::Weather;

const COUNT: u16 = 4;

const TWO_HOURS: i64 = 2 * 3600;

/// Without optimisation each takes 30 ms or more.
const FLEETS: u64 = if cfg!(debug_assertions) { 250 } else { 5000 };

/// A sick runner may have begun a workflow job that takes an hour and a half.
const AT_MOST: i64 = 3 * TWO_HOURS;

/// The longest time from a listener's death to the restart, while nothing speaks against it.
const DEAD_LIMIT: i64 = 45;

/// From GitHub's list saying offline to the restart, in intervals between two lists; and what the last answer takes.
const ZOMBIE_LIMIT: (i64, i64) = (3, watcher::LONGEST_ANSWER_IN_THE_CALM);

/// Seconds of the host's own clock, and how long it has slept in all.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    uptime: i64,
    asleep: i64,
}

impl Clock {
    /// Seconds that have passed for everybody else.
    fn elsewhere(self) -> i64 {
        self.uptime + self.asleep
    }

    fn time(self) -> Timestamp {
        now(self.elsewhere()).time
    }
}

/// One of them.
struct Fleet {
    seed: u64,
    rng: Rng,
    clock: Clock,
    weather: Weather,
    runners: Vec<TrueRunner>,
    /// What GitHub's list was in each second that has passed for it.
    lists: Vec<[AtGithub; COUNT as usize]>,
    watcher: Watcher,
    /// Since when has nothing spoken against the restart of the one that is sick?
    due_since: Option<i64>,
    /// How long after that it was restarted.
    took: Option<i64>,
}

impl Fleet {
    /// From `calm_from` on only workflow jobs happen.
    fn new(seed: u64, calm_from: i64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let weather = Weather::new(&mut rng, calm_from);
        let runners = (0..COUNT).map(|_| TrueRunner::new(&mut rng)).collect();
        let watcher = Watcher::new(&mut rng, Clock::default(), calm_from);
        let (clock, lists) = (Clock::default(), Vec::new());
        Self { seed, rng, clock, weather, runners, lists, watcher, due_since: None, took: None }
    }

    /// A second.
    fn step(&mut self) {
        if let Some(seconds) = self.weather.sleeps(self.clock.uptime) {
            self.sleep(seconds);
            self.runners.iter_mut().for_each(|runner| runner.wake(&mut self.rng, self.clock));
        }
        let (may_trouble, github) =
            (self.weather.may_trouble(self.clock.uptime), self.weather.has_github(self.clock.uptime));
        for (number, runner) in (1..).zip(&mut self.runners) {
            if runner.step(&mut self.rng, self.clock, github, may_trouble) {
                self.watcher.unread.push_back(number);
            }
        }
        self.list();
        self.note_due();
        let decided =
            self.watcher.step(&mut self.rng, self.clock, &self.weather, &mut self.runners, &self.lists);
        if let Some(number) = decided {
            self.restart(number);
        }
        self.clock.uptime += 1;
    }

    /// For everybody else time goes on.
    fn sleep(&mut self, seconds: i64) {
        // Nothing changes in their lists after a minute without a poll.
        let changing = seconds.min(runner::POLL_LIMIT + 1);
        for _ in 0..changing {
            self.list();
            self.clock.asleep += 1;
        }
        let left = seconds - changing;
        let (count, last) = (usize::try_from(left).unwrap_or(0), *self.lists.last().unwrap());
        self.lists.extend(std::iter::repeat_n(last, count));
        self.clock.asleep += left;
    }

    fn list(&mut self) {
        let elsewhere = self.clock.elsewhere();
        let says = |runner: &TrueRunner| runner.at_github(elsewhere);
        self.lists.push(std::array::from_fn(|place| self.runners.get(place).map_or(AtGithub::Absent, says)));
    }

    /// The judge has ordered it.
    fn restart(&mut self, number: u16) {
        let runner = &mut self.runners[usize::from(number) - 1];
        let story = || (self.seed, self.clock, number, &self.watcher.last_events);
        assert!(runner.sickness.is_some(), "was not sick: {:?}", story());
        let is_told_busy = self.watcher.told_busy[usize::from(number) - 1];
        assert!(!runner.worker && !is_told_busy, "is busy: {:?}", story());
        self.took = Some(self.clock.uptime - self.due_since.unwrap_or(self.clock.uptime));
        runner.sickness = None;
        runner.stop(&mut self.rng, self.clock);
    }

    /// Dead, idle by everybody's word, and known to be up; or for GitHub's list just as long offline.
    fn note_due(&mut self) {
        let behind = self.watcher.behind;
        let list = usize::try_from(self.clock.elsewhere() - behind).ok().and_then(|at| self.lists.get(at));
        for (place, runner) in self.runners.iter().enumerate() {
            let Some(sickness) = runner.sickness else { continue };
            let is_due = match sickness {
                Sickness::DeadListener => !self.watcher.told_busy[place],
                Sickness::Zombie => list.is_some_and(|list| list[place] == AtGithub::Offline),
            };
            if !is_due || runner.worker {
                self.due_since = None;
            } else if self.due_since.is_none() {
                self.due_since = Some(self.clock.uptime);
            }
        }
    }
}

#[test]
fn in_two_hours_of_anything_nobody_who_is_well_is_restarted() {
    for seed in 0..FLEETS {
        let mut fleet = Fleet::new(seed, i64::MAX);
        while fleet.clock.uptime < TWO_HOURS {
            fleet.step();
        }
        assert!(fleet.runners.iter().all(|runner| runner.workflow_jobs > 0), "no workflow jobs: {seed}");
    }
}

/// Runs two hours in which one falls sick, and more if it is busy for longer. How long its restart took, and how long it may.
fn fall_sick(seed: u64, sickness: Sickness) -> (i64, i64) {
    let mut dice = Rng::with_seed(!seed);
    let (place, begins) = (dice.usize(..usize::from(COUNT)), dice.i64(1500..5400));
    // What happens before is over by then, and so is what it has left behind.
    let mut fleet = Fleet::new(seed, begins - 1200);
    let mut is_sick = false;
    while fleet.clock.uptime < TWO_HOURS || (fleet.took.is_none() && fleet.clock.uptime < AT_MOST) {
        if fleet.clock.uptime >= begins && !is_sick && fleet.runners[place].is_up() {
            fleet.runners[place].sickness = Some(sickness);
            is_sick = true;
        }
        fleet.step();
    }
    let limit = match sickness {
        Sickness::DeadListener => DEAD_LIMIT,
        Sickness::Zombie => ZOMBIE_LIMIT.0 * fleet.watcher.interval + ZOMBIE_LIMIT.1,
    };
    (fleet.took.unwrap_or(i64::MAX), limit)
}

#[track_caller]
fn assert_in_time(sickness: Sickness) {
    let took: Vec<(i64, i64)> = (0..FLEETS / 4).map(|seed| fall_sick(seed, sickness)).collect();
    let late: Vec<_> = took.iter().enumerate().filter(|(_, (took, limit))| took > limit).collect();
    assert!(late.is_empty(), "too late (seed, seconds, limit): {late:?}");
    // Or nothing was measured.
    assert!(took.iter().any(|(took, limit)| *took > limit / 2), "{took:?}");
}

#[test]
fn a_listener_that_dies_is_restarted_within_45_seconds_unless_it_is_busy() {
    assert_in_time(Sickness::DeadListener);
}

#[test]
fn a_silent_zombie_is_restarted_within_three_intervals_unless_it_is_busy() {
    assert_in_time(Sickness::Zombie);
}
