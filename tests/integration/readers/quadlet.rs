//! Podman's generator takes our Quadlet files, and every value arrives in the command line that it writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use homelab_runners::units::trial;

use super::assert_environment;
use super::debian13::{Said, run};
use super::words::{command_line, environment, values};
use crate::golden::{Case, DEFAULTS, EVERYTHING, HOSTILE_VALUES};

const CASES: [&Case; 3] = [&DEFAULTS, &EVERYTHING, &HOSTILE_VALUES];

fn quadlet(directory: &Path, arguments: &[&str], output: Option<&Path>) -> Said {
    run("usr/libexec/podman/quadlet", |command| {
        command.env("QUADLET_UNIT_DIRS", directory).arg("-no-kmsg-log").args(arguments);
        // Where a generator writes is told three times: systemd.generator(7).
        command.args(output.iter().flat_map(|output| [output; 3]));
    })
}

/// The services that the generator makes of a case's Quadlet files, by name.
pub(super) fn generated(case: &Case) -> BTreeMap<String, String> {
    let directory = tempfile::tempdir().unwrap();
    let said = quadlet(&case.expected().join("etc/containers/systemd"), &[], Some(directory.path()));
    assert!(said.is_success && said.stderr.is_empty(), "{}: {}", case.name, said.stderr);
    let entries = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
    let text = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(text).collect()
}

/// The `podman run` of a generated service.
fn podman_run(service: &str) -> Vec<String> {
    let [line] = values(service, "ExecStart")[..] else { panic!("not one ExecStart=:\n{service}") };
    // Quadlet's own, and meant to be expanded.
    command_line(&line.replace("--cidfile=%t/%N.cid", ""))
}

#[test]
fn the_generator_accepts_every_quadlet_file() {
    for case in CASES {
        let said = quadlet(&case.expected().join("etc/containers/systemd"), &["-dryrun"], None);
        assert!(said.is_success, "{}: {}", case.name, said.stderr);
        let complaint = said.stderr.lines().find(|line| !line.contains("]: Loading source unit file "));
        assert_eq!(complaint, None, "{}", case.name);
    }
}

#[test]
fn a_trial_changes_the_image_of_a_generated_service_and_nothing_else() {
    for case in CASES {
        for (name, service) in generated(case).iter().filter(|(_, text)| text.contains("podman run")) {
            let mut expected = podman_run(service);
            let image = expected.len() - 2;
            let drop_in = trial(service, &expected[image].parse().unwrap(), "abc").expect(name);
            "abc".clone_into(&mut expected[image]);
            let command = values(&drop_in, "ExecStart").last().unwrap().replace("--cidfile=%t/%N.cid", "");
            assert_eq!(command_line(&command), expected, "{}: {name}", case.name);
        }
    }
}

#[test]
fn the_generator_is_really_asked() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.container"), "[Container]\nImage=localhost/a:1\nNoSuchKey=1\n")
        .unwrap();
    let said = quadlet(directory.path(), &["-dryrun"], None);
    assert!(said.stderr.contains("NoSuchKey"), "{}", said.stderr);
    assert!(!said.is_success);
}

#[test]
fn every_value_of_the_config_arrives_in_the_command_line_of_podman() {
    for case in CASES {
        let services = generated(case);
        for number in super::environments(case).into_keys() {
            let words = podman_run(&services[&format!("homelab-runner@{number}.service")]);
            assert_environment(case, number, &environment(&words));
        }
    }
}

#[test]
fn the_container_is_started_as_the_contract_with_its_scripts_says() {
    let services = generated(&EVERYTHING);
    assert_eq!(services.len(), 4);
    let service = &services["homelab-runner@4.service"];
    let words = podman_run(service);
    let has = |expected: &[&str]| words.windows(expected.len()).any(|found| found == expected);
    for expected in [
        &["--name", "homelab-big"][..],
        &["--cgroups=split"],
        &["--sdnotify=conmon"],
        &["--user", "0"],
        &["--entrypoint=/bin/bash"],
        &["--health-cmd", "/bin/bash /run/homelab-runner/scripts/health.sh"],
        &["--health-interval", "30s"],
        &["--health-timeout", "10s"],
        &["--health-retries", "3"],
        &["--health-start-period", "300s"],
        &["--env", "RUNNERCTL_HEAL_AFTER=3"],
        &["--stop-signal=SIGINT"],
        &["--stop-timeout=330"],
        &["--add-host=ghes.lan:192.168.1.5"],
        &["-v", "/var/lib/homelab-runners/4/work:/var/lib/homelab-runners/4/work:Z"],
        &["-v", "/var/lib/homelab-runners/reports:/reports:z"],
        &["ghcr.io/actions/actions-runner:2.338.0", "/run/homelab-runner/scripts/entrypoint.sh"],
    ] {
        assert!(has(expected), "{expected:?} is not in {words:?}");
    }
    // Who ends an unhealthy runner is its entrypoint, which knows whether a workflow job runs.
    assert!(!words.iter().any(|word| word.contains("on-failure")), "{words:?}");
    assert!(!words.iter().any(|word| word.contains("docker.sock")), "socket = \"none\": {words:?}");
    assert_eq!(values(service, "Slice"), ["homelab-runners-4.slice"]);
    assert_eq!(values(service, "RestartPreventExitStatus"), ["64 66 67 71"]);
}
