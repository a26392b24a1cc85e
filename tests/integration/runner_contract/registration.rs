//! Registering, and what GitHub's answers become.

use super::container::Container;

/// Runs a container whose config.sh does this, and expects the exit code and the text on stderr.
#[track_caller]
fn registration_ends(config: &str, code: i32, text: &str) -> Container {
    let mut container = Container::new();
    container.give_token();
    container.config_does(config);
    assert_eq!(container.run(), code, "stderr: {}", container.read("errors"));
    let errors = container.read("errors");
    assert!(errors.contains(text), "{errors}");
    assert!(errors.contains("runner homelab-runner-3: ") && errors.contains("\nhint: "), "{errors}");
    let state = container.read("run/homelab-runner/status/state");
    assert!(state.starts_with("failed\n") && state.contains(text), "{state}");
    assert!(!container.exists("stub/listener.pid"), "the listener was started");
    container
}

const CONNECTED: &str = "echo; echo '√ Connected to GitHub'; echo;";

#[test]
fn a_token_that_github_does_not_know_ends_with_65() {
    let container = registration_ends(
        "echo \"Http response code: NotFound from 'POST https://api.github.com/actions/runner-registration' (Request Id: AB12:3C)\" >&2
        echo '{\"message\":\"Not Found\",\"status\":\"404\"}' >&2
        echo 'Response status code does not indicate success: 404 (Not Found).' >&2; exit 1",
        65,
        "expired (it lives 1 hour) or issued for another URL than https://github.com/acme/shop",
    );
    assert!(container.read("errors").contains("RUNNER_TOKEN_3 in /etc/homelab-runners/.env"));
    assert!(
        container.read("output").contains("Http response code: NotFound"),
        "GitHub's own words are in the log"
    );
}

#[test]
fn a_refusal_ends_with_66() {
    for (word, code) in [("Unauthorized", 401), ("Forbidden", 403)] {
        let config = format!(
            "echo \"Http response code: {word} from 'POST https://api.github.com/actions/runner-registration'\" >&2
            echo 'Response status code does not indicate success: {code} ({word}).' >&2; exit 1"
        );
        registration_ends(&config, 66, "GitHub refused the registration");
    }
}

#[test]
fn a_runner_group_that_does_not_exist_ends_with_66() {
    let config =
        format!("{CONNECTED} echo 'Could not find any self-hosted runner group named \"x\".'; exit 1");
    registration_ends(&config, 66, "there is no runner group");
}

#[test]
fn a_name_that_another_runner_has_ends_with_67() {
    let config = format!("{CONNECTED} echo 'A runner exists with the same name homelab-runner-3.'; exit 1");
    let mut container = registration_ends(
        &config,
        67,
        "a runner named homelab-runner-3 exists at https://github.com/acme/shop",
    );
    container.give_token();
    assert_eq!(container.run(), 67);
    assert!(!container.read("stub/config.calls").contains("--replace"), "that runner is not ours to replace");
}

#[test]
fn network_rate_limit_and_server_errors_end_with_75() {
    let answers = [
        "Response status code does not indicate success: 503 (Service Unavailable).",
        "Response status code does not indicate success: 429 (Too Many Requests).",
        "Http response code: Forbidden from 'POST https://api.github.com/x'\n{\"message\":\"API rate limit exceeded for user ID 1.\"}\nResponse status code does not indicate success: 403 (Forbidden).",
        "Resource temporarily unavailable (api.github.com:443)",
    ];
    for answer in answers {
        registration_ends(
            &format!("cat >&2 <<'END'\n{answer}\nEND\nexit 1"),
            75,
            "network, rate limit or GitHub itself",
        );
    }
}

#[test]
fn a_configuration_that_leaves_no_identity_ends_with_75() {
    registration_ends("echo '√ Settings Saved.'; exit 0", 75, "the identity could not be kept");
}

#[test]
fn without_a_token_it_ends_with_64_and_names_where_the_token_belongs() {
    let mut container = Container::new();
    assert_eq!(container.run(), 64);
    assert!(container.read("errors").contains("RUNNER_TOKEN_3 in /etc/homelab-runners/.env"));
    assert_eq!(container.config_calls(), 0);
}

#[test]
fn whoever_has_to_bring_a_token_is_told_the_command_that_takes_it() {
    for (config, code) in [("", 64), ("echo 'Http response code: NotFound from x' >&2; exit 1", 65)] {
        let mut container = Container::new();
        container.env("RUNNERCTL_REGISTER", "runnerctl register 3");
        if code == 65 {
            container.give_token();
            container.config_does(config);
        }
        assert_eq!(container.run(), code);
        let errors = container.read("errors");
        assert!(
            errors.contains("to `runnerctl register 3`, which keeps it as RUNNER_TOKEN_3 in /etc"),
            "{errors}"
        );
    }
    let mut container = Container::new();
    assert_eq!(container.run(), 64);
    let errors = container.read("errors");
    assert!(errors.contains("then start this container again") && !errors.contains("register"), "{errors}");
}

