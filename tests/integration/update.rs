//! A new image goes round the fleet, on a systemd that lives in the test and with an engine of files: what moves, in which order, and what is left when it goes wrong.

mod bed;

use std::time::Duration;

use homelab_runners::apply::trial::{self, TRIAL};
use homelab_runners::apply::update::{End, News};
use homelab_runners::fleet::names;
use homelab_runners::runner::SessionState;
use tokio::time::{Instant, sleep};

use bed::{Bed, NEW, OLD, REFERENCE, until};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_new_image_goes_to_one_runner_first_and_then_to_the_others_one_by_one() {
    let bed = Bed::with_runners(3).await;
    bed.publish(NEW);
    let begin = Instant::now();
    let (end, news) = bed.update().await;
    assert!(matches!(end, Ok(Some(End::Done))), "{end:?}");
    assert_eq!(bed.images(), [NEW; 3]);
    assert_eq!(bed.meaning(REFERENCE), NEW);
    let each = |number| format!("StopUnit {0} StartUnit {0}", names::service(number));
    assert_eq!(bed.starts_and_stops().join(" "), [each(1), each(2), each(3)].join(" "));
    assert!(begin.elapsed() > 3 * TRIAL, "{:?}", begin.elapsed());
    assert!(
        matches!(
            news.as_slice(),
            [News::Pulls, News::Tries(1, true), News::Replaced(1), News::Tries(2, false), ..]
        ),
        "{news:?}"
    );
    assert!(!bed.has_drop_ins());
}

