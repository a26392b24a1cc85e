//! The state of the whole fleet, moved on by what the witnesses say.
//!
//! Restarted is only who is idle as far as anybody says, one runner at a time, within the [`Budget`]. What GitHub's API does not say restarts nobody.

mod observe;
mod record;
mod way_back;

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Now;
use super::budget::{Allowance, Budget};
use super::event::{Event, What};
use super::queue::Queue;
use super::snapshot::{RunnerHealth, Snapshot};
use super::verdict::Verdict;
pub use observe::Observation;
use record::Record;
use way_back::WayBack;

/// A listener has to be seen dead for so long. With the looks of the monitor it is restarted within half a minute, well before the container's own check acts (three times
/// 30 s by default), which is there for when no monitor runs; a restart of either kind starts the other's count anew.
/// A little less than two pauses between looks, since timers are never exact.
const DEAD_AFTER: SignedDuration = SignedDuration::from_secs(18);

/// Where GitHub sees nobody online, the next runner is tried so long after the last one.
const PROBE_AGAIN: SignedDuration = SignedDuration::from_mins(30);

/// Judges a fleet.
#[derive(Debug)]
pub struct Judge {
    runners: BTreeMap<u16, Record>,
    budget: Budget,
    may_heal: bool,
    /// The runner that is being restarted.
    healing: Option<u16>,
    /// GitHub sees nobody online: who was restarted to find out why, and when.
    probe: Option<(u16, SignedDuration)>,
    way_back: WayBack,
    told: Told,
}

/// What is told once, until it is over.
#[derive(Debug, Default)]
struct Told {
    systemd_lost: bool,
    github_lost: bool,
    fleet_spent: bool,
}

impl Judge {
    /// Of the runners with these numbers and names. Without `may_heal` it judges, and restarts nobody.
    #[must_use]
    pub fn new(fleet: impl IntoIterator<Item = (u16, String)>, may_heal: bool, now: Now) -> Self {
        let record = |(number, name)| (number, Record::new(name, now.time));
        let runners: BTreeMap<u16, Record> = fleet.into_iter().map(record).collect();
        let budget = Budget::new(runners.len());
        let (way_back, told) = (WayBack::default(), Told::default());
        Self { runners, budget, may_heal, healing: None, probe: None, way_back, told }
    }

    /// Counts the restarts that an earlier monitor made, and knows whether it found GitHub and what it warned of: its end gives nobody a new budget, and shortens nobody's
    /// way back.
    pub fn remember(&mut self, events: &[Event], now: Now) {
        for event in events {
            // A clock that was put back since makes nothing younger than now.
            let age = now.time.duration_since(event.time).max(SignedDuration::ZERO);
            match (event.runner, event.what) {
                (Some(number), What::Heal) if self.runners.contains_key(&number) => {
                    self.budget.spend(number, now.uptime - age);
                }
                (Some(number), What::HealCalledOff) if self.runners.contains_key(&number) => {
                    self.budget.give_back(number);
                }
                (Some(number), What::Forgiven) => self.budget.forgive(number),
                (None, What::GithubLost) => self.told.github_lost = true,
                (None, What::GithubBack) => {
                    self.told.github_lost = false;
                    self.way_back.begin(now.uptime - age);
                }
                (Some(number), What::VersionDeadline) => {
                    if let Some(record) = self.runners.get_mut(&number) {
                        record.deadline_told = Some(now.uptime - age);
                    }
                }
                _ => {}
            }
        }
    }

    fn judge(&mut self, now: Now, events: &mut Vec<Event>) {
        for (number, record) in &mut self.runners {
            let verdict = record.judge(now);
            if self.budget.note(*number, verdict.is_serving(), now.uptime) {
                record.gave_up = false;
                let why = "it was well for an hour: its restarts are forgotten";
                events.push(Event::new(now, Some(*number), What::Forgiven, why));
            }
            if let Some(why) = record.warn_of_deadline(verdict, now) {
                events.push(Event::new(now, Some(*number), What::VersionDeadline, &why));
            }
            if verdict == record.verdict {
                continue;
            }
            record.verdict = verdict;
            record.verdict_since = now.time;
            let what = match verdict {
                Verdict::GivenUp => What::GaveUp,
                _ if verdict.is_fault() => What::Fault,
                _ if record.is_at_fault && verdict.is_serving() => What::Recovered,
                _ => continue,
            };
            record.is_at_fault = verdict.is_fault();
            events.push(Event::new(now, Some(*number), what, verdict.why()));
        }
    }

