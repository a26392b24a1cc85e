//! systemd and the kernel as witnesses: how they are heard, lost and found again.

use super::*;

/// Looks are not what is seen here.
const RARELY: Timing = Timing { look: HOUR, github: HOUR, heal_limit: HOUR };

async fn never() -> GithubAnswer {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_change_is_seen_when_systemd_announces_it() {
    let bed = Bed::new(2).await;
    bed.watch_with(RARELY, never, async |watching| {
        watching.verdict(2, "well").await;
        let begin = tokio::time::Instant::now();
        bed.fake()
            .change("homelab-runner@2.service", |unit| {
                "failed".clone_into(&mut unit.active_state);
                (unit.exec_main_code, unit.exec_main_status) = (1, 64);
            })
            .await;
        watching.verdict(2, "needs_a_person").await;
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        assert_eq!(watching.0.borrow().runner(1).unwrap().verdict.word(), "well");
    })
    .await;
    assert!(bed.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restart_by_systemd_itself_is_told_with_its_reason() {
    let bed = Bed::new(1).await;
    bed.watch_with(RARELY, never, async |watching| {
        watching.verdict(1, "well").await;
        bed.fake()
            .change("homelab-runner@1.service", |unit| {
                unit.n_restarts = 1;
                (unit.exec_main_code, unit.exec_main_status) = (1, 74);
            })
            .await;
        let is_told = |snapshot: &Snapshot| snapshot.events.iter().any(|event| event.what == What::Restarted);
        watching.until("it is told", is_told).await;
    })
    .await;
    let why = bed.events().last().unwrap().why.clone();
    assert!(why.starts_with("no space"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_breaks_is_found_again_and_runners_are_restarted_as_before() {
    let bed = Bed::new(1).await;
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        let broken = bed.fake();
        let (fake, systemd) = FakeSystemd::start().await;
        *bed.fake.borrow_mut() = fake;
        *bed.systemd.borrow_mut() = systemd;
        bed.bring_up(1);
        broken.hang_up().await;
        watching.verdict(1, "unknown").await;
        watching.verdict(1, "well").await;
        bed.signal_listener(1, Signal::STOP);
        watching.healing(1).await;
    })
    .await;
    let lost: Vec<What> =
        bed.events().iter().filter(|event| event.runner.is_none()).map(|event| event.what).collect();
    assert_eq!(lost, [What::Watching, What::SystemdLost, What::SystemdBack]);
    assert_eq!(bed.happened().last(), Some(&(Some(1), What::Heal)));
}

#[tokio::test(start_paused = true)]
async fn use_and_limits_of_the_slice_are_seen() {
    let bed = Bed::new(1).await;
    let group = bed.control_groups.join(names::slice_control_group(1));
    for (name, text) in
        [("memory.current", "4096\n"), ("memory.max", "8192\n"), ("cpu.max", "50000 100000\n")]
    {
        fs::write(group.join(name), text).unwrap();
    }
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        let usage = watching.0.borrow().runner(1).unwrap().usage.unwrap();
        assert_eq!((usage.memory_bytes, usage.memory_max_bytes), (Some(4096), Some(8192)));
        assert_eq!((usage.cpu_quota_percent, usage.cpu_percent), (Some(50.0), None));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_runs_out_of_memory_is_told_once_and_is_not_restarted() {
    let bed = Bed::new(2).await;
    let events = |number, kills: u64| {
        let group = bed.control_groups.join(names::slice_control_group(number));
        fs::write(group.join("memory.events"), format!("max 9\noom 3\noom_kill {kills}\n")).unwrap();
        fs::write(group.join("memory.max"), "314572800\n").unwrap();
    };
    // Both have lost some long before this monitor began.
    events(1, 5);
    events(2, 5);
    bed.watch(async |watching| {
        watching.verdict(2, "well").await;
        events(2, 6);
        let is_told = |snapshot: &Snapshot| snapshot.events.iter().any(|event| event.what == What::OomKilled);
        watching.until("it is told", is_told).await;
        // Some looks more.
        sleep(Duration::from_secs(120)).await;
        assert_eq!(watching.0.borrow().runner(2).unwrap().usage.unwrap().oom_kills, Some(6));
        assert_eq!(watching.0.borrow().runner(2).unwrap().verdict.word(), "well");
    })
    .await;
    assert_eq!(bed.happened(), [(None, What::Watching), (Some(2), What::OomKilled)]);
    let why = "the kernel killed a process of it for want of memory; its limit is 300M";
    assert_eq!(bed.events().last().unwrap().why, why);
    assert_eq!(*bed.notices.borrow(), [(Some(2), NoticeKind::OutOfMemory)]);
    assert!(bed.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_gone_is_missing_and_a_zombie_counts_as_gone() {
    let bed = Bed::new(1).await;
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        // Not waited for: it stays as a zombie.
        bed.processes.borrow_mut().get_mut(&1).unwrap()[0].kill().unwrap();
        bed.until(1, |stat| stat.contains(") Z "));
        watching.verdict(1, "listener_dead").await;
    })
    .await;
}
