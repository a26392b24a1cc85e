//! Runners that stay registered, over weeks and many starts.

use std::fs;

use homelab_runners::runner::{Session, SessionState};
use rustix::process::Signal;

use crate::bed::Bed;
use crate::host::{Host, Mode, NAME};

const REGISTER: &str = "/actions/runners/register";
const DAY: u64 = 24 * 3600;

async fn stopped(host: &mut Host<'_>) {
    let mut container = host.start().await;
    container.signal(Signal::INT);
    assert_eq!(container.code(host.bed).await, 0, "{}", container.output());
}

#[tokio::test]
async fn weeks_later_with_the_token_long_dead_it_starts_as_ever() {
    let bed = Bed::start();
    let mut host = Host::with(&bed, Mode::TokensFile, "host").await;
    host.write_token().await;
    stopped(&mut host).await;
    // Five weeks, and never away for the two that cost a registration.
    for _ in 0..3 {
        bed.advance_clock(12 * DAY).await;
        stopped(&mut host).await;
    }
    assert_eq!((host.asked(REGISTER).await, host.at_github().await), (1, vec![NAME.to_owned()]));
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_what_to_do_and_goes_on_with_a_new_token() {
    let bed = Bed::start();
    let mut host = Host::with(&bed, Mode::TokensFile, "host").await;
    host.write_token().await;
    stopped(&mut host).await;
    bed.advance_clock(15 * DAY).await;
    let (code, container) = host.start_in_vain().await;
    assert_eq!(code, 72, "{}", container.output());
    // The token in the file is dead, and GitHub says so.
    let (code, container) = host.start_in_vain().await;
    assert_eq!(code, 65, "{}", container.output());
    let Session { state, sentence } = container.session().unwrap();
    assert!(state == SessionState::Failed && sentence.contains("expired (it lives 1 hour)"), "{sentence}");
    host.write_token().await;
    stopped(&mut host).await;
    assert_eq!(host.at_github().await, [NAME]);
}

#[tokio::test]
async fn restarts_that_lose_the_identity_ask_for_no_more_than_the_budget() {
    let bed = Bed::start_with(&["--session-lifetime-seconds", "0"]);
    let mut host = Host::with(&bed, Mode::Credential, "host").await;
    for number in 0..10 {
        if number == 0 {
            host.start().await.kill();
        } else {
            let (code, container) = host.start_in_vain().await;
            // With its identity it has lost what says that the name is its own.
            assert_eq!(code, if number < 3 { 67 } else { 75 }, "{}", container.output());
            assert_eq!(container.output().contains("three registrations within ten minutes"), number >= 3);
        }
        fs::remove_dir_all(host.paths().identity).ok();
    }
    let asked = host.asked("/actions/runners/registration-token").await;
    assert_eq!((asked, host.asked(REGISTER).await), (3, 1));
}
