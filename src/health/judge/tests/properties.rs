//! Over whatever the witnesses say, in whatever order.

use proptest::prelude::*;

use super::*;
use crate::health::budget::MOST_PER_RUNNER;

const COUNT: u16 = 4;

fn activity() -> impl Strategy<Value = Activity> {
    prop_oneof![
        8 => Just(Activity::Active), 1 => Just(Activity::Activating), 1 => Just(Activity::Deactivating),
        1 => Just(Activity::Inactive), 1 => Just(Activity::Failed)
    ]
}

fn session() -> impl Strategy<Value = Option<SessionState>> {
    prop_oneof![
        8 => Just(Some(SessionState::Online)), 1 => Just(Some(SessionState::Connecting)),
        1 => Just(Some(SessionState::Stopping)), 1 => Just(None)
    ]
}

fn at_github() -> impl Strategy<Value = AtGithub> {
    prop_oneof![
        1 => Just(AtGithub::Absent), 6 => Just(AtGithub::Offline), 2 => Just(AtGithub::Idle), 1 => Just(AtGithub::Busy)
    ]
}

fn observed_unit() -> impl Strategy<Value = Unit> {
    (activity(), 0_u32..3, proptest::option::of(prop_oneof![Just(64), Just(75), Just(137)]), -100_i64..0)
        .prop_map(|(active_state, restarts, exit_status, since)| Unit {
            restarts,
            exit_status,
            ..unit(active_state, since)
        })
}

fn seen_look() -> impl Strategy<Value = Observation> {
    let listener = prop_oneof![Just(Listener::Running), Just(Listener::Stopped), Just(Listener::Missing)];
    let container = (session(), listener, proptest::bool::weighted(0.2))
        .prop_map(|(session, listener, worker)| Container { session, listener, worker });
    let container = proptest::option::weighted(0.9, container);
    (1..=COUNT, container, proptest::bool::weighted(0.1)).prop_map(|(number, container, drained)| {
        Observation::Look { number, container, drained, usage: USAGE, workflow_job: None }
    })
}

fn list() -> impl Strategy<Value = Observation> {
    let answer = prop_oneof![
        5 => proptest::collection::vec(at_github(), usize::from(COUNT)).prop_map(|seen| Ok((1..=COUNT).zip(seen).collect())),
        1 => Just(Err("no answer".to_owned()))
    ];
    answer.prop_map(|answer| Observation::Github(answer, now(0)))
}

fn observation() -> impl Strategy<Value = Observation> {
    prop_oneof![
        4 => (1..=COUNT, observed_unit()).prop_map(|(number, unit)| Observation::Systemd(number, unit)),
        8 => seen_look(),
        6 => list(),
        1 => Just(Observation::SystemdLost("gone".to_owned())),
    ]
}

fn end() -> impl Strategy<Value = HealEnd> {
    prop_oneof![
        3 => Just(HealEnd::Healed), 1 => Just(HealEnd::CalledOff("why".to_owned())), 1 => Just(HealEnd::Failed("why".to_owned()))
    ]
}

/// Seconds that pass, what is said, and how a restart would end that is under way then.
fn story(longest: usize) -> impl Strategy<Value = Vec<(i64, Observation, Option<HealEnd>)>> {
    let step = (prop_oneof![0_i64..30, Just(600)], observation(), proptest::option::weighted(0.5, end()));
    proptest::collection::vec(step, 1..longest)
}

/// What is said now, apart from the judge's own books.
#[derive(Default)]
struct Said {
    units: BTreeMap<u16, Activity>,
    looks: BTreeMap<u16, (Option<Container>, bool)>,
    github: BTreeMap<u16, AtGithub>,
}

impl Said {
    fn note(&mut self, observation: &Observation) {
        match observation {
            Observation::Systemd(number, unit) => {
                self.units.insert(*number, unit.active_state);
            }
            Observation::SystemdLost(_) => self.units.clear(),
            Observation::Look { number, container, drained, .. } => {
                self.looks.insert(*number, (*container, *drained));
            }
            Observation::Github(answer, _) => self.github = answer.clone().unwrap_or_default(),
            Observation::Image(..) | Observation::HealEnded(..) => {}
        }
    }

