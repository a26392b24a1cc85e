//! Takes in what the witnesses say.

use std::collections::BTreeMap;

use super::record::Record;
use super::{Event, Judge, Now, What};
use crate::health::Activity;
use crate::health::heal::HealEnd;
use crate::health::oom;
use crate::health::witness::{Container, Github, Since, Unit, Usage, WorkflowJob};
use crate::status::ImageAge;
use crate::why::AtGithub;

/// What a witness says.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// systemd, of a runner's unit.
    Systemd(u16, Unit),
    /// systemd cannot be asked.
    SystemdLost(String),
    /// The host has looked at a runner's container.
    Look {
        /// The runner.
        number: u16,
        /// `None` where that could not be seen.
        container: Option<Container>,
        /// `runnerctl drain` has its mark there.
        drained: bool,
        /// What it uses.
        usage: Usage,
        /// What it says that it runs.
        workflow_job: Option<WorkflowJob>,
    },
    /// The image of a runner's container; `None` where that is not known.
    Image(u16, Option<ImageAge>),
    /// GitHub's list: who is in it, by number, and when it was asked for. Or why there is none.
    Github(Result<BTreeMap<u16, AtGithub>, String>, Now),
    /// A restart that the judge ordered has ended.
    HealEnded(u16, HealEnd),
}

impl Judge {
    /// Takes in what a witness says. Returns what has happened by that.
    pub fn observe(&mut self, observation: Observation, now: Now) -> Vec<Event> {
        let mut events = Vec::new();
        if self.way_back.has_slept(now) {
            self.runners.values_mut().for_each(|record| record.offline_looks = 0);
        }
        match observation {
            Observation::Systemd(number, unit) => self.observe_systemd(number, unit, now, &mut events),
            Observation::SystemdLost(reason) => {
                if !std::mem::replace(&mut self.told.systemd_lost, true) {
                    events.push(Event::new(now, None, What::SystemdLost, &reason));
                }
                self.runners.values_mut().for_each(Record::lose_systemd);
            }
            Observation::Look { number, container, drained, usage, workflow_job } => {
                if let Some(record) = self.runners.get_mut(&number) {
                    record.look(container, drained, usage, now);
                    let before = record.workflow_job.take();
                    record.workflow_job =
                        workflow_job.filter(|_| container.is_some_and(|container| container.worker));
                    if let Some(kills) = record.oom_kills.note(usage.oom_kills, now.uptime) {
                        // It may be over by now, for that very reason.
                        let last = record.workflow_job.as_ref().or(before.as_ref());
                        let why = oom::why(kills, usage.memory_max_bytes, last);
                        events.push(Event::new(now, Some(number), What::OomKilled, &why));
                    }
                }
            }
            Observation::Image(number, image) => {
                if let Some(record) = self.runners.get_mut(&number) {
                    record.image = image;
                }
            }
            Observation::Github(answer, asked) => self.observe_github(&answer, asked, now, &mut events),
            Observation::HealEnded(number, end) => self.observe_end(number, end, now, &mut events),
        }
        self.judge(now, &mut events);
        events
    }

    fn observe_systemd(&mut self, number: u16, unit: Unit, now: Now, events: &mut Vec<Event>) {
        if std::mem::take(&mut self.told.systemd_lost) {
            events.push(Event::new(now, None, What::SystemdBack, "systemd answers again"));
        }
        let Some(record) = self.runners.get_mut(&number) else { return };
        let before = record.witnesses.systemd.as_ref().map(|before| &before.says);
        if before.is_some_and(|before| before.restarts < unit.restarts) {
            let why = unit.exit_status.map_or("its unit ended".to_owned(), |status| {
                let exit = crate::runner::RunnerExit::from_code(status);
                exit.map_or(format!("it ended with status {status}"), |exit| exit.sentence().to_owned())
            });
            events.push(Event::new(now, Some(number), What::Restarted, &why));
        }
        // Another container: what was seen of the one before says nothing about it.
        if before.is_some_and(|before| before.active_since != unit.active_since)
            || unit.active_state != Activity::Active
        {
            record.forget();
        }
        let is_same = |before: &Unit, after: &Unit| before.active_state == after.active_state;
        Since::renew(&mut record.witnesses.systemd, unit, now.time, is_same);
    }

    fn observe_github(
        &mut self,
        answer: &Result<BTreeMap<u16, AtGithub>, String>,
        asked: Now,
        now: Now,
        events: &mut Vec<Event>,
    ) {
        if answer.is_ok() && self.told.github_lost {
            self.way_back.begin(now.uptime);
        }
        let counts = self.way_back.is_over(asked);
        let change = match (answer, self.told.github_lost) {
            (Err(reason), false) => Some((What::GithubLost, reason.clone())),
            (Ok(_), true) => Some((What::GithubBack, "GitHub answers again".to_owned())),
            _ => None,
        };
        events.extend(change.map(|(what, why)| Event::new(now, None, what, &why)));
        self.told.github_lost = answer.is_err();
        for (number, record) in &mut self.runners {
            let says = match answer {
                Ok(list) => list.get(number).copied().unwrap_or(AtGithub::Absent).into(),
                Err(reason) => Github::NoAnswer { reason: reason.clone() },
            };
            record.hear_github(says, asked.time, counts, now.time);
        }
        // Somebody got through: whoever is still offline has to be seen so anew, since the network may only just have come back.
        if self.probe.is_some() && self.runners.values().any(Record::is_seen_online) {
            self.probe = None;
            self.runners.values_mut().for_each(|record| record.offline_looks = 0);
        }
    }

    fn observe_end(&mut self, number: u16, end: HealEnd, now: Now, events: &mut Vec<Event>) {
        self.healing = None;
        let Some(record) = self.runners.get_mut(&number) else { return };
        record.forget();
        let (what, why) = match end {
            HealEnd::Healed => (What::Healed, "it is online again".to_owned()),
            HealEnd::Failed(why) => (What::HealFailed, why),
            HealEnd::CalledOff(why) => {
                self.budget.give_back(number);
                record.heals = record.heals.saturating_sub(1);
                (What::HealCalledOff, why)
            }
        };
        events.push(Event::new(now, Some(number), what, &why));
    }
}