#[tokio::test(start_paused = true)]
async fn nothing_new_touches_nothing() {
    let bed = Bed::with_runners(2).await;
    bed.publish(OLD);
    let (end, _) = bed.update().await;
    assert!(matches!(end, Ok(Some(End::Done))), "{end:?}");
    assert_eq!(bed.starts_and_stops(), [""; 0]);
    assert_eq!(bed.images(), [OLD; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_fails_touches_nothing() {
    let bed = Bed::with_runners(2).await;
    let (end, _) = bed.update().await;
    assert!(end.is_err(), "{end:?}");
    assert_eq!((bed.meaning(REFERENCE).as_str(), bed.starts_and_stops().len()), (OLD, 0));
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_does_not_come_online_goes_back_and_the_others_are_never_touched() {
    let bed = Bed::with_runners(3).await;
    bed.publish("bad");
    let (end, news) = bed.update().await;
    assert!(matches!(end, Ok(Some(End::Failed(1, true)))), "{end:?}");
    assert_eq!(bed.images(), [OLD; 3]);
    assert_eq!(bed.meaning(REFERENCE), OLD);
    assert!(bed.starts_and_stops().iter().all(|line| line.contains("@1")), "{:?}", bed.starts_and_stops());
    let Some(News::PutsBack(1, trouble)) = news.last() else { panic!("{news:?}") };
    assert!(!trouble.was_online && trouble.exit_status == Some(1), "{trouble:?}");
    assert_eq!(trouble.session.as_ref().map(|session| session.state), Some(SessionState::Failed));
    assert!(!bed.has_drop_ins());
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_does_not_stay_online_goes_back() {
    let bed = Bed::with_runners(2).await;
    bed.publish(NEW);
    let fall = async {
        until("the canary runs", || bed.images()[0] == NEW).await;
        sleep(Duration::from_secs(7)).await;
        bed.fall_over(1);
    };
    let ((end, news), ()) = tokio::join!(bed.update(), fall);
    assert!(matches!(end, Ok(Some(End::Failed(1, true)))), "{end:?}");
    assert!(matches!(news.last(), Some(News::PutsBack(1, trouble)) if trouble.was_online), "{news:?}");
    assert_eq!((bed.images(), bed.meaning(REFERENCE).as_str()), (vec![OLD.to_owned(); 2], OLD));
}

#[tokio::test(start_paused = true)]
async fn a_later_runner_that_fails_goes_back_and_what_comes_after_it_is_left_alone() {
    let bed = Bed::with_runners(3).await;
    bed.publish(NEW);
    bed.fails_for(2, NEW);
    let (end, _) = bed.update().await;
    assert!(matches!(end, Ok(Some(End::Failed(2, true)))), "{end:?}");
    assert_eq!(bed.images(), [NEW, OLD, OLD]);
    assert_eq!(bed.meaning(REFERENCE), OLD);
    assert!(!bed.starts_and_stops().iter().any(|line| line.contains("@3")));
}

#[tokio::test(start_paused = true)]
async fn whichever_is_idle_first_is_the_canary_and_until_then_the_reference_means_the_old_image() {
    let bed = Bed::with_runners(2).await;
    bed.publish(NEW);
    let mut first = bed.begin_workflow_job(1);
    let mut second = bed.begin_workflow_job(2);
    let workflow_jobs = async {
        bed.pulled().await;
        sleep(HOUR).await;
        assert_eq!((bed.meaning(REFERENCE).as_str(), bed.starts_and_stops().len()), (OLD, 0));
        second.kill().unwrap();
        second.wait().unwrap();
        sleep(HOUR).await;
        assert_eq!(
            (bed.images(), bed.meaning(REFERENCE).as_str()),
            (vec![OLD.to_owned(), NEW.to_owned()], NEW)
        );
        first.kill().unwrap();
        first.wait().unwrap();
    };
    let ((end, news), ()) = tokio::join!(bed.update(), workflow_jobs);
    assert!(matches!(end, Ok(Some(End::Done))), "{end:?}");
    assert!(matches!(&news[1], News::Waits(waiting) if *waiting == [1, 2]), "{news:?}");
    assert_eq!(bed.images(), [NEW; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_job_that_outlives_the_time_limit_is_left_to_run() {
    let bed = Bed::with_runners(2).await;
    bed.publish(NEW);
    let mut worker = bed.begin_workflow_job(2);
    let (end, _) = bed.update_within(Some(Duration::from_secs(60))).await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(matches!(&end, Ok(Some(End::Busy(numbers))) if *numbers == [2]), "{end:?}");
    assert_eq!(bed.images(), [NEW, OLD]);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_ends_the_wait_for_workflow_jobs_and_changes_nothing() {
    let bed = Bed::with_runners(1).await;
    bed.publish(NEW);
    let mut worker = bed.begin_workflow_job(1);
    let interrupt = async {
        bed.pulled().await;
        sleep(HOUR).await;
        bed.interrupt();
    };
    let ((end, _), ()) = tokio::join!(bed.update(), interrupt);
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(matches!(end, Ok(Some(End::Interrupted))), "{end:?}");
    assert_eq!((bed.images(), bed.meaning(REFERENCE).as_str()), (vec![OLD.to_owned()], OLD));
}

#[tokio::test]
async fn an_interruption_ends_a_pull() {
    let bed = Bed::with_runners(1).await;
    bed.publish(NEW);
    bed.pulls_hang();
    let interrupt = async {
        until("the engine pulls", || bed.calls().contains("pull")).await;
        bed.interrupt();
    };
    let ((end, _), ()) = tokio::join!(bed.update(), interrupt);
    assert!(matches!(end, Ok(None)), "{end:?}");
    assert_eq!(bed.meaning(REFERENCE), OLD);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_lets_no_runner_out_of_service() {
    let bed = Bed::with_runners(2).await;
    bed.publish(NEW);
    let interrupt = async {
        until("the canary is stopped", || !bed.starts_and_stops().is_empty()).await;
        bed.interrupt();
    };
    let ((end, _), ()) = tokio::join!(bed.update(), interrupt);
    assert!(matches!(end, Ok(Some(End::Interrupted))), "{end:?}");
    assert_eq!((bed.images(), bed.meaning(REFERENCE).as_str()), (vec![NEW.to_owned(), OLD.to_owned()], NEW));
    let (end, _) = bed.again().update().await;
    assert!(matches!(end, Ok(Some(End::Done))), "{end:?}");
    assert_eq!(bed.images(), [NEW; 2]);
}

/// The program is killed while the canary starts: what it leaves is swept, and the next run goes on.
#[tokio::test(start_paused = true)]
async fn an_update_that_was_killed_is_continued_by_the_next() {
    let bed = Bed::with_runners(2).await;
    bed.publish(NEW);
    tokio::select! {
        _ = bed.update() => panic!("it came to its end"),
        () = until("the canary starts", || bed.has_drop_ins()) => {}
    }
    assert_eq!(bed.meaning(REFERENCE), OLD, "a reboot starts what works");
    assert!(trial::sweep(&bed.host).unwrap() && !bed.has_drop_ins());
    assert!(!trial::sweep(&bed.host).unwrap());
    bed.reload().await;
    let (end, _) = bed.again().update().await;
    assert!(matches!(end, Ok(Some(End::Done))), "{end:?}");
    assert_eq!((bed.images(), bed.meaning(REFERENCE).as_str()), (vec![NEW.to_owned(); 2], NEW));
}

#[tokio::test(start_paused = true)]
async fn force_does_not_wait_for_workflow_jobs() {
    let bed = Bed::with_runners(1).await.forced();
    bed.publish(NEW);
    let mut worker = bed.begin_workflow_job(1);
    let begin = Instant::now();
    let (end, _) = bed.update().await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(matches!(end, Ok(Some(End::Done))) && begin.elapsed() < HOUR, "{end:?}");
    assert_eq!(bed.images(), [NEW]);
}

#[tokio::test(start_paused = true)]
async fn what_was_built_on_this_host_is_not_pulled() {
    let bed = Bed::with_image("localhost/runner:stable", 2).await;
    bed.build("localhost/runner:stable", NEW);
    let (end, news) = bed.update().await;
    assert!(matches!(end, Ok(Some(End::Done))), "{end:?}");
    assert!(!bed.calls().contains("pull") && !news.iter().any(|news| matches!(news, News::Pulls)));
    assert_eq!(bed.images(), [NEW; 2]);
    bed.build("localhost/runner:stable", "bad");
    let (end, _) = bed.again().update().await;
    assert!(matches!(end, Ok(Some(End::Failed(1, true)))), "{end:?}");
    assert_eq!(
        (bed.images(), bed.meaning("localhost/runner:stable").as_str()),
        (vec![NEW.to_owned(); 2], NEW)
    );
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_failed_on_the_old_image_is_started_on_the_new_one() {
    let bed = Bed::with_runners(2).await;
    bed.publish(NEW);
    bed.fall_over(1);
    bed.fall_over(2);
    let (end, _) = bed.update().await;
    assert!(matches!(end, Ok(Some(End::Done))), "{end:?}");
    assert_eq!(bed.images(), [NEW; 2]);
}