    /// Is it up, in service, and without a workflow job, by the word of all?
    fn may_be_restarted(&self, number: u16) -> bool {
        let (container, drained) = self.looks.get(&number).copied().unwrap_or((None, true));
        self.units.get(&number) == Some(&Activity::Active)
            && self.github.get(&number) != Some(&AtGithub::Busy)
            && !drained
            && container
                .is_some_and(|container| !container.worker && container.session == Some(SessionState::Online))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nobody_busy_drained_or_down_is_restarted_and_one_at_a_time_within_the_budget(story in story(300)) {
        let mut judge = Judge::new((1..=COUNT).map(|number| (number, String::new())), true, now(0));
        let (mut said, mut seconds) = (Said::default(), 0);
        let mut healing: Option<u16> = None;
        let mut heals: Vec<(u16, i64)> = Vec::new();
        let mut forgiven: BTreeMap<u16, usize> = BTreeMap::new();
        for (pause, observation, end) in story {
            seconds += pause;
            said.note(&observation);
            let mut events = judge.observe(observation, now(seconds));
            if let (Some(number), Some(end)) = (healing, end) {
                if matches!(end, HealEnd::CalledOff(_)) {
                    heals.pop();
                }
                events.extend(judge.observe(Observation::HealEnded(number, end), now(seconds)));
                healing = None;
            }
            for event in &events {
                if event.what == What::Forgiven {
                    let number = event.runner.unwrap();
                    forgiven.insert(number, heals.iter().filter(|(healed, _)| *healed == number).count());
                }
            }
            if let (Some(number), _) = judge.decide(now(seconds)) {
                prop_assert!(said.may_be_restarted(number), "{number}");
                prop_assert_eq!(healing, None);
                heals.push((number, seconds));
                healing = Some(number);
                let own = heals.iter().filter(|(healed, _)| *healed == number).count();
                let since = own - forgiven.get(&number).copied().unwrap_or(0);
                prop_assert!(since <= MOST_PER_RUNNER as usize, "{heals:?}");
                let recent = heals.iter().filter(|(_, when)| seconds - when < 3600).count();
                prop_assert!(recent <= 8, "{heals:?}");
            }
        }
    }

}

proptest! {
    // Each is three days long.
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn where_nothing_changes_any_more_nothing_happens_any_more(
        story in story(60),
        units in proptest::collection::vec(observed_unit(), usize::from(COUNT)),
        looks in proptest::collection::vec(seen_look(), usize::from(COUNT)),
        list in list(),
        end in end().prop_filter("what is called off costs nothing", |end| !matches!(end, HealEnd::CalledOff(_))),
    ) {
        let mut bed = Bed::new(COUNT);
        for (pause, observation, _) in story {
            bed.seconds += pause;
            bed.tell(observation);
        }
        for (number, unit) in (1..).zip(units) {
            bed.tell(Observation::Systemd(number, unit));
        }
        let mut days = Vec::new();
        for _ in 0..3 {
            bed.events.clear();
            for _ in 0..24 * 60 {
                for (number, look) in (1..).zip(&looks) {
                    let Observation::Look { container, drained, usage, .. } = look else { continue };
                    let (container, drained, usage) = (*container, *drained, *usage);
                    bed.tell(Observation::Look { number, container, drained, usage, workflow_job: None });
                }
                bed.tell(list.clone());
                if let Some(number) = bed.decide() {
                    bed.tell(Observation::HealEnded(number, end.clone()));
                }
                bed.seconds += 60;
            }
            days.push(bed.happened());
        }
        prop_assert!(days[2].is_empty(), "{:?}", days[2]);
        let heals = days[0].iter().filter(|(_, what)| *what == What::Heal).count();
        prop_assert!(heals <= usize::from(COUNT) * 5);
    }
}
