//! Whatever is broken: no hook of ours fails a workflow job, or holds it up.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use homelab_runners::reports::Started;
use proptest::prelude::*;

use super::bed::WorkflowJob;

/// Breaks something.
type Damage = fn(&mut WorkflowJob);

const DAMAGES: [(&str, Damage); 8] = [
    ("no /reports", |job| fs::remove_dir(job.path("reports")).unwrap()),
    ("/reports is a file", |job| {
        fs::remove_dir(job.path("reports")).unwrap();
        fs::write(job.path("reports"), "").unwrap();
    }),
    ("/reports is nobody's", |job| {
        fs::set_permissions(job.path("reports"), fs::Permissions::from_mode(0o555)).unwrap();
        std::os::unix::fs::chown(job.path("reports"), Some(0), Some(0)).ok();
    }),
    ("the workflow's directory is a file", |job| fs::write(job.path("reports/ci"), "").unwrap()),
    ("no digest", |job| {
        job.env("GITHUB_WORKFLOW", "a b");
        job.program("sha256sum", "exit 1");
    }),
    ("no directory can be made", |job| {
        job.program(
            "mktemp",
            "case $* in */reports/*) echo 'disk full' >&2; exit 1 ;; *) exec /usr/bin/mktemp \"$@\" ;; esac",
        );
    }),
    ("no label can be written", |job| job.program("mv", "exit 1")),
    ("no settings", |job| job.setting("layout", "")),
];

#[test]
fn where_no_report_can_be_filed_the_steps_write_elsewhere() {
    for (damage, damaged) in DAMAGES {
        let mut job = WorkflowJob::new();
        damaged(&mut job);
        let ended = job.started().without_harm();
        assert!(ended.output.contains("::warning title=Report not kept::"), "{damage}: {}", ended.output);
        assert!(ended.directory().starts_with(job.path("work/_temp")), "{damage}: {ended:?}");
        job.step("echo x > \"$RUNNERCTL_REPORT_DIR/junit.xml\"");
        assert_eq!(job.completed().without_harm().summary, "", "{damage}");
    }
}

#[test]
fn steps_that_cannot_be_told_have_no_directory() {
    for path in ["/dev/null", "/", "/nowhere/env", ""] {
        let mut job = WorkflowJob::new();
        job.env("GITHUB_ENV", path);
        job.started().without_harm();
        assert!(
            !job.path("reports/ci/42").exists()
                || super::bed::names_in(&job.path("reports/ci/42")).is_empty(),
            "{path}"
        );
        job.completed().without_harm();
    }
}

#[test]
fn a_worker_that_says_nothing_at_all_gets_no_error() {
    let mut job = WorkflowJob::new();
    for name in [
        "GITHUB_REPOSITORY",
        "GITHUB_WORKFLOW",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_JOB",
        "GITHUB_REF",
        "GITHUB_SHA",
        "GITHUB_ACTOR",
        "RUNNER_NAME",
        "GITHUB_WORKSPACE",
        "RUNNER_TEMP",
    ] {
        job.without_env(name);
    }
    job.started().without_harm();
    job.env("GITHUB_STEP_SUMMARY", "/nowhere/summary");
    job.completed().without_harm();
}

/// What waits for a disk that does not answer cannot be killed: here `timeout` does not even try.
#[test]
fn a_disk_that_does_not_answer_holds_nothing_up() {
    let mut job = WorkflowJob::new();
    job.program("timeout", "shift 2; exec \"$@\"");
    job.program("mktemp", "case $* in */reports/*) exec sleep 40 ;; *) exec /usr/bin/mktemp \"$@\" ;; esac");
    let start = Instant::now();
    let ended = job.started().without_harm();
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert!(ended.output.contains("::warning"), "{}", ended.output);
    assert!(ended.directory().starts_with(job.path("work/_temp")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hostile_names_are_filed_like_others(values in prop::collection::vec(
        prop_oneof![prop::collection::vec(1_u8..=255, 0..400), "(\\.\\./|/|\\$\\(id\\)|`|[*?\n\"'-]|::error::){0,8}".prop_map(String::into_bytes)], 8)
    ) {
        let mut job = WorkflowJob::new();
        let names = ["GITHUB_REPOSITORY", "GITHUB_WORKFLOW", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "GITHUB_REF", "GITHUB_ACTOR", "RUNNER_NAME"];
        for (name, value) in names.iter().zip(values) {
            job.env(name, std::ffi::OsString::from_vec(value));
        }
        let started = job.started();
        prop_assert_eq!(started.code, Some(0));
        let directory = started.directory();
        prop_assert!(directory.starts_with(job.path("reports")), "{:?}", started);
        prop_assert!(directory.strip_prefix(job.path("reports")).unwrap().components().count() == 3);
        prop_assert!(!started.output.contains("::"), "{}", started.output);
        let text = fs::read(directory.join(".runnerctl/started.json")).unwrap();
        let label: Result<Started, _> = serde_json::from_slice(&text);
        prop_assert!(label.is_ok());
        fs::write(directory.join("junit.xml"), "").unwrap();
        let ended = job.completed();
        prop_assert_eq!(ended.code, Some(0));
        prop_assert!(ended.summary.starts_with("[Report](") && ended.summary.lines().count() == 1, "{}", ended.summary);
    }
}
