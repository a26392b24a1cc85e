//! Stopping, and the words of the state file on the way.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use homelab_runners::runner::SessionState;
use rustix::process::{Signal, kill_process};

use super::container::{Container, TOKEN};

#[test]
fn both_stop_signals_reach_the_listener_as_one_sigint() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut container = Container::new();
        container.give_token();
        container.start_online();
        container.signal(signal);
        assert_eq!(container.exit_code(), 0);
        assert_eq!(container.read("stub/signals"), "INT\n");
    }
}

#[test]
fn further_signals_change_nothing() {
    let mut container = Container::new();
    container.give_token();
    container
        .listener_does("trap 'echo INT >>\"$STUB/signals\"; wait_for finish; exit 0' INT; listen; for_ever");
    container.start_online();
    container.signal(Signal::INT);
    container.wait_for_file("stub/signals");
    for signal in [Signal::INT, Signal::TERM, Signal::USR1, Signal::USR2, Signal::INT] {
        container.signal(signal);
    }
    container.wait_for_state(SessionState::Stopping);
    fs::write(container.path("stub/finish"), "").unwrap();
    assert_eq!(container.exit_code(), 0);
    assert_eq!(container.read("stub/signals"), "INT\n");
    assert!(container.read("run/homelab-runner/status/state").starts_with("stopping\n"));
}

#[test]
fn the_listeners_signal_exit_after_a_stop_is_a_stop() {
    for code in [130, 143, 1] {
        let mut container = Container::new();
        container.give_token();
        container.listener_does(&format!("trap 'exit {code}' INT; listen; for_ever"));
        container.start_online();
        assert_eq!(container.stop(), 0);
    }
}

#[test]
fn a_stop_wakes_a_listener_that_a_signal_stopped() {
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    kill_process(container.listener_pid(), Signal::STOP).unwrap();
    assert_eq!(container.stop(), 0);
    assert_eq!(container.read("stub/signals"), "INT\n");
}

#[test]
fn a_stop_while_registering_does_not_wait_for_the_network() {
    let mut container = Container::new();
    container.give_token();
    container.config_does("sleep 300");
    container.start();
    container.config_pid();
    assert_eq!(container.stop(), 0);
    assert!(!container.exists("stub/listener.pid"));
}

#[test]
fn a_stop_in_the_last_moment_of_registering_keeps_the_identity() {
    let mut container = Container::new();
    container.give_token();
    container.config_does("trap '' INT; wait_for finish; identity 7");
    container.start();
    container.config_pid();
    container.signal(Signal::INT);
    container.wait_for_state(SessionState::Stopping);
    fs::write(container.path("stub/finish"), "").unwrap();
    assert_eq!(container.exit_code(), 0);
    assert!(container.exists("run/homelab-runner/identity/.runner"));
    assert!(!container.exists("stub/listener.pid"));
}

#[test]
fn the_words_of_the_state_file_come_in_order() {
    let mut container = Container::new();
    let token = container.path("run/homelab-runner/token/registration-token");
    // A pipe holds the entrypoint where it reads the token.
    assert!(Command::new("mkfifo").arg(&token).status().unwrap().success());
    container.listener_does("wait_for connected; listen; for_ever");
    container.start();
    container.wait_for_state(SessionState::Starting);
    fs::write(&token, format!("{TOKEN}\n")).unwrap();
    container.listener_pid();
    container.wait_for_state(SessionState::Connecting);
    fs::write(container.path("stub/connected"), "").unwrap();
    container.wait_for_state(SessionState::Online);
    assert_eq!(container.stop(), 0);
    assert_eq!(container.read("stub/states"), "configuring\nconnecting\nstopping\n");
}

#[test]
fn a_session_of_an_earlier_start_does_not_count() {
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    assert_eq!(container.stop(), 0);
    container.listener_does(
        "ls \"$RUNNER_PERFLOG\" >\"$STUB/ls\"; mv \"$STUB/ls\" \"$STUB/perf\"; wait_for never",
    );
    container.start();
    container.wait_for_file("stub/perf");
    assert_eq!(container.read("stub/perf"), "");
    assert_eq!(container.stop(), 0);
    assert!(!container.read("stub/states").contains("online"));
}

#[test]
fn waiting_for_a_stopped_listener_costs_no_time() {
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    let listener = container.listener_pid();
    kill_process(listener, Signal::STOP).unwrap();
    let used = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", container.entrypoint_pid())).unwrap();
        let fields: Vec<u64> =
            stat.rsplit(") ").next().unwrap().split(' ').filter_map(|f| f.parse().ok()).collect();
        // utime and stime; the state before them is no number.
        fields.iter().skip(10).take(2).sum::<u64>()
    };
    let before = used();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(500) {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(used() - before <= 5, "the entrypoint is spinning");
    kill_process(listener, Signal::CONT).unwrap();
    assert_eq!(container.stop(), 0);
}
