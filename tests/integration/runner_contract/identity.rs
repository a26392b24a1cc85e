//! The kept identity: later starts need no token, and nothing that cuts a start off leaves a mess.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::fs;

use homelab_runners::runner::Registration;
use rustix::process::Signal;

use super::container::{Container, eventually};

const KEPT: &str = "run/homelab-runner/identity";

fn registered() -> Container {
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    assert_eq!(container.stop(), 0, "stderr: {}", container.read("errors"));
    container
}

#[test]
fn a_second_start_needs_no_token_and_does_not_register() {
    let mut container = registered();
    for file in [".runner", ".credentials", ".credentials_rsaparams", "fingerprint"] {
        assert!(container.exists(&format!("{KEPT}/{file}")), "{file}");
        fs::remove_file(container.path("home/runner").join(file)).ok();
    }
    container.start_online();
    assert_eq!(container.config_calls(), 1);
    assert_eq!(container.read("home/runner/.runner"), container.read(&format!("{KEPT}/.runner")));
    assert_eq!(container.stop(), 0);
}

#[test]
fn a_token_that_is_not_needed_is_removed_unused() {
    let mut container = registered();
    container.give_token();
    container.start_online();
    assert!(!container.exists("run/homelab-runner/token/registration-token"));
    assert_eq!(container.config_calls(), 1);
}

#[test]
fn an_incomplete_identity_is_taken_as_none() {
    let mut container = registered();
    fs::remove_file(container.path(KEPT).join(".credentials_rsaparams")).unwrap();
    assert_eq!(container.run(), 64);
    assert!(container.read("errors").contains("the kept identity is incomplete"));
    container.give_token();
    container.start_online();
    assert!(container.read("stub/config.calls").ends_with(" --replace\n"), "the name is ours");
}

#[test]
fn a_file_that_was_cut_off_makes_the_identity_incomplete() {
    let mut container = registered();
    container.write(&format!("{KEPT}/.credentials"), "\u{feff}{ \"scheme\": ");
    assert_eq!(container.run(), 64);
    assert!(container.read("errors").contains("the kept identity is incomplete"));
}

#[test]
fn a_changed_label_asks_for_a_token_and_leaves_the_registration() {
    let mut container = registered();
    let kept = container.read(&format!("{KEPT}/.runner"));
    container.env("RUNNERCTL_LABELS", "homelab,gpu");
    assert_eq!(container.run(), 64);
    let errors = container.read("errors");
    assert!(errors.contains("labels (was \"e2e,homelab\", wanted \"gpu,homelab\")"), "{errors}");
    assert!(errors.contains("stays untouched") && errors.contains("RUNNER_TOKEN_3"), "{errors}");
    assert_eq!(container.read(&format!("{KEPT}/.runner")), kept);
    container.env("RUNNERCTL_LABELS", "E2E,homelab");
    container.start_online();
    assert_eq!(container.config_calls(), 1, "order and case of labels mean nothing to GitHub");
}

#[test]
fn with_a_token_a_changed_label_registers_again_under_our_name() {
    let mut container = registered();
    container.env("RUNNERCTL_LABELS", "homelab,gpu");
    container.config_does("echo '√ Connected to GitHub'; identity 8");
    container.give_token();
    container.start_online();
    assert!(container.read("stub/config.calls").ends_with("--labels homelab,gpu --replace\n"));
    assert!(!container.read("errors").contains("old registration"), "it is the same one");
    assert!(container.read(&format!("{KEPT}/.runner")).contains("\"agentId\": 8"));
    assert_eq!(container.stop(), 0);
    container.start_online();
    assert_eq!(container.config_calls(), 2);
}

#[test]
fn another_name_is_not_ours_to_replace() {
    let mut container = registered();
    container.env("RUNNERCTL_NAME", "homelab-runner-4");
    container.give_token();
    container.start_online();
    assert!(!container.read("stub/config.calls").contains("--replace"));
    let told =
        "stays at GitHub until somebody removes it there: homelab-runner-3 at https://github.com/acme/shop";
    assert!(container.read("errors").contains(told), "{}", container.read("errors"));
}

