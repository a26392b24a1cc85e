#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is missing fails the test")]

mod github;
mod properties;
mod soak;

use jiff::Timestamp;

use super::*;
use crate::health::heal::HealEnd;
use crate::health::witness::{Container, Unit, Usage, WorkflowJob};
use crate::health::{Activity, Listener};
use crate::runner::SessionState;
use crate::status::ImageAge;
use crate::why::AtGithub;

const USAGE: Usage = Usage {
    cpu_percent: None,
    cpu_quota_percent: None,
    memory_bytes: None,
    memory_max_bytes: None,
    oom_kills: None,
};

fn now(seconds: i64) -> Now {
    let uptime = SignedDuration::from_secs(seconds);
    Now { uptime, time: Timestamp::from_second(1_800_000_000 + seconds).unwrap() }
}

fn unit(active_state: Activity, active_since: i64) -> Unit {
    Unit { active_state, restarts: 0, exit_status: None, active_since: Some(now(active_since).time) }
}

fn look(number: u16, listener: Listener, worker: bool) -> Observation {
    let container = Some(Container { session: Some(SessionState::Online), listener, worker });
    Observation::Look { number, container, drained: false, usage: USAGE, workflow_job: None }
}

/// An image of so many days.
fn image(number: u16, days: i64) -> Observation {
    let built = now(0).time;
    let later = built + SignedDuration::from_hours(24 * days);
    let image = ImageAge::new(&"x.y/runner:1".parse().unwrap(), "a", &built.to_string(), later);
    Observation::Image(number, Some(image.unwrap()))
}

/// A fleet whose runners are up and well since before the monitor began, and what is told to its judge.
struct Bed {
    judge: Judge,
    count: u16,
    seconds: i64,
    events: Vec<Event>,
}

impl Bed {
    fn new(count: u16) -> Self {
        let judge = Judge::new((1..=count).map(|number| (number, format!("runner-{number}"))), true, now(0));
        let mut bed = Self { judge, count, seconds: 0, events: Vec::new() };
        for number in 1..=count {
            bed.tell(Observation::Systemd(number, unit(Activity::Active, -100)));
            bed.tell(look(number, Listener::Running, false));
        }
        bed
    }

    fn tell(&mut self, observation: Observation) {
        let events = self.judge.observe(observation, now(self.seconds));
        self.events.extend(events);
    }

    fn decide(&mut self) -> Option<u16> {
        let (heal, events) = self.judge.decide(now(self.seconds));
        self.events.extend(events);
        heal
    }

    /// Looks at `number` every 10 s for so long; who is to be restarted, and when.
    fn dead_for(&mut self, number: u16, seconds: i64) -> Vec<i64> {
        let mut healed = Vec::new();
        for _ in 0..seconds / 10 {
            self.tell(look(number, Listener::Stopped, false));
            if self.decide() == Some(number) {
                healed.push(self.seconds);
                self.tell(Observation::HealEnded(number, HealEnd::Healed));
            }
            self.seconds += 10;
        }
        healed
    }

    fn verdict(&self, number: u16) -> Verdict {
        self.judge.runners[&number].verdict
    }

    fn happened(&self) -> Vec<(Option<u16>, What)> {
        self.events.iter().map(|event| (event.runner, event.what)).collect()
    }
}

#[test]
fn a_dead_listener_is_restarted_after_twenty_seconds_and_not_before() {
    let mut bed = Bed::new(2);
    assert_eq!(bed.dead_for(1, 30), [20]);
    assert_eq!(bed.happened(), [(Some(1), What::Fault), (Some(1), What::Heal), (Some(1), What::Healed),]);
}

#[test]
fn a_listener_that_comes_back_meanwhile_is_left_alone() {
    let mut bed = Bed::new(1);
    bed.dead_for(1, 20);
    bed.tell(look(1, Listener::Running, false));
    assert_eq!((bed.dead_for(1, 20), bed.verdict(1)), (vec![], Verdict::ListenerDead));
    assert!(bed.happened().contains(&(Some(1), What::Recovered)));
}

#[test]
fn the_engines_own_restart_starts_the_count_anew() {
    let mut bed = Bed::new(1);
    bed.dead_for(1, 20);
    bed.tell(Observation::Systemd(1, unit(Activity::Activating, -100)));
    assert_eq!(bed.decide(), None);
    bed.tell(Observation::Systemd(
        1,
        Unit { restarts: 1, exit_status: Some(137), ..unit(Activity::Active, 20) },
    ));
    // The last look was at the container before.
    assert!(bed.dead_for(1, 20).is_empty());
    assert!(bed.happened().contains(&(Some(1), What::Restarted)));
}

