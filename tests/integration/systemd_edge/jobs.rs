//! systemd jobs are run to their end, each to its own.

use std::time::Duration;

use homelab_runners::systemd::{ActiveState, Error, JobMode, JobResult, ServiceResult, UnitJob, Verb};
use tokio::time::Instant;

use super::{LIMIT, run, start, state};
use crate::fake_systemd::{FakeSystemd, Refusal, Script};

#[tokio::test(start_paused = true)]
async fn a_unit_is_started_when_its_job_is_done_and_not_before() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a@1.service", Script::Ends { after: Duration::from_secs(7), result: "done" });
    let begin = Instant::now();

    let outcome = start(&systemd, "a@1.service").await;

    assert_eq!(begin.elapsed().as_secs(), 7);
    assert_eq!(outcome.result.as_ref().unwrap(), &JobResult::Done);
    assert_eq!(outcome.unit_job, UnitJob { verb: Verb::Start, unit: "a@1.service".to_owned() });
    assert_eq!(state(&systemd, "a@1.service").await.active_state, ActiveState::Active);
    assert!(outcome.into_result().is_ok());
}

#[tokio::test(start_paused = true)]
async fn start_stop_and_restart_call_their_own_methods_in_the_given_order() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::DONE);
    let unit_jobs = [UnitJob::restart("a.service"), UnitJob::stop("a.service"), UnitJob::start("a.service")];

    for unit_job in unit_jobs {
        assert!(run(&systemd, &[unit_job]).await[0].is_success());
    }

    let calls =
        ["RestartUnit a.service replace", "StopUnit a.service replace", "StartUnit a.service replace"];
    assert_eq!(fake.journal(), calls);
}

#[tokio::test(start_paused = true)]
async fn the_job_mode_reaches_systemd() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::DONE);

    systemd.run_jobs(&[UnitJob::start("a.service")], &JobMode::Fail, LIMIT, &mut |_| {}).await;

    assert_eq!(fake.journal(), ["StartUnit a.service fail"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_before_the_reply_is_not_lost() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::EndsBeforeReply { result: "done" });
    let begin = Instant::now();

    let outcome = start(&systemd, "a.service").await;

    assert_eq!(outcome.result.unwrap(), JobResult::Done);
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_that_end_before_their_replies_do_not_clog_the_connection() {
    let (fake, systemd) = FakeSystemd::start().await;
    let units: Vec<String> = (1..=1000).map(|n| format!("a@{n}.service")).collect();
    for unit in &units {
        fake.unit(unit, Script::EndsBeforeReply { result: "done" });
    }
    let unit_jobs: Vec<UnitJob> = units.iter().map(UnitJob::start).collect();

    let outcomes = run(&systemd, &unit_jobs).await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_success()).count(), 1000);
}

