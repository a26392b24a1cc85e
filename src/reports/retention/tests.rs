#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::DiskSize;
use crate::reports::{Finished, Report, Started, Stats};

const DAY: u64 = 86_400;
const MIB: u64 = 1 << 20;

const UNBOUNDED: Retention = Retention {
    enabled: true,
    interval: Duration::from_secs(600),
    max_age: Duration::from_secs(3650 * DAY),
    runs_max: 1_000_000,
    workflow_max: DiskSize::None,
    total_max: DiskSize::None,
};

fn now() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// A run that ended so many minutes ago, of one mebibyte.
fn run(workflow: &str, name: &str, minutes: i64, outcome: Outcome) -> Held {
    let ended = ago(minutes);
    Held {
        workflow: workflow.into(),
        name: Some(name.into()),
        bytes: MIB,
        changed: ended,
        is_cut: false,
        run: Some(Standing { ended, has_ended: true, state: State::Complete, outcome }),
    }
}

fn running(workflow: &str, name: &str, minutes: i64) -> Held {
    let ended = run(workflow, name, minutes, Outcome::Unknown);
    Held { run: ended.run.map(|run| Standing { has_ended: false, state: State::Running, ..run }), ..ended }
}

fn other(workflow: &str, name: Option<&str>, minutes: i64) -> Held {
    Held { name: name.map(Into::into), run: None, ..run(workflow, "", minutes, Outcome::Unknown) }
}

/// `workflow/name key` of each removal.
fn words(plan: &RetentionPlan) -> Vec<String> {
    let name = |held: &Held| held.name.as_ref().map_or(String::new(), |name| format!("/{}", name.display()));
    let word = |removal: &Removal| {
        format!("{}{} {}", removal.held.workflow.display(), name(&removal.held), removal.reason.key())
    };
    plan.removals.iter().map(word).collect()
}

/// Six runs of `ci`, an hour apart, the newest first; `7` passed, `3` failed, the rest says nothing.
fn ci() -> Vec<Held> {
    let outcome = |n| match n {
        7 => Outcome::Passed,
        3 => Outcome::Failed,
        _ => Outcome::Unknown,
    };
    (1..=8).map(|n| run("ci", &n.to_string(), 60 * n, outcome(n))).collect()
}

#[test]
fn within_the_budgets_nothing_goes() {
    assert_eq!(RetentionPlan::new(&ci(), &UNBOUNDED, now()), RetentionPlan::default());
}

#[test]
fn the_newest_the_last_good_and_the_last_failed_outlive_every_budget_and_that_is_told() {
    let none = Retention {
        max_age: Duration::ZERO,
        runs_max: 1,
        workflow_max: DiskSize::Bytes(MIB),
        total_max: DiskSize::Bytes(0),
        ..UNBOUNDED
    };
    let plan = RetentionPlan::new(&ci(), &none, now());
    assert_eq!(
        words(&plan),
        ["ci/8 max_age", "ci/6 max_age", "ci/5 max_age", "ci/4 max_age", "ci/2 max_age"]
    );
    let of = |workflow: Option<&str>, budget, by| Exceeded { workflow: workflow.map(Into::into), budget, by };
    assert_eq!(
        plan.exceeded,
        [
            of(Some("ci"), Reason::RunsMax, 2),
            of(Some("ci"), Reason::WorkflowMax, 2 * MIB),
            of(None, Reason::TotalMax, 3 * MIB),
        ]
    );
}

#[test]
fn flaky_tests_are_good_ones() {
    let runs = [
        run("ci", "1", 60, Outcome::Unknown),
        run("ci", "2", 90, Outcome::Flaky),
        run("ci", "3", 99, Outcome::Passed),
    ];
    let plan = RetentionPlan::new(&runs, &Retention { runs_max: 1, ..UNBOUNDED }, now());
    assert_eq!(words(&plan), ["ci/3 runs_max"]);
}

#[test]
fn each_budget_takes_the_oldest_and_no_more_than_it_needs() {
    let budget = |retention: Retention| words(&RetentionPlan::new(&ci(), &retention, now()));
    assert_eq!(budget(Retention { runs_max: 6, ..UNBOUNDED }), ["ci/8 runs_max", "ci/6 runs_max"]);
    let most = DiskSize::Bytes(7 * MIB + 1);
    assert_eq!(budget(Retention { workflow_max: most, ..UNBOUNDED }), ["ci/8 workflow_max"]);
    assert_eq!(budget(Retention { total_max: most, ..UNBOUNDED }), ["ci/8 total_max"]);
    let age = Duration::from_secs(5 * 3600);
    assert_eq!(budget(Retention { max_age: age, ..UNBOUNDED }), ["ci/8 max_age", "ci/6 max_age"]);
}

#[test]
fn one_workflow_pays_for_itself_before_all_pay_for_the_total() {
    let mut held = ci();
    held.extend((1..=3).map(|n| run("old", &n.to_string(), 6000 * n, Outcome::Passed)));
    let retention = Retention {
        workflow_max: DiskSize::Bytes(6 * MIB),
        total_max: DiskSize::Bytes(8 * MIB),
        ..UNBOUNDED
    };
    let plan = RetentionPlan::new(&held, &retention, now());
    assert_eq!(words(&plan), ["old/3 total_max", "ci/8 workflow_max", "ci/6 workflow_max"]);
}