#[test]
fn a_worker_whose_listener_is_dead_is_waited_for() {
    let mut bed = Bed::new(1);
    for _ in 0..100 {
        bed.tell(look(1, Listener::Missing, true));
        assert_eq!((bed.decide(), bed.verdict(1)), (None, Verdict::WorkerAlone));
        bed.seconds += 10;
    }
    assert_eq!(bed.dead_for(1, 30).len(), 1);
}

#[test]
fn where_no_listener_was_ever_seen_none_is_called_dead() {
    let judge = Judge::new([(1, "runner-1".to_owned())], true, now(0));
    let mut bed = Bed { judge, count: 1, seconds: 0, events: Vec::new() };
    bed.tell(Observation::Systemd(1, unit(Activity::Active, -100)));
    for _ in 0..100 {
        bed.tell(look(1, Listener::Missing, false));
        assert_eq!((bed.decide(), bed.verdict(1)), (None, Verdict::Unknown));
        bed.seconds += 10;
    }
    bed.tell(look(1, Listener::Running, false));
    bed.tell(look(1, Listener::Missing, false));
    assert_eq!(bed.verdict(1), Verdict::ListenerDead);
}

#[test]
fn four_dead_listeners_are_restarted_one_after_another() {
    let mut bed = Bed::new(4);
    let mut order = Vec::new();
    for _ in 0..6 {
        (1..=4).for_each(|number| bed.tell(look(number, Listener::Missing, false)));
        bed.seconds += 10;
    }
    for _ in 0..4 {
        let healed = bed.decide().unwrap();
        assert_eq!(bed.decide(), None, "one is under way");
        order.push(healed);
        bed.tell(look(healed, Listener::Running, false));
        bed.tell(Observation::HealEnded(healed, HealEnd::Healed));
    }
    assert_eq!((order, bed.decide()), (vec![1, 2, 3, 4], None));
}

#[test]
fn drained_stopped_and_failed_runners_are_left_alone() {
    let mut bed = Bed::new(3);
    let failed = Unit { exit_status: Some(64), ..unit(Activity::Failed, -100) };
    bed.tell(Observation::Systemd(2, unit(Activity::Inactive, -100)));
    bed.tell(Observation::Systemd(3, failed));
    for _ in 0..100 {
        for number in 1..=3 {
            let Observation::Look { container, usage, .. } = look(number, Listener::Missing, false) else {
                return;
            };
            bed.tell(Observation::Look {
                number,
                container,
                drained: number == 1,
                usage,
                workflow_job: None,
            });
        }
        assert_eq!(bed.decide(), None);
        bed.seconds += 10;
    }
    let verdicts = [1, 2, 3].map(|number| bed.verdict(number));
    assert_eq!(
        verdicts,
        [Verdict::Drained, Verdict::Stopped, Verdict::NeedsAPerson(crate::runner::RunnerExit::NeedsToken)]
    );
}

#[test]
fn a_listener_that_stays_dead_is_given_up_after_five_restarts_and_that_is_told_once() {
    let mut bed = Bed::new(1);
    let healed = bed.dead_for(1, 24 * 3600);
    let pauses: Vec<i64> = healed.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(pauses, [60, 120, 240, 480], "{healed:?}");
    assert_eq!(bed.verdict(1), Verdict::GivenUp);
    assert_eq!(bed.happened().iter().filter(|(_, what)| *what == What::GaveUp).count(), 1);
}

#[test]
fn whoever_was_given_up_is_forgiven_after_an_hour_of_being_well() {
    let mut bed = Bed::new(1);
    bed.dead_for(1, 3600);
    assert_eq!(bed.verdict(1), Verdict::GivenUp);
    for _ in 0..=360 {
        bed.tell(look(1, Listener::Running, false));
        bed.seconds += 10;
    }
    assert!(bed.happened().contains(&(Some(1), What::Forgiven)));
    assert_eq!(bed.dead_for(1, 30).len(), 1);
}

#[test]
fn a_monitor_that_is_started_again_remembers_what_it_has_spent() {
    let mut bed = Bed::new(1);
    bed.dead_for(1, 300);
    let spent = bed.events.iter().filter(|event| event.what == What::Heal).count();
    let mut again = Bed::new(1);
    again.judge.remember(&bed.events, now(310));
    again.seconds = 310;
    let healed = again.dead_for(1, 3600);
    assert_eq!((spent, healed.len()), (3, 2), "{healed:?}");
}

#[test]
fn a_restart_that_was_called_off_costs_nothing_and_one_that_failed_does() {
    let mut bed = Bed::new(1);
    for end in [
        HealEnd::CalledOff("a workflow job had begun".to_owned()),
        HealEnd::Failed("no such unit".to_owned()),
    ] {
        bed.seconds += 100;
        bed.tell(look(1, Listener::Stopped, false));
        bed.seconds += 20;
        assert_eq!(bed.decide(), Some(1));
        bed.tell(Observation::HealEnded(1, end));
    }
    bed.seconds += 30;
    bed.tell(look(1, Listener::Stopped, false));
    assert_eq!(bed.judge.budget.allows(1, now(bed.seconds).uptime), Allowance::Later);
}

