//! Docker Compose reads our Compose file, and gives every value back. `config` needs no daemon.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::assert_environment;
use super::debian13::{Said, run};
use crate::golden::{COMPOSE, Case, EVERYTHING, HOSTILE_VALUES};

fn config(file: &Path) -> Said {
    run("usr/libexec/docker/cli-plugins/docker-compose", |command| {
        command.env("HOME", "/nonexistent").arg("-f").arg(file).args(["config", "--format", "json"]);
        for number in 1..=9 {
            command.env(format!("RUNNER_TOKEN_{number}"), "AAAA");
        }
    })
}

/// The services as Compose understands them.
fn services(case: &Case) -> Value {
    let written = case.as_format("compose").generate();
    let said = config(&written.path().join("etc/homelab-runners/compose.yaml"));
    assert!(said.is_success && said.stderr.is_empty(), "{}: {}", case.name, said.stderr);
    let mut model: Value = serde_json::from_str(&said.stdout).unwrap();
    model["services"].take()
}

fn environment(service: &Value) -> BTreeMap<String, String> {
    let variables = service["environment"].as_object().unwrap().iter();
    // What is printed could be read again, so its dollars are doubled.
    let text = |value: &Value| value.as_str().unwrap().replace("$$", "$");
    variables.map(|(name, value)| (name.clone(), text(value))).collect()
}

#[test]
fn every_value_of_the_config_arrives_in_the_service() {
    for case in [&COMPOSE, &EVERYTHING, &HOSTILE_VALUES] {
        let services = services(case);
        for number in super::environments(case).into_keys() {
            let is_of = |service: &&Value| {
                service["environment"]["RUNNERCTL_TOKEN_NAME"] == format!("RUNNER_TOKEN_{number}")
            };
            let service = services.as_object().unwrap().values().find(is_of).unwrap();
            assert_environment(case, number, &environment(service));
        }
    }
}

#[test]
fn limits_and_health_are_those_of_the_config() {
    let services = services(&COMPOSE);
    let (one, two) = (&services["homelab-runner-1"], &services["homelab-runner-2"]);
    assert_eq!(
        (&one["cpus"], &one["mem_limit"], &one["pids_limit"]),
        (&1.5.into(), &"2147483648".into(), &1024.into())
    );
    // Compose knows no percentage of the host and no infinity.
    assert_eq!((&two["mem_limit"], &two["pids_limit"]), (&Value::Null, &Value::Null));
    assert_eq!(one["stop_signal"], "SIGINT");
    assert_eq!(one["stop_grace_period"], "5m30s");
    let health = &one["healthcheck"];
    assert_eq!(
        [&health["interval"], &health["timeout"], &health["start_period"]],
        [&Value::from("30s"), &Value::from("10s"), &Value::from("5m0s")]
    );
    assert_eq!((&health["retries"], &one["environment"]["RUNNERCTL_HEAL_AFTER"]), (&3.into(), &"3".into()));
    assert_eq!(one["network_mode"], "host");
    assert_eq!(one["extra_hosts"], serde_json::json!(["ghes.lan=192.168.1.5", "mirror.lan=fd00::5"]));
    assert_eq!(one["secrets"][0]["source"], "registration-token-1");
}
