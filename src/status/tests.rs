#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::runner::{Session, SessionState, TokenSource};

fn token() -> TokenSource {
    let file = "/etc/homelab-runners/.env".to_owned();
    TokenSource::Variable { name: "RUNNER_TOKEN_3".to_owned(), file }
}

fn online() -> RunnerStatus {
    RunnerStatus {
        number: 3,
        name: "homelab-runner-3".to_owned(),
        unit: "homelab-runner@3.service".to_owned(),
        active_state: "active".to_owned(),
        sub_state: "running".to_owned(),
        session: Some("online".to_owned()),
        health: Some("healthy".to_owned()),
        busy: false,
        registered: Some(true),
        ephemeral: false,
        registered_as: None,
        token: Some("present".to_owned()),
        drained: false,
        restart_pending: false,
        since: Some("2026-11-23T18:00:00Z".to_owned()),
        restarts: 2,
        cpu_percent: Some(12.3),
        cpu_quota_percent: Some(200.0),
        memory_bytes: Some(300 << 20),
        memory_max_bytes: Some(4 << 30),
        problem: None,
        hint: None,
    }
}

#[test]
fn the_table_shows_use_against_the_limit() {
    let text = table(&[online()], &|_| "2 min".to_owned());
    let row = text.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(row, "3 homelab-runner-3 online healthy 2 min 2 12% of 200% 300M of 4.0G yes");
}

#[test]
fn an_ephemeral_runner_is_told_from_one_that_stays() {
    let runner = RunnerStatus { ephemeral: true, ..online() };
    let text = table(std::slice::from_ref(&runner), &|_| "2 min".to_owned());
    assert!(text.lines().nth(1).unwrap().ends_with("for one workflow job"), "{text}");
    let stopped = RunnerStatus { registered: Some(false), token: None, ..runner };
    let text = table(&[stopped], &|_| "2 min".to_owned());
    assert!(text.lines().nth(1).unwrap().ends_with(" no"), "{text}");
}

#[test]
fn an_active_unit_without_a_session_is_not_online() {
    let runner = RunnerStatus { session: Some("connecting".to_owned()), ..online() };
    assert_eq!(runner.word(), "connecting");
    assert!(!runner.is_well());
    let runner = RunnerStatus { health: Some("unhealthy".to_owned()), ..online() };
    assert_eq!((runner.word(), runner.is_well()), ("unhealthy", false));
}

#[test]
fn a_drained_runner_says_so_before_and_after_it_has_ended() {
    let runner = RunnerStatus { drained: true, busy: true, ..online() };
    assert_eq!((runner.word(), runner.is_well()), ("draining", true));
    let stopped = RunnerStatus { active_state: "inactive".to_owned(), session: None, ..runner };
    assert_eq!((stopped.word(), stopped.is_well()), ("drained", false));
}

#[test]
fn the_entrypoints_own_words_win_over_the_exit_code() {
    let session = Session { state: SessionState::Failed, sentence: "RUNNER_TOKEN_3 is not set".to_owned() };
    let explanation = explain(Some(64), Some(&session), &token()).unwrap();
    assert_eq!(explanation.cause, "RUNNER_TOKEN_3 is not set");
    assert!(explanation.hint.unwrap().contains("RUNNER_TOKEN_3 in /etc/homelab-runners/.env"));
    assert!(explain(Some(65), None, &token()).unwrap().cause.contains("expired"));
    assert!(explain(Some(137), None, &token()).unwrap().cause.contains("killed"));
    assert_eq!(explain(Some(0), None, &token()), None);
    assert_eq!(explain(None, None, &token()), None);
}

#[test]
fn the_json_has_a_field_for_everything_in_the_table() {
    let json = serde_json::to_value(online()).unwrap();
    for field in [
        "number",
        "name",
        "unit",
        "active_state",
        "session",
        "health",
        "restarts",
        "since",
        "memory_bytes",
        "problem",
        "hint",
    ] {
        assert!(json.get(field).is_some(), "{field}");
    }
}