    /// The runner that is to be restarted now, if any: the judge counts it as being restarted until it is told of the end.
    pub fn decide(&mut self, now: Now) -> (Option<u16>, Vec<Event>) {
        let mut events = Vec::new();
        if !self.may_heal || self.healing.is_some() {
            return (None, events);
        }
        for number in self.sick(now) {
            let allowance = self.budget.allows(number, now.uptime);
            self.tell_limits(number, allowance, now, &mut events);
            if allowance != Allowance::Now {
                continue;
            }
            let is_probe = self.is_nobody_online();
            let Some(record) = self.runners.get_mut(&number) else { continue };
            let mut why = record.verdict.why().to_owned();
            if record.verdict == Verdict::SilentZombie && is_probe {
                self.probe = Some((number, now.uptime));
                why.push_str(
                    "; GitHub sees none of them online, so the others wait for what becomes of this one",
                );
            }
            record.heals += 1;
            self.told.fleet_spent = false;
            self.budget.spend(number, now.uptime);
            self.healing = Some(number);
            events.push(Event::new(now, Some(number), What::Heal, &why));
            return (Some(number), events);
        }
        (None, events)
    }

    /// Who has been at fault for long enough, and is idle; who was restarted least comes first.
    fn sick(&self, now: Now) -> Vec<u16> {
        let waits_for_probe = self.probe.is_some_and(|(_, since)| now.uptime - since < PROBE_AGAIN);
        let mut sick: Vec<(u32, u16)> = self
            .runners
            .iter()
            .filter(|(_, record)| !record.witnesses.is_busy() && !record.gave_up)
            .filter(|(_, record)| match record.verdict {
                Verdict::ListenerDead => {
                    record.dead_since.is_some_and(|since| now.uptime - since >= DEAD_AFTER)
                }
                Verdict::SilentZombie => !waits_for_probe,
                _ => false,
            })
            .map(|(number, record)| (record.heals, *number))
            .collect();
        sick.sort_unstable();
        sick.into_iter().map(|(_, number)| number).collect()
    }

    /// Does GitHub see none of those online that call themselves so, and are those several? Then it may be GitHub, or the way there.
    fn is_nobody_online(&self) -> bool {
        let disagrees =
            |record: &&Record| matches!(record.verdict, Verdict::SilentZombie | Verdict::GithubDisagrees);
        let disputed = self.runners.values().filter(disagrees).count();
        (disputed > 1 || self.probe.is_some()) && !self.runners.values().any(Record::is_seen_online)
    }

    /// Giving up is told, once.
    fn tell_limits(&mut self, number: u16, allowance: Allowance, now: Now, events: &mut Vec<Event>) {
        match allowance {
            Allowance::Now | Allowance::Later => {}
            // The next judgement says so.
            Allowance::GivenUp => {
                if let Some(record) = self.runners.get_mut(&number) {
                    record.gave_up = true;
                }
            }
            Allowance::FleetSpent => {
                if !std::mem::replace(&mut self.told.fleet_spent, true) {
                    let why = "the fleet was restarted too often within an hour: nobody is restarted for now";
                    events.push(Event::new(now, None, What::GaveUp, why));
                }
            }
        }
    }

    /// A runner's name, and how it stands.
    #[must_use]
    pub fn standing(&self, number: u16) -> Option<(&str, Verdict)> {
        self.runners.get(&number).map(|record| (record.name.as_str(), record.verdict))
    }

    /// Everything that is known, for people and programs.
    #[must_use]
    pub fn snapshot(&self, events: &[Event], now: Now) -> Snapshot {
        let runner = |(number, record): (&u16, &Record)| RunnerHealth {
            number: *number,
            name: record.name.clone(),
            verdict: record.verdict,
            why: record.verdict.why(),
            hint: record.verdict.hint(*number),
            since: record.verdict_since,
            heals: record.heals,
            healing: self.healing == Some(*number),
            witnesses: record.witnesses.clone(),
            usage: record.usage,
            workflow_job: record.workflow_job.clone(),
            image: record.image.clone(),
            history: record.history.minutes(),
        };
        Snapshot {
            time: now.time,
            may_heal: self.may_heal,
            runners: self.runners.iter().map(runner).collect(),
            events: events.to_vec(),
            queue: Queue::default(),
        }
    }
}

#[cfg(test)]
mod tests;