#[test]
fn what_may_still_be_written_to_stays_whatever_it_says() {
    let unlabelled = |minutes| {
        let held = running("ci", "u", minutes);
        Held { run: held.run.map(|run| Standing { state: State::Complete, ..run }), ..held }
    };
    for (held, expected) in [
        (running("ci", "a", 5), true),
        (running("ci", "a", 23 * 60), true),
        (running("ci", "a", 24 * 60), false),
        (unlabelled(59), true),
        (unlabelled(60), false),
        (other("ci", Some("junk"), 59), true),
        (other("ci", Some("junk"), 60), false),
        (run("ci", "a", 0, Outcome::Passed), false),
        // The clock was set back.
        (other("ci", None, -600), true),
    ] {
        assert_eq!(held.may_be_written(now()), expected, "{held:?}");
    }
}

#[test]
fn a_claim_of_the_future_lets_nothing_stay_and_one_of_the_past_lets_it_go_sooner() {
    let claims = |minutes: i64| {
        let held = run("ci", "a", 100, Outcome::Unknown);
        Held { run: held.run.map(|run| Standing { ended: ago(minutes), ..run }), ..held }.ended()
    };
    assert_eq!((claims(-9999), claims(9999)), (ago(100), ago(9999)));
}

#[test]
fn what_is_no_run_goes_by_age_and_size_and_counts_for_no_number_of_runs() {
    let held = vec![
        other(".cache", None, 9000),
        other("core", None, 8000),
        run("ci", "1", 70, Outcome::Passed),
        other("ci", Some("notes.txt"), 7000),
        other("ci", Some("new.txt"), 10),
    ];
    let plan = RetentionPlan::new(&held, &Retention { runs_max: 1, ..UNBOUNDED }, now());
    assert!(plan.removals.is_empty());
    let old = Duration::from_secs(7500 * 60);
    let retention = Retention { max_age: old, total_max: DiskSize::Bytes(2 * MIB), ..UNBOUNDED };
    let plan = RetentionPlan::new(&held, &retention, now());
    assert_eq!(words(&plan), [".cache max_age", "core max_age", "ci/notes.txt total_max"]);
}

#[test]
fn a_workflow_is_over_its_budget_by_what_is_left_or_by_what_nobody_can_measure() {
    let retention = Retention { workflow_max: DiskSize::Bytes(2 * MIB), ..UNBOUNDED };
    let deep = Held { is_cut: true, bytes: 0, ..running("deep", "1", 1) };
    let left = [running("ci", "1", 1), running("ci", "2", 1), running("big", "1", 1), deep];
    let big = Held { bytes: 2 * MIB, ..running("big", "2", 1) };
    let over = over_budget(left.iter().chain([&big]), &retention);
    assert_eq!(over.into_iter().collect::<Vec<_>>(), ["big", "deep"]);
    assert!(over_budget(left.iter(), &UNBOUNDED).is_empty());
}

#[test]
fn a_run_stands_as_its_reports_say() {
    let report = |attempt: &str, finished: Option<&str>, unexpected| Report {
        directory: attempt.to_owned(),
        modified: ago(5),
        started: Some(Started {
            run_attempt: attempt.to_owned(),
            started: ago(90).to_string(),
            ..Started::default()
        }),
        finished: finished.map(ToOwned::to_owned),
        stats: Some(Stats { expected: 1, unexpected, ..Stats::default() }),
        ..Report::default()
    };
    let standing = |reports| Standing::of(&Run::of("ci", "1", reports).unwrap(), now());
    let at = Finished { finished: ago(80).to_string() }.finished;
    let first = report("1", Some(&at), 1);
    let ended = standing(vec![first.clone()]);
    assert_eq!((ended.ended, ended.has_ended, ended.outcome), (ago(80), true, Outcome::Failed));
    // A re-run joins it.
    let again = standing(vec![first, report("2", None, 0)]);
    assert_eq!((again.has_ended, again.state, again.outcome), (false, State::Running, Outcome::Passed));
}

fn held() -> impl Strategy<Value = Vec<Held>> {
    let minutes = prop_oneof![0_i64..50, 50_i64..70, 1000_i64..3000, 0_i64..200_000];
    let one = (0_u8..4, minutes, 0_u64..40, 0_u8..4, 0_u8..6, any::<bool>());
    prop::collection::vec(one, 0..24).prop_map(|made| {
        let held = |(number, (workflow, minutes, size, outcome, kind, is_cut)): (
            usize,
            (u8, i64, u64, u8, u8, bool),
        )| {
            let (workflow, name) = (format!("w{workflow}"), number.to_string());
            let held = match kind {
                0 => other(&workflow, Some(&name), minutes),
                1 => running(&workflow, &name, minutes),
                2 => {
                    let held = running(&workflow, &name, minutes);
                    Held { run: held.run.map(|run| Standing { state: State::Complete, ..run }), ..held }
                }
                _ => run(&workflow, &name, minutes, Outcome::ALL[usize::from(outcome)]),
            };
            Held { bytes: size * MIB, is_cut, ..held }
        };
        made.into_iter().enumerate().map(held).collect()
    })
}

