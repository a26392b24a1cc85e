//! The listener's end, and the exit code that systemd sees.

use super::container::Container;

const KEPT: &str = "run/homelab-runner/identity/.runner";

#[track_caller]
fn listener_ends(listener: &str, code: i32, text: &str) -> Container {
    let mut container = Container::new();
    container.give_token();
    container.listener_does(listener);
    assert_eq!(container.run(), code, "stderr: {}", container.read("errors"));
    let state = container.read("run/homelab-runner/status/state");
    assert!(state.starts_with("failed\n") && state.contains(text), "{state}");
    let errors = container.read("errors");
    assert!(errors.contains(text) && errors.contains("\nhint: "), "{errors}");
    container
}

#[test]
fn a_registration_removed_while_listening_ends_with_72_and_forgets_the_identity() {
    let mut container = listener_ends("listen; rm .runner .credentials*; exit 0", 72, "removed at GitHub");
    assert!(!container.exists(KEPT));
    assert_eq!(container.run(), 64, "and then it needs a token");
}

const REMOVED: &str = "Failed to create a session. The runner registration has been deleted from the server, please re-configure.";

#[test]
fn a_registration_removed_while_stopped_ends_with_72_and_forgets_the_identity() {
    let container = listener_ends(&format!("echo '{REMOVED}' >&2; exit 1"), 72, "removed at GitHub");
    assert!(!container.exists(KEPT));
    assert!(container.read("errors").contains(REMOVED), "the listener's own words are in the log");
}

#[test]
fn a_workflow_job_cannot_make_us_forget_the_identity() {
    let listener = format!(
        "echo '{REMOVED}'; echo '2026-11-23 16:30:10Z: Running job: {REMOVED}'
        echo '2026-11-23 16:30:10Z: {REMOVED}' >&2; exit 1"
    );
    let container = listener_ends(&listener, 75, "the listener ended with 1");
    assert!(container.exists(KEPT));
}

#[test]
fn a_reason_that_is_not_known_ends_with_75() {
    for (listener, text) in [
        ("listen; exit 1", "ended with 1"),
        ("listen; exit 2", "ended with 2"),
        ("listen; exit 42", "ended with 42"),
        ("listen; exit 0", "ended with 0"),
        ("listen; kill -KILL $$", "ended with 137"),
    ] {
        let container = listener_ends(listener, 75, text);
        assert!(container.exists(KEPT), "{listener}");
    }
}

#[test]
fn an_update_by_itself_ends_with_75() {
    for code in [3, 4] {
        listener_ends(&format!("listen; exit {code}"), 75, "updates are disabled");
    }
}

#[test]
fn a_session_conflict_ends_with_70() {
    let listener = "echo 'A session for this runner already exists.' >&2; exit 5";
    listener_ends(listener, 70, "another session");
}

#[test]
fn a_refused_version_ends_with_71() {
    let listener = "[[ $ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE == 1 ]] && exit 7; exit 1";
    listener_ends(listener, 71, "GitHub refuses this version");
}

#[test]
fn a_process_that_outlives_the_listener_does_not_hold_the_container() {
    listener_ends("listen; sleep 40 & exit 2", 75, "ended with 2");
}
