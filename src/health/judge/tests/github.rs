//! What GitHub says, and what it does not.

use super::*;

/// GitHub's list at this moment: `seen` for runner 1, 2, ….
fn list(bed: &mut Bed, seen: &[AtGithub]) {
    let numbers = (1..=bed.count).zip(seen.iter().copied());
    let time = now(bed.seconds).time;
    bed.tell(Observation::Github(Ok(numbers.collect()), time));
}

/// A list every minute, so often; who is to be restarted after each.
fn lists(bed: &mut Bed, times: usize, seen: &[AtGithub]) -> Vec<Option<u16>> {
    let mut decided = Vec::new();
    for _ in 0..times {
        list(bed, seen);
        decided.push(bed.decide());
        bed.seconds += 60;
    }
    decided
}

use AtGithub::{Absent, Busy, Idle, Offline};

#[test]
fn a_session_that_github_does_not_see_three_times_in_a_row_is_lost() {
    let mut bed = Bed::new(2);
    assert_eq!(lists(&mut bed, 3, &[Offline, Idle]), [None, None, Some(1)]);
    assert_eq!(bed.verdict(1), Verdict::SilentZombie);
}

#[test]
fn a_look_in_between_that_sees_it_starts_the_count_anew_and_so_does_no_answer() {
    let mut bed = Bed::new(2);
    assert_eq!(lists(&mut bed, 2, &[Offline, Idle]), [None, None]);
    lists(&mut bed, 1, &[Idle, Idle]);
    assert_eq!(lists(&mut bed, 2, &[Offline, Idle]), [None, None]);
    bed.tell(Observation::Github(Err("HTTP 502".to_owned()), now(bed.seconds).time));
    assert_eq!(bed.verdict(1), Verdict::GithubUnreachable);
    assert_eq!(lists(&mut bed, 3, &[Offline, Idle]), [None, None, Some(1)]);
}

#[test]
fn after_an_outage_being_offline_counts_against_nobody_for_as_long_as_it_took_and_two_minutes_at_most() {
    for (outage, spared) in [(10, 1), (60, 1), (90, 2), (120, 2), (3600, 2)] {
        let mut bed = Bed::new(2);
        bed.tell(Observation::Github(Err("HTTP 502".to_owned()), now(bed.seconds).time));
        bed.seconds += outage;
        let decided = lists(&mut bed, spared + 3, &[Offline, Idle]);
        assert_eq!(decided.iter().position(Option::is_some), Some(spared + 2), "{outage}");
    }
}

#[test]
fn no_answer_of_github_restarts_anybody_however_long_there_is_none() {
    let mut bed = Bed::new(2);
    for _ in 0..1000 {
        bed.tell(Observation::Github(Err("HTTP 502".to_owned()), now(bed.seconds).time));
        assert_eq!(bed.decide(), None);
        bed.seconds += 60;
    }
    lists(&mut bed, 1, &[Idle, Idle]);
    assert_eq!(bed.happened(), [(None, What::GithubLost), (None, What::GithubBack)]);
}

#[test]
fn a_list_from_before_the_session_began_says_nothing_about_it() {
    let mut bed = Bed::new(2);
    bed.tell(Observation::Systemd(1, unit(Activity::Active, 1000)));
    assert_eq!(lists(&mut bed, 5, &[Offline, Idle]), [None; 5]);
    bed.seconds = 1001;
    assert_eq!(lists(&mut bed, 3, &[Offline, Idle]), [None, None, Some(1)]);
}

#[test]
fn who_is_busy_at_github_is_not_restarted_though_no_worker_is_seen() {
    let mut bed = Bed::new(2);
    lists(&mut bed, 1, &[Busy, Idle]);
    assert!(bed.dead_for(1, 600).is_empty());
    assert_eq!(lists(&mut bed, 1, &[Idle, Idle]), [Some(1)]);
}

#[test]
fn who_was_removed_at_github_is_not_restarted() {
    let mut bed = Bed::new(2);
    assert_eq!(lists(&mut bed, 100, &[Absent, Idle]), [None; 100]);
    assert_eq!(bed.verdict(1), Verdict::RemovedAtGithub);
}

#[test]
fn where_github_sees_nobody_one_is_restarted_and_the_others_wait_for_it() {
    let mut bed = Bed::new(4);
    assert_eq!(lists(&mut bed, 3, &[Offline; 4]), [None, None, Some(1)]);
    bed.tell(Observation::HealEnded(1, HealEnd::Healed));
    assert_eq!(lists(&mut bed, 20, &[Offline; 4]), [None; 20]);
    // It is back, and the others have as long as ever to come back by themselves.
    assert_eq!(lists(&mut bed, 4, &[Idle, Offline, Offline, Idle]), [None, None, None, Some(2)]);
    bed.tell(Observation::HealEnded(2, HealEnd::Healed));
    assert_eq!(lists(&mut bed, 1, &[Idle, Idle, Offline, Idle]), [Some(3)]);
}

#[test]
fn a_restart_that_nothing_came_of_is_followed_by_that_of_another_half_an_hour_later() {
    let mut bed = Bed::new(3);
    lists(&mut bed, 3, &[Offline; 3]);
    let begin = bed.seconds;
    bed.tell(Observation::HealEnded(1, HealEnd::Failed("it ended".to_owned())));
    let decided = lists(&mut bed, 40, &[Offline; 3]);
    let next = decided.iter().position(Option::is_some).unwrap();
    assert_eq!((decided[next], begin), (Some(2), 180));
    assert!((28..=30).contains(&next), "{next}");
}

#[test]
fn the_only_runner_is_restarted_when_its_session_is_lost() {
    let mut bed = Bed::new(1);
    assert_eq!(lists(&mut bed, 3, &[Offline]), [None, None, Some(1)]);
    assert!(bed.judge.probe.is_none());
}