#[test]
fn a_registration_again_that_fails_leaves_the_old_identity() {
    let mut container = registered();
    let kept = container.read(&format!("{KEPT}/.runner"));
    container.env("RUNNERCTL_LABELS", "gpu");
    container.give_token();
    container
        .config_does("echo 'Response status code does not indicate success: 404 (Not Found).' >&2; exit 1");
    assert_eq!(container.run(), 65);
    assert_eq!(container.read(&format!("{KEPT}/.runner")), kept);
    assert!(container.read(&format!("{KEPT}/fingerprint")).contains("labels=e2e,homelab\n"));
}

#[test]
fn told_to_register_anew_it_replaces_its_own_runner_and_a_refusal_leaves_the_old_identity() {
    let mut container = registered();
    let (kept, fingerprint) = (container.read(&format!("{KEPT}/.runner")), format!("{KEPT}/fingerprint"));
    let current = container.read(&fingerprint);
    container.write(&fingerprint, &Registration::name_alone(&current));
    container.give_token();
    container.config_does("echo 'Http response code: NotFound from https://api'; exit 1");
    assert_eq!(container.run(), 65);
    assert_eq!(container.read(&format!("{KEPT}/.runner")), kept);
    // What `register` does then.
    container.write(&fingerprint, &current);
    container.start_online();
    assert_eq!(container.stop(), 0);
    container.write(&fingerprint, &Registration::name_alone(&current));
    container.give_token();
    container.config_does("echo 'Connected to GitHub'; identity 24");
    container.start_online();
    assert!(container.read("stub/config.calls").ends_with(" --replace\n"), "the name is ours");
    assert!(container.read(&format!("{KEPT}/.runner")).contains("24"));
    assert_eq!(container.read(&fingerprint), current);
}

#[test]
fn killed_after_registering_the_next_start_replaces_its_own_runner() {
    let mut container = Container::new();
    container.give_token();
    container.config_does("echo '√ Connected to GitHub'; wait_for never");
    container.start();
    container.wait_for_file(&format!("{KEPT}/registering"));
    container.kill_all();
    container.config_does("echo '√ Connected to GitHub'; identity 7");
    container.give_token();
    container.start_online();
    assert!(container.read("stub/config.calls").ends_with(" --replace\n"));
    assert!(!container.exists(&format!("{KEPT}/registering")));
}

#[test]
fn killed_before_github_answered_the_name_is_not_taken_for_ours() {
    let mut container = Container::new();
    container.give_token();
    container.config_does("wait_for never");
    container.start();
    container.config_pid();
    container.kill_all();
    container.config_does("echo '√ Connected to GitHub'; identity 7");
    container.give_token();
    container.start_online();
    assert!(!container.read("stub/config.calls").contains("--replace"));
}

#[test]
fn killed_while_online_the_next_start_needs_no_token() {
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    container.kill_all();
    container.start_online();
    assert_eq!(container.config_calls(), 1);
}

#[test]
fn files_that_the_service_had_rewritten_are_kept() {
    let mut container = registered();
    container.listener_does(
        "listen
        printf '{\"agentId\": 7, \"useV2Flow\": true}' >.runner_migrated
        printf '{\"scheme\": \"OAuth\", \"renewed\": true}' >.credentials; printf '{' >.credentials_migrated
        for_ever",
    );
    container.start_online();
    eventually("the stub's files", || {
        container.read("home/runner/.credentials_migrated").starts_with('{').then_some(())
    });
    container.signal(Signal::TERM);
    assert_eq!(container.exit_code(), 0);
    assert!(container.read(&format!("{KEPT}/.runner_migrated")).contains("useV2Flow"));
    assert!(container.read(&format!("{KEPT}/.credentials")).contains("renewed"));
    assert!(!container.exists(&format!("{KEPT}/.credentials_migrated")), "a half written file is not kept");
}
