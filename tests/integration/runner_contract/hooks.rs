//! The job hooks, as far as the entrypoint sets them.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::container::Container;

/// The variables with which the listener was started.
fn variables(container: &Container) -> Vec<String> {
    let pid = container.listener_pid();
    let text = fs::read(format!("/proc/{pid}/environ")).unwrap();
    String::from_utf8(text).unwrap().split('\0').map(ToOwned::to_owned).collect()
}

fn with_own_hooks() -> Container {
    let mut container = Container::new();
    container.give_token();
    container.env("ACTIONS_RUNNER_HOOK_JOB_STARTED", "/opt/started.sh");
    container.env("ACTIONS_RUNNER_HOOK_JOB_COMPLETED", "/opt/a b.js");
    container
}

#[test]
fn the_listener_gets_our_hooks_and_those_get_the_users_own() {
    let mut container = with_own_hooks();
    container.env("RUNNERCTL_JOB_HOOKS", "1");
    container.start_online();
    let found = variables(&container);
    let root = container.path("").display().to_string();
    for (variable, script) in [("STARTED", "job-started.sh"), ("COMPLETED", "job-completed.sh")] {
        let path = format!("{root}/run/homelab-runner/scripts/{script}");
        assert!(container.exists(&path), "{path}");
        assert!(found.contains(&format!("ACTIONS_RUNNER_HOOK_JOB_{variable}={path}")), "{found:?}");
    }
    // Steps inherit what the listener has.
    assert!(!found.iter().any(|variable| variable.starts_with("RUNNERCTL_")), "{found:?}");
    let settings = container.read("run/homelab-runner/status/hooks");
    let expected = [
        format!("work={}", container.path("work").display()),
        "started=/opt/started.sh".to_owned(),
        "completed=/opt/a b.js".to_owned(),
        format!("externals={root}/home/runner/externals"),
        String::new(),
    ];
    assert_eq!(settings.split('\0').collect::<Vec<_>>(), expected);
    // Written by root, read by workflow jobs.
    let mode = fs::metadata(container.path("run/homelab-runner/status/hooks")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn without_our_hooks_the_users_own_hooks_are_the_listeners() {
    let mut container = with_own_hooks();
    container.start_online();
    let found = variables(&container);
    assert!(found.contains(&"ACTIONS_RUNNER_HOOK_JOB_STARTED=/opt/started.sh".to_owned()), "{found:?}");
    assert!(found.contains(&"ACTIONS_RUNNER_HOOK_JOB_COMPLETED=/opt/a b.js".to_owned()), "{found:?}");
    assert!(!container.exists("run/homelab-runner/status/hooks"));
}

#[test]
fn where_our_hooks_cannot_be_set_the_runner_works_without_them() {
    let mut container = with_own_hooks();
    container.env("RUNNERCTL_JOB_HOOKS", "1");
    fs::create_dir_all(container.path("run/homelab-runner/status/hooks.new")).unwrap();
    container.start_online();
    assert!(variables(&container).contains(&"ACTIONS_RUNNER_HOOK_JOB_STARTED=/opt/started.sh".to_owned()));
    assert!(container.read("errors").contains("no workflow job gets a directory for its report"));
}