#[test]
fn without_systemd_nobody_is_restarted_and_it_is_told_once() {
    let mut bed = Bed::new(1);
    bed.dead_for(1, 20);
    for _ in 0..10 {
        bed.tell(Observation::SystemdLost("the bus is gone".to_owned()));
        assert_eq!((bed.dead_for(1, 30), bed.verdict(1)), (vec![], Verdict::Unknown));
    }
    bed.tell(Observation::Systemd(1, unit(Activity::Active, -100)));
    let told: Vec<What> =
        bed.events.iter().filter(|event| event.runner.is_none()).map(|event| event.what).collect();
    assert_eq!(told, [What::SystemdLost, What::SystemdBack]);
    assert_eq!(bed.dead_for(1, 40).len(), 1);
}

#[test]
fn who_only_watches_restarts_nobody() {
    let mut bed = Bed::new(1);
    bed.judge.may_heal = false;
    assert_eq!((bed.dead_for(1, 3600), bed.verdict(1)), (vec![], Verdict::ListenerDead));
}

#[test]
fn what_the_kernel_kills_is_told_with_the_workflow_job_that_ran_and_restarts_nobody() {
    let mut bed = Bed::new(1);
    let job = WorkflowJob::of_json("{\"repository\":\"acme/shop\",\"workflow_job\":\"e2e\"}");
    let looks = [(5, true, job.clone()), (5, true, job), (7, false, None), (7, false, None)];
    for (kills, worker, workflow_job) in looks {
        bed.seconds += 10;
        let usage = Usage { oom_kills: Some(kills), memory_max_bytes: Some(300 << 20), ..USAGE };
        let container =
            Some(Container { session: Some(SessionState::Online), listener: Listener::Running, worker });
        bed.tell(Observation::Look { number: 1, container, drained: false, usage, workflow_job });
        assert_eq!(bed.decide(), None);
    }
    let told: Vec<&str> = bed
        .events
        .iter()
        .filter(|event| event.what == What::OomKilled)
        .map(|event| event.why.as_str())
        .collect();
    let expected = "the kernel killed 2 processes of it for want of memory; its limit is 300M; last seen on it: workflow job e2e of acme/shop";
    assert_eq!(told, [expected]);
    assert_eq!(bed.verdict(1), Verdict::Well);
}

#[test]
fn an_old_image_is_told_once_a_day_until_there_is_a_newer_one() {
    let mut bed = Bed::new(2);
    let warnings = |bed: &Bed| bed.events.iter().filter(|event| event.what == What::VersionDeadline).count();
    bed.tell(image(1, 19));
    assert_eq!(bed.events, []);
    for (hours, told) in [(0, 1), (1, 1), (23, 1), (24, 2), (47, 2), (48, 3)] {
        bed.seconds = 3600 * hours;
        bed.tell(image(1, 20));
        assert_eq!(warnings(&bed), told, "after {hours} h");
    }
    let why = &bed.events[0].why;
    assert!(why.starts_with("it runs an image that is 20 days old (x.y/runner:1): GitHub gives"), "{why}");
    assert!(why.ends_with("from 2027-02-14 on at the earliest"), "{why}");
    // That of another runner is another matter, and so is the next one.
    bed.tell(image(2, 25));
    assert_eq!((warnings(&bed), bed.events.last().unwrap().runner), (4, Some(2)));
    bed.tell(image(1, 3));
    bed.tell(image(1, 21));
    assert_eq!(warnings(&bed), 5);
}

#[test]
fn who_is_out_of_service_is_not_warned_of_an_old_image_and_what_is_not_known_is_not_young() {
    let mut bed = Bed::new(1);
    bed.tell(image(1, 20));
    bed.tell(Observation::Image(1, None));
    bed.tell(image(1, 20));
    assert_eq!(bed.happened(), [(Some(1), What::VersionDeadline)]);
    for activity in [Activity::Inactive, Activity::Failed, Activity::Activating] {
        bed.seconds += 100_000;
        bed.tell(Observation::Systemd(1, unit(activity, -100)));
        bed.tell(image(1, 20));
    }
    let told = bed.happened().iter().filter(|(_, what)| *what == What::VersionDeadline).count();
    assert_eq!(told, 1);
}

#[test]
fn a_monitor_that_is_started_again_does_not_warn_anew() {
    let mut bed = Bed::new(1);
    bed.tell(image(1, 20));
    let earlier = std::mem::take(&mut bed.events);
    let mut bed = Bed::new(1);
    bed.judge.remember(&earlier, now(0));
    bed.tell(image(1, 20));
    assert_eq!(bed.events, []);
    bed.seconds = 86_400;
    bed.tell(image(1, 21));
    assert_eq!(bed.happened(), [(Some(1), What::VersionDeadline)]);
}
