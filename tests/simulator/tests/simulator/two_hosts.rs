//! Two hosts with one name for their runners, and one GitHub.

use std::fs;

use homelab_runners::runner::{RunnerExit, SessionState};
use serde_json::Value;

use crate::bed::Bed;
use crate::host::{Host, Mode, NAME};

fn start() -> Bed {
    Bed::start_with(&["--session-lifetime-seconds", "0"])
}

async fn second(bed: &Bed, mode: Mode) -> Host<'_> {
    let host = Host::with(bed, mode, "second").await;
    if mode == Mode::TokensFile {
        host.write_token().await;
    }
    host
}

async fn id(bed: &Bed) -> Value {
    bed.runner(NAME).await.unwrap()["id"].clone()
}

/// Its unit stays failed: there is no circle.
fn assert_needs_a_person(code: i32) {
    assert!(RunnerExit::from_code(code).unwrap().needs_a_person(), "{code}");
}

#[tokio::test]
async fn the_second_steals_nothing_says_why_and_stays_failed() {
    for mode in [Mode::Credential, Mode::TokensFile] {
        let bed = start();
        let mut first = Host::with(&bed, Mode::Credential, "first").await;
        let running = first.start().await;
        let registered = id(&bed).await;
        let mut second = second(&bed, mode).await;
        for _ in 0..2 {
            let (code, container) = second.start_in_vain().await;
            assert_eq!(code, 67, "{}", container.output());
            assert_needs_a_person(code);
            let said = container.output();
            for part in [
                &format!("a runner named {NAME} exists at {} and is not ours", bed.url()),
                "choose another name_prefix for one of the two",
            ] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
        assert!(running.is(SessionState::Online));
        assert_eq!((id(&bed).await, first.asked("/actions/runners/register").await), (registered, 1));
    }
}

#[tokio::test]
async fn where_both_may_replace_the_second_takes_the_name_once_and_the_first_does_not_take_it_back() {
    let bed = start();
    let mut first = Host::with(&bed, Mode::Credential, "first").await;
    first.replaces = true;
    let mut running = first.start().await;
    let mut second = second(&bed, Mode::Credential).await;
    second.replaces = true;
    let taken = second.start().await;
    // Its session ends first, and only a new one is told that its key is good for nothing.
    assert_eq!(running.code(&bed).await, 75, "{}", running.output());
    for expected in [72, 67, 67] {
        let (code, container) = first.start_in_vain().await;
        assert_eq!(code, expected, "{}", container.output());
        if code == 67 {
            assert_needs_a_person(code);
            assert!(container.output().contains("not ours any more"), "{}", container.output());
        }
    }
    assert!(taken.is(SessionState::Online));
    assert_eq!(second.at_github().await, [NAME]);
    assert_eq!(first.asked("/actions/runners/register").await, 2, "one for each");
}

#[tokio::test]
async fn what_a_person_removed_at_github_is_registered_again_by_itself() {
    let bed = start();
    let mut host = Host::with(&bed, Mode::Credential, "first").await;
    let mut running = host.start().await;
    bed.ask(hyper::Method::DELETE, &format!("/runners/{NAME}"), &Value::Null).await;
    assert_eq!(running.code(&bed).await, 72, "{}", running.output());
    host.start().await;
    assert!(!host.paths().lost().exists());
}

#[tokio::test]
async fn a_copy_of_the_identity_waits_and_takes_no_session_from_the_one_that_has_it() {
    let bed = Bed::start();
    let mut first = Host::with(&bed, Mode::Credential, "first").await;
    let running = first.start().await;
    let mut second = second(&bed, Mode::Credential).await;
    second.hurries = true;
    fs::create_dir_all(second.paths().identity).unwrap();
    for entry in fs::read_dir(first.paths().identity).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), second.paths().identity.join(entry.file_name())).unwrap();
    }
    let (code, container) = second.start_in_vain().await;
    assert_eq!(code, 70, "{}", container.output());
    assert!(container.output().contains("look for a second runner with the same identity"));
    assert!(running.is(SessionState::Online));
    assert_eq!(bed.runner(NAME).await.unwrap()["status"], "online");
    assert_eq!(first.asked("/actions/runners/register").await, 1);
}
