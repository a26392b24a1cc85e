//! Commands that only look or print; and what is said where there is no systemd to be asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Below, Called, runnerctl};
use crate::golden::{is_update, manifest_dir};

const CONFIG: &str = "url = \"https://github.com/acme/shop\"\nunit_format = \"service\"\n";

/// Calls without `--root`, so that the host's systemd is meant; the engine is any program that exists.
fn on_host(below: &Below, arguments: &[&str]) -> Called {
    let mut command = runnerctl();
    command.arg("--config").arg(below.at("etc/homelab-runners/config.toml"));
    command.args(["--engine-program", "/bin/true"]).args(arguments);
    Called::from(command.assert())
}

#[test]
fn without_a_bus_one_sentence_and_a_hint_are_said() {
    let below = Below::with_config(CONFIG);
    for arguments in [
        &["status"][..],
        &["diff"],
        &["up"],
        &["down", "2"],
        &["restart", "1"],
        &["register", "1"],
        &["update"],
        &["uninstall-units"],
    ] {
        let called = on_host(&below, arguments).ends(2);
        let lines: Vec<&str> = called.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{arguments:?}: {}", called.stderr);
        assert!(lines[0].starts_with("error: ") && lines[0].contains("/nonexistent/bus"), "{}", lines[0]);
        assert!(lines[1].starts_with("hint: "), "{}", lines[1]);
        assert_eq!(called.stdout, "");
    }
}

#[test]
fn status_is_watched_in_a_terminal_alone() {
    let below = Below::with_config(CONFIG);
    let called = on_host(&below, &["status", "--watch"]).ends(2);
    assert_eq!(called.stdout, "");
    called.says(&["error: --watch needs a terminal", "hint: leave --watch out"]);
    on_host(&below, &["status", "--watch=1s", "--json"]).ends(2).says(&["cannot be used with"]);
}

#[test]
fn a_number_without_a_runner_is_told_with_the_numbers_there_are() {
    let below = Below::with_config(CONFIG);
    for arguments in [
        &["logs", "9"][..],
        &["up", "9"],
        &["down", "1", "9"],
        &["restart", "0"],
        &["status", "9"],
        &["register", "9"],
        &["update", "9"],
    ] {
        let called = on_host(&below, arguments).ends(2);
        called.says(&["there is no runner ", "hint: the config has runners 1 to 4"]);
    }
    on_host(&below, &["logs", "x"]).ends(2).says(&["invalid value 'x'"]);
}

#[test]
fn below_a_root_nothing_runs_that_could_be_started_or_looked_at() {
    let below = Below::with_config(CONFIG);
    below.run("status").ends(2).says(&["nothing runs below a --root", "hint: leave --root out"]);
    for command in ["up", "down", "restart", "register 1", "update"] {
        below.run(command).ends(2).says(&["--root", "hint: "]);
    }
}

#[test]
fn a_token_is_taken_from_no_argument_and_from_nobody_where_this_host_asks_github() {
    let below = Below::with_config(&format!("{CONFIG}[github]\ncredential = \"pat\"\n"));
    on_host(&below, &["register", "1", "--token-file", "token"])
        .ends(2)
        .says(&["this host asks GitHub for registration tokens itself", "hint: leave --token-file out"]);
    on_host(&below, &["register", "1", "--token=TOKEN"]).ends(2).says(&["unexpected argument"]);
}

#[test]
fn ways_of_install_units_to_end_runners_exclude_each_other() {
    let below = Below::with_config(CONFIG);
    for arguments in [["--no-wait", "--force"], ["--no-wait", "--timeout=1h"], ["--force", "--timeout=1h"]] {
        let called = on_host(&below, &["install-units", arguments[0], arguments[1]]);
        called.ends(2).says(&["cannot be used with"]);
    }
}

#[test]
fn a_drain_that_cannot_begin_leaves_no_runner_marked() {
    let below = Below::with_config(CONFIG);
    below.run("drain 1").ends(2).says(&["nothing runs below a --root"]);
    assert!(!below.at("var/lib/homelab-runners/1/drained").exists());
}

#[test]
fn logs_asks_journalctl_for_the_runners_unit() {
    let below = Below::with_config(CONFIG);
    below.write("bin/journalctl", "#!/bin/sh\necho \"$@\"\n");
    fs::set_permissions(below.at("bin/journalctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let logs = |arguments: &[&str]| {
        let mut command = runnerctl();
        command.env("PATH", below.at("bin")).arg("--root").arg(below.path()).arg("logs").args(arguments);
        Called::from(command.assert()).ends(0).stdout
    };
    assert_eq!(logs(&["3"]), "--unit=homelab-runner@3.service --no-hostname --lines=200\n");
    for since in [&["--since=-1h"][..], &["--since", "-1h"]] {
        assert_eq!(
            logs(&[&["1", "-f"], since].concat()),
            "--unit=homelab-runner@1.service --no-hostname --since=-1h --follow\n"
        );
    }
}

#[test]
fn the_schema_beside_the_example_is_the_one_that_is_printed() {
    let printed = Called::from(runnerctl().arg("schema").assert()).ends(0).stdout;
    let schema: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    let committed = manifest_dir().join("src/config/config.schema.json");
    if is_update() {
        fs::write(&committed, &printed).unwrap();
    }
    assert_eq!(fs::read_to_string(committed).unwrap(), printed, "UPDATE_FIXTURES=1 accepts the new one");
}

#[test]
fn the_manual_page_and_the_completions_name_every_command() {
    let man = Called::from(runnerctl().arg("man").assert()).ends(0).stdout;
    let bash = Called::from(runnerctl().args(["completions", "bash"]).assert()).ends(0).stdout;
    assert!(man.contains(".TH runnerctl 1"), "{man}");
    assert!(bash.contains("complete -F _runnerctl"), "{bash}");
    for command in
        ["init", "check", "generate", "diff", "up", "down", "restart", "register", "status", "logs", "schema"]
    {
        assert!(man.contains(&format!("runnerctl\\-{command}(1)")), "{command} is not in the manual page");
        assert!(bash.contains(&format!("runnerctl,{command})")), "{command} has no completion");
    }
    for command in ["install-units", "uninstall-units"] {
        assert!(man.contains(&format!("runnerctl\\-{}(1)", command.replace('-', "\\-"))), "{command}");
    }
    assert!(!man.contains("unit\\-step"), "a hidden command is shown");
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = Called::from(runnerctl().arg("--help").assert()).ends(0);
    assert!(help.stdout.contains("install-units") && help.stderr.is_empty());
    let version = Called::from(runnerctl().arg("--version").assert()).ends(0);
    assert_eq!(version.stdout, format!("runnerctl {}\n", env!("CARGO_PKG_VERSION")));
}