fn size() -> impl Strategy<Value = DiskSize> {
    prop_oneof![Just(DiskSize::None), (0_u64..300).prop_map(|size| DiskSize::Bytes(size * MIB))]
}

/// What has to stay, found otherwise than in the plan.
fn must_stay(held: &Held, all: &[Held]) -> bool {
    let is_later = |a: &Held, b: &Held| (a.ended(), &a.name) > (b.ended(), &b.name);
    let last_of = |meant: &dyn Fn(&Held) -> bool| {
        meant(held)
            && !all
                .iter()
                .any(|found| found.workflow == held.workflow && meant(found) && is_later(found, held))
    };
    let settled = |found: &Held, outcomes: &[Outcome]| {
        !found.may_be_written(now()) && found.run.is_some_and(|run| outcomes.contains(&run.outcome))
    };
    held.may_be_written(now())
        || last_of(&|found| found.run.is_some())
        || last_of(&|found| settled(found, &[Outcome::Passed, Outcome::Flaky]))
        || last_of(&|found| settled(found, &[Outcome::Failed]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_plan_keeps_what_must_stay_reaches_its_budgets_and_goes_not_beyond(
        held in held(), days in 1_u64..150, runs_max in 1_u32..6, workflow_max in size(), total_max in size(),
        turn in 0_usize..24,
    ) {
        let max_age = Duration::from_secs(days * DAY);
        let retention = Retention { max_age, runs_max, workflow_max, total_max, ..UNBOUNDED };
        let plan = RetentionPlan::new(&held, &retention, now());

        let mut turned = held.clone();
        turned.rotate_left(turn.min(held.len()));
        prop_assert_eq!(&RetentionPlan::new(&turned, &retention, now()), &plan);

        for removal in &plan.removals {
            prop_assert!(!must_stay(&removal.held, &held), "{:?}", removal);
        }
        let goes = |held: &&Held| plan.removals.iter().any(|removal| removal.held == **held);
        let left: Vec<&Held> = held.iter().filter(|held| !goes(held)).collect();
        prop_assert_eq!(left.len() + plan.removals.len(), held.len(), "one goes twice");

        let is_too_old = |held: &Held| now().duration_since(held.ended()) > SignedDuration::try_from(max_age).unwrap();
        for held_now in &left {
            prop_assert!(!is_too_old(held_now) || must_stay(held_now, &held));
        }
        prop_assert!(plan.removals.iter().all(|removal| removal.reason != Reason::MaxAge || is_too_old(&removal.held)));

        let mut exceeded = Vec::new();
        let names: BTreeSet<&OsString> = held.iter().map(|held| &held.workflow).collect();
        for (workflow, reason) in names.into_iter().flat_map(|name| [(Some(name), Reason::RunsMax), (Some(name), Reason::WorkflowMax)])
            .chain([(None, Reason::TotalMax)])
        {
            let most = match reason {
                Reason::RunsMax => u64::from(runs_max),
                Reason::WorkflowMax => workflow_max.bytes().unwrap_or(u64::MAX),
                _ => total_max.bytes().unwrap_or(u64::MAX),
            };
            let weight = |held: &Held| if reason == Reason::RunsMax { u64::from(held.run.is_some()) } else { held.bytes };
            let is_meant = |held: &Held| workflow.is_none_or(|workflow| held.workflow == *workflow);
            let sum: u64 = left.iter().filter(|held| is_meant(held)).map(|held| weight(held)).sum();
            let could_go = left.iter().any(|left| is_meant(left) && weight(left) > 0 && !must_stay(left, &held));
            prop_assert!(sum <= most || !could_go, "{:?} {:?}: something could still go", workflow, reason);
            // Without the last of them the budget would not have been reached: what later budgets took was still there.
            let own: Vec<&Removal> = plan.removals.iter().filter(|r| is_meant(&r.held)).collect();
            let is_later = |r: &&&Removal| match reason {
                Reason::RunsMax => matches!(r.reason, Reason::WorkflowMax | Reason::TotalMax),
                Reason::WorkflowMax => r.reason == Reason::TotalMax,
                _ => false,
            };
            let later: u64 = own.iter().filter(is_later).map(|r| weight(&r.held)).sum();
            if let Some(last) = own.iter().rfind(|r| r.reason == reason) {
                prop_assert!(sum + later + weight(&last.held) > most, "{:?}: more goes than needed", reason);
            }
            if sum + later > most && !could_go {
                exceeded.push((workflow.cloned(), reason, sum + later - most));
            }
        }
        let told: Vec<_> = plan.exceeded.iter().map(|e| (e.workflow.clone(), e.budget, e.by)).collect();
        prop_assert_eq!(told, exceeded);
    }
}
