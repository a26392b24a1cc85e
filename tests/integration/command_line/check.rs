//! `check`: every problem at once, each with its place, its key and a next step.

use super::{Below, runnerctl};

const GOOD: &str = "url = \"https://github.com/acme/shop\"\n";

#[test]
fn a_good_config_is_called_good() {
    let called = Below::with_config(GOOD).run("check").ends(0);
    assert_eq!(
        called.stdout,
        "the config is good: 4 runners for https://github.com/acme/shop (homelab-runner-1, homelab-runner-2, homelab-runner-3, homelab-runner-4)\n"
    );
    assert_eq!(called.stderr, "");
}

#[test]
fn the_shipped_example_is_good() {
    Below::with_config(homelab_runners::config::EXAMPLE).run("check").ends(0);
}

#[test]
fn every_kind_of_problem_is_told_at_once_with_place_key_and_hint() {
    let below = Below::with_config(
        r#"cuont = 5
url = "github.com/acme"
engine = "podmen"
image = "ghcr.io/actions/actions-runner:latest"
labels = ["a,b"]
[limits]
cpu_quota = "two"
memory_max = 4
[environment]
RUNNER_TOKEN_1 = "x"
[paths]
state = "relative/path"
[health]
interval = "soon"
[runners.9]
name = "x"
"#,
    );
    let called = below.run("check").ends(1);
    let config = below.at("etc/homelab-runners/config.toml");
    for (place, key, hint) in [
        ("1:1", "cuont: unknown key", "did you mean `count`?"),
        ("2:7", "url: \"github.com/acme\" does not begin with https://", "allowed: https://HOST/OWNER"),
        ("3:10", "engine: unknown word \"podmen\"", "did you mean \"podman\"?"),
        ("4:9", "image: ", "allowed: REGISTRY/NAME:TAG"),
        ("5:10", "labels", "a label has no comma"),
        ("7:13", "limits.cpu_quota: \"two\" is no CPU quota", "allowed: a percentage"),
        ("8:14", "limits.memory_max: ", ""),
        ("10:1", "environment.RUNNER_TOKEN_1: ", "tokens belong into the tokens file"),
        ("12:9", "paths.state: \"relative/path\" is no usable path", "allowed: absolute"),
        ("14:12", "health.interval: \"soon\" is no duration", "allowed: such as \"30s\""),
        ("15:10", "runners.9: there is no such runner", "allowed: runners.1 to runners.4"),
    ] {
        called.assert_problem(&format!("{}:{place}", config.display()), key, hint);
    }
    assert_eq!(called.stderr.matches("error: ").count(), 11, "{}", called.stderr);
    assert_eq!(called.stdout, "");
}

impl super::Called {
    /// One of the reports has all three.
    #[track_caller]
    fn assert_problem(&self, place: &str, key: &str, hint: &str) {
        let found = self.stderr.split("error: ").any(|report| {
            report.starts_with(key) && report.contains(&format!("{place}\n")) && report.contains(hint)
        });
        assert!(found, "no report of {key:?} at {place} with {hint:?}:\n{}", self.stderr);
    }
}

#[test]
fn text_that_is_no_toml_is_told_by_its_line() {
    let below = Below::with_config("url = \"https://github.com/acme/shop\"\ncount = 4 4\n");
    below.run("check").ends(1).says(&["config.toml:2:"]);
}

#[test]
fn a_missing_config_says_how_to_get_one() {
    let below = Below::empty();
    for command in ["generate", "install-units", "diff"] {
        below
            .run(command)
            .ends(2)
            .says(&["config.toml does not exist", "hint: write a first one with `runnerctl init --root /"]);
    }
    below.run("check").ends(1).says(&["config.toml does not exist", "`runnerctl init --root /"]);
}

#[test]
fn a_config_that_is_a_directory_is_an_error_that_names_it() {
    let below = Below::empty();
    std::fs::create_dir_all(below.at("etc/homelab-runners/config.toml")).unwrap();
    below.run("generate").ends(2).says(&["error: cannot read", "config.toml"]);
}

#[test]
fn wrong_usage_ends_with_2_and_shows_the_usage() {
    let called = super::Called::from(runnerctl().arg("instal-units").assert()).ends(2);
    called.says(&["install-units", "Usage:"]);
}