#[test]
fn a_name_that_was_taken_from_it_is_not_taken_back() {
    const LOST: &str = "run/homelab-runner/identity/lost";
    let mut container = Container::new();
    container.env("RUNNERCTL_REPLACE", "1");
    container.env("RUNNERCTL_REGISTER", "runnerctl register 3");
    container.give_token();
    container.listener_does(
        "echo 'Failed to create a session. The runner registration has been deleted from the server' >&2; exit 1",
    );
    assert_eq!(container.run(), 72);
    assert!(container.exists(LOST));
    container.give_token();
    container.config_does(&format!("{CONNECTED} echo 'A runner exists with the same name x'; exit 1"));
    assert_eq!(container.run(), 67);
    let calls = container.read("stub/config.calls");
    assert!(!calls.lines().last().unwrap_or_default().contains("--replace"), "{calls}");
    let errors = container.read("errors");
    assert!(errors.contains("not ours any more") && errors.contains("`runnerctl register 3`"), "{errors}");
    // That other one is gone: the name is free, and the next time it is this runner's as it was.
    container.give_token();
    container.config_does("echo 'Connected to GitHub'; identity 9");
    container.listener_does("listen; for_ever");
    container.start_online();
    assert!(!container.exists(LOST));
}

#[test]
fn another_name_than_the_one_that_was_taken_is_replaced_as_the_configuration_says() {
    let mut container = Container::new();
    container.env("RUNNERCTL_REPLACE", "1");
    container.write("run/homelab-runner/identity/lost", "url=https://github.com/acme/shop\nname=old-3\n");
    container.give_token();
    container.start_online();
    assert!(container.read("stub/config.calls").ends_with(" --replace\n"));
}

#[test]
fn an_empty_token_is_none() {
    let mut container = Container::new();
    container.write("run/homelab-runner/token/registration-token", " \n");
    assert_eq!(container.run(), 64);
    assert!(!container.exists("run/homelab-runner/token/registration-token"));
}

#[test]
fn the_hosts_problem_is_what_a_person_reads() {
    let mut container = Container::new();
    let problem = "RUNNER_TOKEN_3 is not set in /etc/homelab-runners/.env";
    container.write("run/homelab-runner/token/problem", &format!("{problem}\n"));
    assert_eq!(container.run(), 64);
    assert!(container.read("errors").contains(&format!("runner homelab-runner-3: {problem}\n")));
    assert_eq!(container.read("run/homelab-runner/status/state"), format!("failed\n{problem}\n"));
}

#[test]
fn what_was_asked_for_reaches_config_sh() {
    let mut container = Container::new();
    container.give_token();
    container.env("RUNNERCTL_GROUP", "home lab");
    container.env("RUNNERCTL_NO_DEFAULT_LABELS", "1");
    container.start_online();
    let work = container.path("work");
    let expected = format!(
        "--unattended --disableupdate --url https://github.com/acme/shop --name homelab-runner-3 --work {} --labels homelab,e2e --runnergroup home lab --no-default-labels\n",
        work.display()
    );
    assert_eq!(container.read("stub/config.calls"), expected);
}

#[test]
fn a_taken_name_is_replaced_where_the_configuration_says_so() {
    let mut container = Container::new();
    container.give_token();
    container.env("RUNNERCTL_REPLACE", "1");
    container.start_online();
    assert!(container.read("stub/config.calls").contains(" --replace"));
}

#[test]
fn what_the_host_expects_to_pass_ends_with_75_and_what_it_does_not_with_64_and_its_hint() {
    for (file, code) in [("delay", 75), ("problem", 64)] {
        let mut container = Container::new();
        container.env("RUNNERCTL_CREDENTIAL_FILE", "/etc/homelab-runners/github-credential");
        container.write(&format!("run/homelab-runner/token/{file}"), "GitHub says no\ndo this\n");
        assert_eq!(container.run(), code);
        let errors = container.read("errors");
        assert!(errors.ends_with("runner homelab-runner-3: GitHub says no\nhint: do this\n"), "{errors}");
        assert_eq!(container.config_calls(), 0);
    }
}

#[test]
fn a_host_that_gets_tokens_by_itself_is_told_of_its_credential_not_of_a_variable() {
    let mut container = Container::new();
    container.env("RUNNERCTL_CREDENTIAL_FILE", "/etc/homelab-runners/github-credential");
    container.give_token();
    container.config_does(
        "echo \"Http response code: NotFound from 'POST https://api.github.com/actions/runner-registration'\" >&2; exit 1",
    );
    assert_eq!(container.run(), 65);
    let errors = container.read("errors");
    assert!(
        errors
            .contains("hint: see that the credential in /etc/homelab-runners/github-credential may register"),
        "{errors}"
    );
    assert!(!errors.contains("RUNNER_TOKEN_3"), "{errors}");
}
