use proptest::prelude::*;

use super::*;

fn update() -> Update {
    Update { before: Some("old".to_owned()), new: "new".to_owned(), force: false }
}

/// Online on the image, and idle.
fn on(number: u16, image: &str) -> OnImage {
    let now = RunnerNow { number, running: true, has_been_started: true, ..RunnerNow::default() };
    OnImage { now, busy: false, image: Some(image.to_owned()), named: true, online: true, replaced: false }
}

fn with(runner: OnImage, change: impl FnOnce(&mut RunnerNow)) -> OnImage {
    let mut runner = runner;
    change(&mut runner.now);
    runner
}

fn busy(runner: OnImage) -> OnImage {
    OnImage { busy: true, ..runner }
}

#[test]
fn the_lowest_idle_runner_is_first() {
    for (runners, expected) in [
        (vec![on(1, "old"), on(2, "old")], UpdateStep::Replace(1)),
        (vec![busy(on(1, "old")), on(2, "old"), on(3, "old")], UpdateStep::Replace(2)),
        (vec![busy(on(1, "old")), busy(on(2, "old"))], UpdateStep::Wait(vec![1, 2])),
        (vec![on(1, "new"), busy(on(2, "old"))], UpdateStep::Wait(vec![2])),
        (vec![on(1, "new"), on(2, "older")], UpdateStep::Replace(2)),
        (vec![on(1, "new"), on(2, "new")], UpdateStep::Done),
        (Vec::new(), UpdateStep::Done),
    ] {
        assert_eq!(update().step(&runners, None), expected, "{runners:?}");
    }
}

#[test]
fn a_busy_runner_is_ended_by_force_alone() {
    let forced = Update { force: true, ..update() };
    assert_eq!(forced.step(&[busy(on(1, "old")), on(2, "old")], None), UpdateStep::Replace(1));
}

#[test]
fn a_runner_that_github_called_busy_lets_others_go_first() {
    assert_eq!(update().step(&[on(1, "old"), on(2, "old")], Some(1)), UpdateStep::Replace(2));
    assert_eq!(update().step(&[on(1, "old")], Some(1)), UpdateStep::Replace(1));
}

#[test]
fn nothing_is_touched_while_a_runner_with_the_new_image_is_not_online() {
    let offline = |runner| OnImage { online: false, ..runner };
    assert_eq!(update().step(&[offline(on(1, "new")), on(2, "old")], None), UpdateStep::Hold(1));
    // One that fell over after its trial may have no container at this moment.
    let fallen = OnImage { image: None, replaced: true, ..offline(on(1, "new")) };
    assert_eq!(update().step(&[fallen.clone(), on(2, "old")], None), UpdateStep::Hold(1));
    assert_eq!(update().step(&[fallen], None), UpdateStep::Hold(1));
    // It is not this update that keeps it.
    assert_eq!(update().step(&[offline(on(1, "new"))], None), UpdateStep::Done);
    assert_eq!(update().step(&[on(1, "old"), offline(on(2, "old"))], None), UpdateStep::Replace(1));
}

#[test]
fn what_is_out_of_service_or_of_another_config_is_left_alone() {
    let stopped = with(OnImage { image: None, online: false, ..on(1, "old") }, |now| now.running = false);
    let drained = with(on(1, "old"), |now| now.drained = true);
    let outdated = with(on(1, "old"), |now| now.outdated = true);
    let renamed = OnImage { named: false, ..on(1, "old") };
    for (runner, expected) in [
        (stopped, Standing::Stopped),
        (drained, Standing::Drained),
        (outdated, Standing::Changed),
        (renamed, Standing::Changed),
    ] {
        assert_eq!(update().standing(&runner), expected);
        assert_eq!(update().step(&[runner], None), UpdateStep::Done);
    }
}

#[test]
fn a_runner_that_failed_on_the_old_image_gets_the_new_one() {
    let failed = with(OnImage { image: None, online: false, ..on(1, "old") }, |now| {
        now.running = false;
        now.failed = true;
    });
    assert_eq!(update().step(std::slice::from_ref(&failed), None), UpdateStep::Replace(1));
    let nothing_new = Update { before: Some("new".to_owned()), ..update() };
    assert_eq!(nothing_new.step(&[failed], None), UpdateStep::Done);
}

/// What becomes of a runner on the new image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Works,
    /// It is put back to the image that it had, and the update ends.
    Fails,
    /// It falls over after its trial.
    Falls,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => Just(Fate::Works), 1 => Just(Fate::Fails), 1 => Just(Fate::Falls)]
}

fn fleet() -> impl Strategy<Value = Vec<(OnImage, Fate, u8)>> {
    let runner = (0_u8..12, any::<bool>(), fate(), 0_u8..5);
    prop::collection::vec(runner, 0..7).prop_map(|all| {
        (1..)
            .zip(all)
            .map(|(number, (kind, is_busy, fate, busy_for))| {
                let old = on(number, "old");
                let runner = match kind {
                    0 => on(number, "new"),
                    1 => with(OnImage { image: None, online: false, ..old }, |now| now.running = false),
                    2 => with(old, |now| now.drained = true),
                    3 => with(old, |now| now.outdated = true),
                    4 => OnImage { online: false, ..old },
                    _ => old,
                };
                (OnImage { busy: is_busy && runner.now.running, ..runner }, fate, busy_for)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// As `apply::update` does: one step after the other, workflow jobs ending meanwhile.
    #[test]
    fn an_update_ends_no_workflow_job_has_one_runner_out_of_service_and_comes_to_an_end(mut fleet in fleet()) {
        let update = update();
        let began = fleet.clone();
        let offline_at_first = fleet.iter().filter(|(runner, ..)| !runner.online).count();
        let mut failed = None;
        for round in 0_u8..40 {
            for (runner, _, busy_for) in &mut fleet {
                runner.busy &= round < *busy_for;
            }
            let runners: Vec<OnImage> = fleet.iter().map(|(runner, ..)| runner.clone()).collect();
            let offline = runners.iter().filter(|runner| !runner.online).count();
            match update.step(&runners, None) {
                UpdateStep::Replace(number) => {
                    // All that are out of service, but for the one of this step, were so before.
                    prop_assert!(offline <= offline_at_first, "{runners:?}");
                    let (runner, fate, _) = fleet.iter_mut().find(|(runner, ..)| runner.now.number == number).ok_or(TestCaseError::fail("no such runner"))?;
                    prop_assert!(!runner.busy, "a workflow job was ended: {runner:?}");
                    prop_assert_eq!(update.standing(runner), Standing::Outdated);
                    if *fate == Fate::Fails {
                        runner.online = true;
                        failed = Some(number);
                        break;
                    }
                    runner.image = Some("new".to_owned());
                    (runner.replaced, runner.online) = (true, *fate == Fate::Works);
                }
                UpdateStep::Wait(numbers) => prop_assert!(numbers.iter().all(|number| runners.iter().any(|runner| runner.now.number == *number && runner.busy))),
                UpdateStep::Hold(number) => {
                    failed = Some(number);
                    break;
                }
                UpdateStep::Done => {
                    prop_assert!(runners.iter().all(|runner| update.standing(runner) != Standing::Outdated));
                    return Ok(());
                }
            }
        }
        prop_assert!(failed.is_some(), "it does not come to an end: {fleet:?}");
        for ((runner, ..), (before, ..)) in fleet.iter().zip(began) {
            let is_left_alone = matches!(update.standing(&before), Standing::Stopped | Standing::Drained | Standing::Changed);
            prop_assert!(!is_left_alone || runner.image == before.image && runner.online == before.online);
        }
    }
}
