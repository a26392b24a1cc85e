use proptest::prelude::*;

use super::*;

fn runner(number: u16, here: Here, at_github: AtGithub) -> Candidate {
    let labels = ["self-hosted", "Linux", "X64", "homelab"].map(str::to_owned).to_vec();
    Candidate { name: format!("homelab-runner-{number}"), number, here, at_github: Some(at_github), labels }
}

fn job(labels: &[&str]) -> Queued {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Queued { id: 7, name: "e2e".to_owned(), labels, waits_for_runner: true }
}

fn away(word: &str) -> Here {
    Here::Away { word: word.to_owned(), problem: Some("RUNNER_TOKEN_1 is not set".to_owned()) }
}

#[test]
fn a_label_that_nobody_has_is_named() {
    let verdict = job(&["self-hosted", "gpu"]).verdict(&[runner(1, Here::Idle, AtGithub::Idle)]);
    assert_eq!(verdict.waits_for, Waits::Labels);
    assert_eq!(verdict.reason, "no runner of this fleet has the label gpu");
    assert_eq!(verdict.runners, [("homelab-runner-1".to_owned(), "lacks the label gpu".to_owned())]);
}

#[test]
fn labels_have_no_case() {
    let verdict = job(&["Self-Hosted", "linux", "HOMELAB"]).verdict(&[runner(1, Here::Idle, AtGithub::Idle)]);
    assert_eq!(verdict.waits_for, Waits::Assignment);
}

#[test]
fn busy_runners_are_a_turn_to_wait_for_and_runners_out_of_service_are_none() {
    let busy = runner(1, Here::Busy, AtGithub::Busy);
    let drained = runner(2, Here::Drained, AtGithub::Absent);
    let failed = runner(3, away("failed"), AtGithub::Offline);
    let verdict = job(&["homelab"]).verdict(&[busy, drained.clone(), failed.clone()]);
    assert_eq!(verdict.waits_for, Waits::Turn);
    assert!(verdict.reason.contains("1 of 3"), "{}", verdict.reason);
    let verdict = job(&["homelab"]).verdict(&[drained, failed]);
    assert_eq!(verdict.waits_for, Waits::Service);
    let words: Vec<&str> = verdict.runners.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(words, ["drained", "failed"]);
}

#[test]
fn what_waits_for_an_approval_is_not_told_to_wait_for_a_runner() {
    let held = Queued { waits_for_runner: false, ..job(&["gpu"]) };
    assert_eq!(held.verdict(&[runner(1, Here::Idle, AtGithub::Idle)]).waits_for, Waits::GithubItself);
}

#[test]
fn the_witness_that_disagrees_is_named() {
    let lost = runner(1, Here::Idle, AtGithub::Offline).reason(&[]);
    assert!(lost.reason.contains("GitHub sees it offline") && lost.hint.is_some(), "{lost:?}");
    let removed = runner(1, Here::Idle, AtGithub::Absent).reason(&[]);
    assert!(removed.reason.contains("GitHub does not know it"), "{removed:?}");
}

#[test]
fn without_github_the_host_tells_what_it_knows_and_no_more() {
    let unasked = |here| Candidate { at_github: None, ..runner(2, here, AtGithub::Idle) };
    assert_eq!(unasked(Here::Idle).reason(&[]).reason, "idle");
    let failed = unasked(away("failed")).reason(&[]);
    assert_eq!(failed.reason, "failed: RUNNER_TOKEN_1 is not set");
    let drained = unasked(Here::Drained).reason(&[]);
    assert_eq!(drained.hint.as_deref(), Some("take it back into service: runnerctl undrain 2"));
}

#[test]
fn an_idle_runner_says_whether_anything_is_there_for_it() {
    let idle = runner(1, Here::Idle, AtGithub::Idle);
    assert_eq!(idle.reason(&[]).reason, "idle: no workflow job is queued");
    assert!(idle.reason(&[job(&["gpu"])]).reason.contains("not the labels"));
    assert!(idle.reason(&[job(&["gpu"]), job(&["homelab"])]).reason.contains("1 queued"));
}

fn here() -> impl Strategy<Value = Here> {
    prop_oneof![Just(Here::Idle), Just(Here::Busy), Just(Here::Drained), Just(away("starting"))]
}

fn at_github() -> impl Strategy<Value = AtGithub> {
    prop_oneof![Just(AtGithub::Absent), Just(AtGithub::Offline), Just(AtGithub::Idle), Just(AtGithub::Busy)]
}

proptest! {
    #[test]
    fn a_free_runner_is_promised_only_where_one_is(views in proptest::collection::vec((here(), at_github()), 0..6)) {
        let fleet: Vec<Candidate> =
            (1..).zip(views).map(|(number, (here, at_github))| runner(number, here, at_github)).collect();
        let verdict = job(&["homelab"]).verdict(&fleet);
        let free = fleet.iter().any(|runner| runner.here == Here::Idle && runner.at_github == Some(AtGithub::Idle));
        prop_assert_eq!(verdict.waits_for == Waits::Assignment, free);
        prop_assert_eq!(verdict.waits_for == Waits::Labels, fleet.is_empty());
        prop_assert_eq!(verdict.runners.len(), fleet.len());
    }
}
