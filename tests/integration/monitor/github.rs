//! What GitHub says, and what it does not.

use super::*;

use AtGithub::{Idle, Offline};

#[tokio::test(start_paused = true)]
async fn a_silent_zombie_is_restarted_after_the_third_list() {
    let bed = Bed::new(2).await;
    bed.github_says(&[Offline, Idle]);
    bed.watch(async |watching| {
        let begin = tokio::time::Instant::now();
        watching.healing(1).await;
        // The first list is asked for before systemd has said anything, so it does not count.
        assert!(begin.elapsed() <= Duration::from_secs(181), "{:?}", begin.elapsed());
        bed.github_says(&[Idle, Idle]);
        watching.verdict(1, "well").await;
        sleep(HOUR).await;
    })
    .await;
    assert_eq!(bed.journal().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_github_that_does_not_answer_gets_nobody_restarted() {
    let bed = Bed::new(2).await;
    bed.github_says(&[Idle, Idle]);
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        *bed.github.borrow_mut() = Err("HTTP 502".to_owned());
        watching.verdict(1, "github_unreachable").await;
        assert!(watching.0.borrow().is_well());
        sleep(3 * HOUR).await;
        bed.github_says(&[Idle, Idle]);
        watching.verdict(2, "well").await;
    })
    .await;
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
    assert_eq!(bed.happened(), [(None, What::Watching), (None, What::GithubLost), (None, What::GithubBack)]);
}

/// A listener pauses for up to a minute between two tries, and does not notice at once that a try could go through again.
#[tokio::test(start_paused = true)]
async fn after_an_outage_listeners_get_the_time_that_they_take_to_come_back() {
    let bed = Bed::new(2).await;
    bed.github_says(&[Idle, Idle]);
    let timing = Timing { look: Duration::from_secs(10), github: Duration::from_secs(20), heal_limit: HOUR };
    bed.watch_with(
        timing,
        async || bed.github.borrow().clone(),
        async |watching| {
            watching.verdict(1, "well").await;
            for back in [Idle, Offline] {
                *bed.github.borrow_mut() = Err("HTTP 502".to_owned());
                watching.verdict(1, "github_unreachable").await;
                sleep(HOUR / 6).await;
                bed.github_says(&[Offline, Offline]);
                watching.verdict(1, "github_disagrees").await;
                sleep(Duration::from_secs(110)).await;
                assert!(bed.journal().is_empty(), "{:?}", bed.journal());
                bed.github_says(&[back, Idle]);
                watching.verdict(2, "well").await;
            }
            let begin = tokio::time::Instant::now();
            watching.healing(1).await;
            assert!(begin.elapsed() <= Duration::from_secs(61), "{:?}", begin.elapsed());
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_github_that_takes_for_ever_delays_no_restart() {
    let bed = Bed::new(1).await;
    bed.has_github.set(true);
    bed.signal_listener(1, Signal::STOP);
    let timing = Timing { look: Duration::from_secs(10), github: Duration::from_secs(60), heal_limit: HOUR };
    let begin = tokio::time::Instant::now();
    bed.watch_with(timing, async || std::future::pending().await, async |watching| watching.healing(1).await)
        .await;
    assert!(begin.elapsed() <= Duration::from_secs(31), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_workflow_job_that_begins_right_before_the_restart_calls_it_off() {
    let bed = Bed::new(2).await;
    bed.github_says(&[Offline, Idle]);
    let asked = Cell::new(0);
    let github = async || {
        asked.set(asked.get() + 1);
        // The third that counts; the last look at the container is older than this.
        if asked.get() == 4 {
            bed.begin(1, WORKER);
        }
        bed.github.borrow().clone()
    };
    let timing = Timing { look: Duration::from_secs(50), github: Duration::from_secs(60), heal_limit: HOUR };
    bed.watch_with(timing, github, async |watching| {
        watching.verdict(1, "busy").await;
        sleep(HOUR).await;
    })
    .await;
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
    assert!(bed.happened().contains(&(Some(1), What::HealCalledOff)), "{:?}", bed.happened());
}
