//! The `.env`: refused by name where it cannot be trusted, and never shown.
//!
//! That no output holds the canary is seen to by `Called` for every call of every test.

use std::fs;

use super::{Below, CANARY};

const CONFIG: &str = "url = \"https://github.com/acme/shop\"\ncount = 3\nunit_format = \"quadlet\"\n";
const FILE: &str = "/etc/homelab-runners/.env";

/// Both commands that read all tokens refuse them with these words, and nothing is written.
#[track_caller]
fn assert_refused(below: &Below, parts: &[&str]) {
    below.run("check").ends(1).says(parts).says(&[FILE, "hint: "]);
    below.run("install-units").ends(2).says(parts).says(&[FILE, "nothing was changed"]);
    assert!(!below.at("etc/containers").exists() && !below.at("etc/systemd").exists());
    assert!(!below.at("var/lib/homelab-runners/scripts").exists());
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    for mode in [0o644, 0o640, 0o660, 0o604] {
        let below = Below::with_config(CONFIG);
        below.write_tokens(&format!("RUNNER_TOKEN_1={CANARY}\n"), mode);
        assert_refused(&below, &[&format!("is open to other users (mode {mode:04o})"), "hint: chmod 600"]);
    }
}

#[test]
fn a_directory_is_refused() {
    let below = Below::with_config(CONFIG);
    fs::remove_file(below.at("etc/homelab-runners/.env")).unwrap();
    fs::create_dir(below.at("etc/homelab-runners/.env")).unwrap();
    assert_refused(&below, &["is not a regular file"]);
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let below = Below::with_config(CONFIG);
    fs::write(below.at("etc/homelab-runners/.env"), [b"RUNNER_TOKEN_1=".as_slice(), &[0xff, 0xfe]].concat())
        .unwrap();
    assert_refused(&below, &["is not a text file of tokens"]);
}

#[test]
fn what_is_wrong_inside_the_file_is_told_by_variable_or_line() {
    for (text, told) in [
        (format!("RUNNER_TOKEN_1={CANARY}\nRUNNER_TOKEN_2 {CANARY}\n"), "line 2 is not NAME=value"),
        (format!("RUNNER_TOKEN_1={CANARY}\nRUNNER_TOKEN_2={CANARY} and more\n"), "line 2 is not NAME=value"),
        (format!("RUNNER_TOKEN_1=\"{CANARY}\n"), "line 1 is not NAME=value"),
        (
            format!("RUNNER_TOKEN_1={CANARY}\nRUNNER_TOKEN_3={CANARY}\n"),
            "RUNNER_TOKEN_1 and RUNNER_TOKEN_3 hold the same token",
        ),
        (format!("RUNNER_TOKEN_2={CANARY}1\nRUNNER_TOKEN_2={CANARY}2\n"), "RUNNER_TOKEN_2 is set twice"),
    ] {
        let below = Below::with_config(CONFIG);
        below.write_tokens(&text, 0o600);
        assert_refused(&below, &[told]);
    }
}

#[test]
fn one_setting_allows_a_shared_token() {
    let below = Below::with_config(&format!("{CONFIG}shared_token = true\n"));
    below.write_tokens(&[1, 2, 3].map(|n| format!("RUNNER_TOKEN_{n}={CANARY}")).join("\n"), 0o600);
    assert_eq!(below.run("check").ends(0).stderr, "");
}

#[test]
fn a_missing_token_is_one_runners_affair_and_named() {
    let below = Below::with_config(CONFIG);
    below.write_tokens(&format!("RUNNER_TOKEN_1={CANARY}1\nRUNNER_TOKEN_2={CANARY}2\n"), 0o600);

    let checked = below.run("check").ends(0).says(&[
        "warning: ",
        "RUNNER_TOKEN_3 is not set",
        FILE,
        "hint: add a fresh",
    ]);
    let installed = below
        .run("install-units")
        .ends(0)
        .says(&["warning: runner 3 cannot register: RUNNER_TOKEN_3 is not set in /etc/homelab-runners/.env"]);

    for called in [checked, installed] {
        assert!(!called.stderr.contains("RUNNER_TOKEN_1"), "{}", called.stderr);
    }
    // Its unit is there all the same, and says what it lacks when it is started.
    assert!(below.at("etc/containers/systemd/homelab-runner@3.container").exists());
}

#[test]
fn values_that_are_no_tokens_are_told_without_their_text() {
    let below = Below::with_config(CONFIG);
    below.write_tokens(
        &format!("RUNNER_TOKEN_1=\nRUNNER_TOKEN_2='{CANARY} $(x)'\nRUNNER_TOKEN_3={CANARY}\n"),
        0o600,
    );
    below.run("check").ends(0).says(&["RUNNER_TOKEN_1 is empty", "RUNNER_TOKEN_2 is no registration token"]);
}

#[test]
fn a_runner_with_an_identity_needs_no_token() {
    let below = Below::with_config(CONFIG);
    below.write_tokens("", 0o600);
    for number in 1..=3 {
        below.write(&format!("var/lib/homelab-runners/{number}/identity/.runner"), "{}");
    }
    let called = below.run("install-units").ends(0);
    assert!(!called.stderr.contains("RUNNER_TOKEN"), "{}", called.stderr);
}

#[test]
fn no_file_that_is_written_holds_a_token() {
    let below = Below::with_config(CONFIG);
    below.run("install-units").ends(0);
    for (path, (_, text)) in crate::golden::files_below(below.path()) {
        assert_eq!(text.contains("CANARY"), path.ends_with(".env"), "{}", path.display());
    }
}
