#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::runner::{Session, SessionState, TokenSource};

fn token() -> TokenSource {
    let file = "/etc/homelab-runners/.env".to_owned();
    let (page, command) = ("https://github.com/acme/shop".to_owned(), "runnerctl register 3".to_owned());
    TokenSource::Variable { name: "RUNNER_TOKEN_3".to_owned(), file, page, command }
}

fn image(reference: &str, days: i64) -> ImageAge {
    let created = "2026-11-14T10:00:00Z";
    let now = created.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * days + 23);
    ImageAge::new(&reference.parse().unwrap(), &"a".repeat(64), created, now).unwrap()
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
        image: Some(image("ghcr.io/actions/actions-runner:2.338.0", 12)),
        problem: None,
        hint: None,
    }
}

#[test]
fn the_table_shows_use_against_the_limit() {
    let text = table(&[online()], &|_| "2 min".to_owned());
    let row = text.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        row,
        "3 homelab-runner-3 online healthy 2 min 2 12% of 200% 300M of 4.0G 2.338.0, 12d old yes"
    );
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
        "image",
        "problem",
        "hint",
    ] {
        assert!(json.get(field).is_some(), "{field}");
    }
}

#[test]
fn the_image_has_the_version_that_its_tag_names_and_no_other() {
    let word = |image| {
        let row = table(&[RunnerStatus { image, ..online() }], &|_| String::new());
        row.lines()
            .nth(1)
            .unwrap()
            .rsplit("4.0G")
            .next()
            .unwrap()
            .trim()
            .trim_end_matches("yes")
            .trim()
            .to_owned()
    };
    assert_eq!(
        word(Some(image("docker.io/myoung34/github-runner:2.338.0-ubuntu-noble", 3))),
        "2.338.0, 3d old"
    );
    assert_eq!(word(Some(image("x.y/runner:stable", 0))), "0d old");
    assert_eq!(word(Some(image("x.y/runner:24.04", 0))), "0d old");
    assert_eq!(word(None), "-");
}

#[test]
fn an_old_image_is_told_once_and_well_before_the_end_with_the_next_step() {
    let runner = |number, image| RunnerStatus { number, image: Some(image), ..online() };
    assert!(old_images(&[runner(1, image("x.y/runner:stable", 19))], "").is_empty());
    let old = image("x.y/runner:stable", 20);
    let warnings = old_images(&[runner(1, old.clone()), runner(3, old)], " --user");
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(
        warning.cause.starts_with("runners 1, 3 run an image that is 20 days old (x.y/runner:stable)"),
        "{}",
        warning.cause
    );
    assert!(warning.cause.ends_with("from 2026-12-14 on at the earliest"), "{}", warning.cause);
    assert_eq!(warning.hint.as_deref(), Some("run `runnerctl update --user`"));
    for fixed in ["x.y/runner:2.338.0", "x.y/runner@sha256:abc"] {
        let warnings = old_images(&[runner(1, image(fixed, 40))], "");
        assert!(warnings.first().unwrap().hint.as_deref().unwrap().contains("install-units"), "{warnings:?}");
    }
}

#[test]
fn a_clock_that_was_put_back_makes_no_image_younger_than_new_and_no_other_words_are_a_time() {
    let reference = "x.y/runner:stable".parse().unwrap();
    let age = |created| ImageAge::new(&reference, "a", created, "2026-11-14T10:00:00Z".parse().unwrap());
    assert_eq!(age("2026-11-15T10:00:00.5+01:00").map(|image| image.days), Some(0));
    assert_eq!(age("0001-01-01T00:00:00Z").map(|image| image.is_old()), Some(true));
    for words in ["", "yesterday", "2026-11-14"] {
        assert_eq!(age(words), None, "{words}");
    }
}