#[tokio::test(start_paused = true)]
async fn the_signal_of_another_job_of_the_same_unit_is_not_ours() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::Ends { after: Duration::from_secs(5), result: "done" });
    let begin = Instant::now();

    let (outcome, ()) = tokio::join!(start(&systemd, "a.service"), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fake.end_foreign_job(4711, "a.service", "canceled").await;
        fake.end_foreign_job(4712, "b.service", "done").await;
    });

    assert_eq!(outcome.result.unwrap(), JobResult::Done);
    assert_eq!(begin.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_is_a_failure_that_names_the_unit_and_where_to_look() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::FAILED);

    let outcome = start(&systemd, "a.service").await;

    assert!(!outcome.is_success());
    let error = outcome.into_result().unwrap_err();
    assert_eq!(error.to_string(), "a.service: the start job failed");
    let hint = "see `systemctl status a.service` and `journalctl -b -u a.service`";
    assert_eq!(error.hint().unwrap(), hint);
    let state = state(&systemd, "a.service").await;
    assert_eq!((state.active_state, state.result), (ActiveState::Failed, Some(ServiceResult::ExitCode)));
    assert_eq!((state.exec_main_code, state.exec_main_status), (Some(1), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn every_other_result_of_a_job_is_kept_as_systemd_says_it() {
    let (fake, systemd) = FakeSystemd::start().await;
    for (word, is_success) in [
        ("skipped", true),
        ("timeout", false),
        ("canceled", false),
        ("dependency", false),
        ("of-tomorrow", false),
    ] {
        fake.unit("a.service", Script::Ends { after: Duration::ZERO, result: word });

        let outcome = start(&systemd, "a.service").await;

        assert_eq!(outcome.result.as_ref().unwrap().as_str(), word);
        assert_eq!(outcome.is_success(), is_success, "{word}");
        assert_eq!(outcome.into_result().is_ok(), is_success, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_never_ends_times_out_and_names_its_unit() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::DONE);
    fake.unit("b.service", Script::NeverEnds);
    let begin = Instant::now();

    let outcomes = run(&systemd, &[UnitJob::start("a.service"), UnitJob::start("b.service")]).await;

    assert_eq!(begin.elapsed(), LIMIT);
    assert!(outcomes[0].is_success());
    let error = outcomes[1].result.as_ref().unwrap_err();
    assert_eq!(error.to_string(), "b.service: the start job has not ended within 1m and is still queued");
    assert_eq!(error.hint().unwrap(), "see `systemctl list-jobs` and `systemctl status b.service`");
}

#[tokio::test(start_paused = true)]
async fn a_systemd_that_does_not_reply_ends_the_wait_at_the_limit() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::NeverReplies);
    fake.unit("b.service", Script::DONE);
    let unit_jobs = [UnitJob::stop("a.service"), UnitJob::stop("b.service")];
    let limit = Duration::from_secs(10);
    let begin = Instant::now();

    let outcomes = systemd.run_jobs(&unit_jobs, &JobMode::Replace, limit, &mut |_| {}).await;

    assert_eq!(begin.elapsed(), limit);
    for (outcome, unit) in outcomes.iter().zip(["a.service", "b.service"]) {
        let said = outcome.result.as_ref().unwrap_err().to_string();
        assert_eq!(said, format!("{unit}: the stop job was not queued: systemd did not take it within 10s"));
    }
}

#[tokio::test(start_paused = true)]
async fn ten_units_are_awaited_together_and_reported_as_they_end() {
    let (fake, systemd) = FakeSystemd::start().await;
    let units: Vec<String> = (1..=10).map(|n| format!("a@{n}.service")).collect();
    for (unit, seconds) in units.iter().zip((1..=10).rev()) {
        fake.unit(unit, Script::Ends { after: Duration::from_secs(seconds), result: "done" });
    }
    let unit_jobs: Vec<UnitJob> = units.iter().map(UnitJob::start).collect();
    let mut seen = Vec::new();
    let begin = Instant::now();

    let outcomes = systemd
        .run_jobs(&unit_jobs, &JobMode::Replace, LIMIT, &mut |outcome| {
            seen.push((begin.elapsed().as_secs(), outcome.unit_job.unit.clone()));
        })
        .await;

    assert_eq!(begin.elapsed().as_secs(), 10);
    let in_order: Vec<_> = outcomes.iter().map(|outcome| outcome.unit_job.unit.clone()).collect();
    assert_eq!(in_order, units);
    let as_they_end: Vec<_> = (1..=10).zip(units.iter().rev().cloned()).collect();
    assert_eq!(seen, as_they_end);
}

#[tokio::test(start_paused = true)]
async fn a_second_round_of_jobs_works_on_the_same_connection() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::DONE);

    assert!(start(&systemd, "a.service").await.is_success());
    assert!(start(&systemd.clone(), "a.service").await.is_success());
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_cannot_be_enqueued_does_not_keep_the_others_from_starting() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::Refused(Refusal::MASKED));
    fake.unit("c.service", Script::DONE);
    let units = ["a.service", "b.service", "c.service"];

    let outcomes = run(&systemd, &units.map(UnitJob::start)).await;

    assert!(matches!(outcomes[0].result, Err(Error::UnitMasked { .. })));
    assert!(matches!(outcomes[1].result, Err(Error::UnitNotFound { .. })));
    assert!(outcomes[2].is_success());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_connection_ends_the_wait_with_an_error() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::NeverEnds);
    let begin = Instant::now();

    let (outcome, ()) = tokio::join!(start(&systemd, "a.service"), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        fake.hang_up().await;
    });

    assert_eq!(begin.elapsed().as_secs(), 2);
    let error = outcome.into_result().unwrap_err();
    assert_eq!(error.to_string(), "cannot start a.service: the connection to the system bus was lost");
    assert!(error.hint().unwrap().starts_with("systemd goes on with what it was told"));
    // And so does every later call.
    assert!(matches!(start(&systemd, "a.service").await.result, Err(Error::ConnectionLost { .. })));
    assert!(matches!(systemd.observe(&["a.service"]).await, Err(Error::ConnectionLost { .. })));
}
