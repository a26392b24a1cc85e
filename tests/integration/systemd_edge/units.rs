//! Units and unit files are read and changed.

use std::time::{Duration, SystemTime};

use homelab_runners::systemd::{ActiveState, Error, LoadState, UnitFileState, UnitJob};

use super::{run, start, state};
use crate::fake_systemd::{ACTIVE_ENTER_MICROS, FakeSystemd, Script};

#[tokio::test(start_paused = true)]
async fn infinity_is_none_and_everything_else_arrives() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a@1.service", Script::DONE);
    let before = state(&systemd, "a@1.service").await;
    assert!(start(&systemd, "a@1.service").await.is_success());
    fake.properties("a@1.service", |unit| {
        "/etc/containers/systemd/a@1.container".clone_into(&mut unit.source_path);
        "online".clone_into(&mut unit.status_text);
        "generated".clone_into(&mut unit.unit_file_state);
        (unit.memory_current, unit.memory_max) = (5 << 20, 2 << 30);
        (unit.cpu_usage_nsec, unit.cpu_quota_per_sec) = (77, 1_500_000);
        (unit.tasks_current, unit.n_restarts, unit.need_daemon_reload) = (9, 3, true);
    });

    let after = state(&systemd, "a@1.service").await;

    assert_eq!((before.active_enter, before.main_pid, before.invocation_id), (None, None, None));
    assert_eq!((before.memory_max, before.exec_main_status, before.cpu_quota_per_sec), (None, None, None));
    let entered = SystemTime::UNIX_EPOCH + Duration::from_micros(ACTIVE_ENTER_MICROS);
    assert_eq!((after.active_enter, after.main_pid), (Some(entered), Some(4242)));
    assert_eq!(after.invocation_id.unwrap(), "ab".repeat(16));
    assert_eq!(after.source_path.unwrap().to_str(), Some("/etc/containers/systemd/a@1.container"));
    assert_eq!(after.unit_file_state, Some(UnitFileState::Generated));
    assert_eq!(after.status_text.unwrap(), "online");
    assert_eq!((after.memory_current, after.memory_max), (Some(5 << 20), Some(2 << 30)));
    assert_eq!((after.memory_peak, after.tasks_max, after.tasks_current), (None, None, Some(9)));
    assert_eq!((after.cpu_usage_nsec, after.n_restarts), (Some(77), Some(3)));
    assert_eq!(after.cpu_quota_per_sec, Some(Duration::from_millis(1500)));
    assert!(after.need_daemon_reload);
}

#[tokio::test(start_paused = true)]
async fn a_property_that_changes_between_two_reads_is_read_anew() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::DONE);
    fake.properties("a.service", |unit| "/etc/a.service".clone_into(&mut unit.fragment_path));
    let before = state(&systemd, "a.service").await.fragment_path.unwrap();

    fake.properties("a.service", |unit| "/run/a.service".clone_into(&mut unit.fragment_path));

    let after = state(&systemd, "a.service").await.fragment_path.unwrap();
    assert_eq!((before.to_str(), after.to_str()), (Some("/etc/a.service"), Some("/run/a.service")));
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_does_not_exist_is_an_answer_and_no_error() {
    let (_fake, systemd) = FakeSystemd::start().await;

    let state = state(&systemd, "gone.service").await;

    assert_eq!((state.load_state, state.active_state), (LoadState::NotFound, ActiveState::Inactive));
    assert_eq!((state.unit_file_state, state.result), (None, None));
    assert_eq!(state.load_error.unwrap(), "Unit gone.service not found.");
}

#[tokio::test(start_paused = true)]
async fn slices_and_targets_are_observed_as_well_as_services() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a-1.slice", Script::DONE);
    fake.unit("a.target", Script::DONE);
    fake.properties("a-1.slice", |unit| unit.slice_memory_max = 3 << 30);

    let states = systemd.observe(&["a-1.slice", "a.target"]).await.unwrap();

    assert_eq!((states[0].memory_max, states[0].result.as_ref()), (Some(3 << 30), None));
    assert_eq!((states[1].unit.as_str(), states[1].memory_max), ("a.target", None));
    assert_eq!(states[1].load_state, LoadState::Loaded);
}

#[tokio::test(start_paused = true)]
async fn enabling_tells_what_changed_and_nothing_the_second_time() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::DONE);

    let first = systemd.enable(&["a.service"]).await.unwrap();
    let second = systemd.enable(&["a.service"]).await.unwrap();
    let removed = systemd.disable(&["a.service", "gone.service"]).await.unwrap();

    assert!(first.carries_install_info);
    assert_eq!((first.changes.len(), first.changes[0].kind.as_str()), (1, "symlink"));
    assert_eq!(first.changes[0].target.as_ref().unwrap().to_str(), Some("/etc/systemd/system/a.service"));
    assert!(second.changes.is_empty());
    assert_eq!((removed.len(), removed[0].kind.as_str(), removed[0].target.as_ref()), (1, "unlink", None));
}

#[tokio::test(start_paused = true)]
async fn a_new_unit_exists_after_the_reload_and_the_journal_has_the_order() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit_after_reload("b.service", Script::DONE);
    fake.unit("a.service", Script::DONE);

    assert!(run(&systemd, &[UnitJob::stop("a.service")]).await[0].is_success());
    fake.remove_unit("a.service");
    systemd.reload().await.unwrap();
    assert!(start(&systemd, "b.service").await.is_success());

    assert_eq!(fake.journal(), ["StopUnit a.service replace", "Reload", "StartUnit b.service replace"]);
    let units: Vec<_> = systemd.list_units(&["*.service"]).await.unwrap();
    assert_eq!(units.iter().map(|unit| unit.unit.as_str()).collect::<Vec<_>>(), ["b.service"]);
    assert_eq!(units[0].active_state, ActiveState::Active);
}

#[tokio::test(start_paused = true)]
async fn resetting_clears_the_failed_state() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::FAILED);
    assert!(!start(&systemd, "a.service").await.is_success());

    systemd.reset_failed("a.service").await.unwrap();

    assert_eq!(state(&systemd, "a.service").await.active_state, ActiveState::Inactive);
    let error = systemd.reset_failed("gone.service").await.unwrap_err();
    assert!(matches!(error, Error::UnitNotFound { .. }));
}

#[tokio::test(start_paused = true)]
async fn the_version_is_the_major_number() {
    let (_fake, systemd) = FakeSystemd::start().await;

    assert_eq!(systemd.version().await.unwrap(), 257);
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_synchronized_when_timedated_says_so() {
    for said in [true, false] {
        let (fake, systemd) = FakeSystemd::start().await;
        systemd.is_clock_synchronized().await.unwrap_err();
        fake.timedate(said).await;
        assert_eq!(systemd.is_clock_synchronized().await.unwrap(), said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_going_down_is_told_from_one_that_is_merely_not_well() {
    let (fake, systemd) = FakeSystemd::start().await;
    for (state, is_stopping) in
        [("running", false), ("degraded", false), ("maintenance", false), ("stopping", true)]
    {
        fake.system_state(state);
        assert_eq!(systemd.is_stopping().await.unwrap(), is_stopping, "{state}");
    }
}
