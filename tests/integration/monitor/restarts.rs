//! Who is restarted, and who is not.

use super::*;

const RESTART_1: &str = "RestartUnit homelab-runner@1.service fail";

#[tokio::test(start_paused = true)]
async fn a_dead_listener_is_restarted_once_within_half_a_minute() {
    let bed = Bed::new(2).await;
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        let begin = tokio::time::Instant::now();
        bed.signal_listener(1, Signal::STOP);
        watching.healing(1).await;
        assert!(begin.elapsed() <= Duration::from_secs(31), "{:?}", begin.elapsed());
        bed.signal_listener(1, Signal::CONT);
        watching.verdict(1, "well").await;
        sleep(HOUR).await;
    })
    .await;
    assert_eq!(bed.journal(), [RESTART_1]);
    let expected =
        [(None, What::Watching), (Some(1), What::Fault), (Some(1), What::Heal), (Some(1), What::Healed)];
    assert_eq!(bed.happened()[..4], expected);
}

#[tokio::test(start_paused = true)]
async fn while_a_workflow_job_runs_nobody_is_restarted() {
    let bed = Bed::new(1).await;
    bed.begin(1, WORKER);
    bed.watch(async |watching| {
        watching.verdict(1, "busy").await;
        bed.signal_listener(1, Signal::STOP);
        watching.verdict(1, "worker_alone").await;
        sleep(HOUR).await;
    })
    .await;
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
}

#[tokio::test(start_paused = true)]
async fn four_that_are_sick_at_once_are_restarted_one_after_another() {
    let bed = Bed::new(4).await;
    (1..=4).for_each(|number| bed.signal_listener(number, Signal::STOP));
    bed.watch(async |watching| {
        for number in 1..=4 {
            watching.healing(number).await;
            assert_eq!(watching.0.borrow().runners.iter().filter(|runner| runner.healing).count(), 1);
            bed.signal_listener(number, Signal::CONT);
        }
        watching.until("all are well", Snapshot::is_well).await;
        sleep(HOUR).await;
    })
    .await;
    assert_eq!(bed.journal().len(), 4, "{:?}", bed.journal());
    let order: Vec<What> = bed
        .events()
        .iter()
        .map(|event| event.what)
        .filter(|what| matches!(what, What::Heal | What::Healed))
        .collect();
    assert_eq!(order, [What::Heal, What::Healed].repeat(4));
}

#[tokio::test(start_paused = true)]
async fn a_drained_runner_and_one_that_is_only_watched_are_left_alone() {
    let bed = Bed::new(2).await;
    files::write(&bed.root.at(&bed.fleet.runners[1].paths.drained), b"", 0o644).unwrap();
    *bed.healer.borrow_mut() = None;
    (1..=2).for_each(|number| bed.signal_listener(number, Signal::STOP));
    bed.watch(async |watching| {
        watching.verdict(1, "listener_dead").await;
        watching.verdict(2, "drained").await;
        sleep(HOUR).await;
    })
    .await;
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
    *bed.healer.borrow_mut() = Some(Healer::Itself);
    bed.watch(async |watching| watching.healing(1).await).await;
    assert!(bed.journal().is_empty() || bed.journal() == [RESTART_1], "{:?}", bed.journal());
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_is_told_and_the_fifth_is_the_last_for_the_next_monitor_too() {
    let bed = Bed::new(1).await;
    bed.signal_listener(1, Signal::STOP);
    bed.fake.borrow().refuse_all(crate::fake_systemd::Refusal::ACCESS_DENIED);
    bed.watch(async |watching| watching.until("it failed", |snapshot| failed(snapshot) == 2).await).await;
    bed.watch(async |watching| {
        watching.verdict(1, "given_up").await;
        sleep(24 * HOUR).await;
    })
    .await;
    assert_eq!(bed.events().iter().filter(|event| event.what == What::Heal).count(), 5);
    let why = bed.events().iter().find(|event| event.what == What::HealFailed).unwrap().why.clone();
    assert!(why.contains("homelab-runner@1.service"), "{why}");
}

fn failed(snapshot: &Snapshot) -> usize {
    snapshot.events.iter().filter(|event| event.what == What::HealFailed).count()
}
