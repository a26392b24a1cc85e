//! `systemd-analyze verify` of systemd 257 has nothing to say about any unit of ours, nor about what Quadlet makes of them.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::debian13::{Said, run, tree};
use super::words::{command_line, environment, values};
use super::{assert_environment, quadlet};
use crate::golden::{
    Case, DEFAULTS, DOCKER, ENCRYPTED_CREDENTIAL, EPHEMERAL, EPHEMERAL_DOCKER, EPHEMERAL_SERVICE, EVERYTHING,
    HOSTILE_VALUES, PERSONAL_ACCESS_TOKEN, SERVICE_PODMAN, files_below,
};

/// A root with Debian's own units and programs that stand for those which our units call.
fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    for directory in ["usr/bin", "usr/lib/systemd/system", "etc/systemd/system"] {
        fs::create_dir_all(at(directory)).unwrap();
    }
    for program in ["runnerctl", "podman", "docker"] {
        let path = at("usr/bin").join(program);
        fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o755).open(path).unwrap();
    }
    for entry in fs::read_dir(tree().join("usr/lib/systemd/system")).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), at("usr/lib/systemd/system").join(entry.file_name())).unwrap();
        }
    }
    root
}

fn put(root: &TempDir, name: &str, text: &str) {
    fs::write(root.path().join("etc/systemd/system").join(name), text).unwrap();
}

/// Puts all units of a case into `root`: what is in its `etc/systemd/system`, and what Quadlet makes of the rest.
fn put_units(root: &TempDir, written: &Path) -> Vec<String> {
    let units = files_below(&written.join("etc/systemd/system"));
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    for (path, (_, text)) in &units {
        put(root, &name(path), text);
    }
    units.keys().map(|path| name(path)).collect()
}

fn verify(root: &TempDir, units: &[String]) -> Said {
    run("usr/bin/systemd-analyze", |command| {
        // The manual page is not installed in the root; all else is on.
        command.args(["verify", "--man=no"]).arg(format!("--root={}", root.path().display())).args(units);
    })
}

#[track_caller]
/// As [`put_units`], with what Podman's generator makes of the Quadlet files.
fn put_all_units(root: &TempDir, case: &Case) -> Vec<String> {
    let mut units = put_units(root, &case.expected());
    if case.expected().join("etc/containers").exists() {
        for (name, text) in quadlet::generated(case) {
            put(root, &name, &text);
            units.push(name);
        }
    }
    units
}

fn assert_nothing_to_say(case: &Case, root: &TempDir, units: &[String]) {
    let said = verify(root, units);
    assert!(said.is_success && said.stderr.is_empty(), "{}:\n{}{}", case.name, said.stdout, said.stderr);
}

#[test]
fn systemd_has_nothing_to_say_about_services_slices_and_targets() {
    for case in [
        &DEFAULTS,
        &EVERYTHING,
        &SERVICE_PODMAN,
        &PERSONAL_ACCESS_TOKEN,
        &ENCRYPTED_CREDENTIAL,
        &DOCKER,
        &HOSTILE_VALUES,
        &EPHEMERAL,
        &EPHEMERAL_SERVICE,
        &EPHEMERAL_DOCKER,
    ] {
        let root = root();
        let units = put_all_units(&root, case);
        assert!(units.len() >= 6, "{units:?}");
        assert_nothing_to_say(case, &root, &units);
    }
}

#[test]
fn hostile_values_arrive_in_plain_services_as_well() {
    let case = HOSTILE_VALUES.as_format("service");
    let written = case.generate();
    let root = root();
    let units = put_units(&root, written.path());
    assert_nothing_to_say(&case, &root, &units);
    for number in super::environments(&case).into_keys() {
        let path = written.path().join(format!("etc/systemd/system/homelab-runner@{number}.service"));
        let text = fs::read_to_string(path).unwrap();
        let [line] = values(&text, "ExecStart")[..] else { panic!("{text}") };
        assert_environment(&case, number, &environment(&command_line(line)));
    }
}

/// The exposure level of each kind of service, in tenths: systemd's sum of what is left open, from 0 to 100. Why it is open stands beside the settings, in `src/units`.
const CEILINGS: [(&str, u32); 7] = [
    ("homelab-reports.", 1),
    ("homelab-runner-engine@", 50),
    ("homelab-runner@", 76),
    ("homelab-runners-prune.", 20),
    ("homelab-reports-prune.", 18),
    ("homelab-runners-monitor.", 14),
    ("homelab-runners-heal@", 16),
];

/// `systemd-analyze security` of one unit.
fn exposure(root: &TempDir, unit: &str) -> (u32, String) {
    let said = run("usr/bin/systemd-analyze", |command| {
        command.args(["security", "--offline=true", "--no-pager"]);
        command.arg(format!("--root={}", root.path().display())).arg(unit);
    });
    let (_, level) =
        said.stdout.split_once("Overall exposure level for ").unwrap_or_else(|| panic!("{}", said.stderr));
    let level = level.split_once(": ").unwrap().1.split(' ').next().unwrap();
    let (whole, tenth) = level.split_once('.').unwrap();
    (whole.parse::<u32>().unwrap() * 10 + tenth.parse::<u32>().unwrap(), said.stdout)
}

#[test]
fn no_service_is_more_exposed_than_its_ceiling() {
    for case in [&DEFAULTS, &EVERYTHING, &SERVICE_PODMAN, &PERSONAL_ACCESS_TOKEN, &DOCKER] {
        let root = root();
        let units = put_all_units(&root, case);
        for unit in units.iter().filter(|unit| unit.ends_with(".service")) {
            let ceiling =
                CEILINGS.iter().find(|(kind, _)| unit.starts_with(kind)).map(|(_, ceiling)| *ceiling);
            let (level, details) = exposure(&root, unit);
            assert!(
                level <= ceiling.unwrap_or_else(|| panic!("{unit} has no ceiling")),
                "{unit}: {level}\n{details}"
            );
        }
    }
}

#[test]
fn systemd_is_really_asked() {
    let root = root();
    for (text, complaint) in [
        ("[Service]\nExecStart=/usr/bin/no-such-program\n", "is not executable"),
        ("[Service]\nExecStart=/usr/bin/podman\nRestartStepz=4\n", "Unknown key"),
        ("[Service]\nExecStart=/usr/bin/podman\nMemoryMax=12X\n", "Invalid memory limit"),
        ("[Service]\nExecStart=/usr/bin/podman \"a\\q\"\n", "unknown escape sequences"),
    ] {
        put(&root, "homelab-runner@1.service", text);
        let said = verify(&root, &["homelab-runner@1.service".to_owned()]);
        assert!(said.stderr.contains(complaint), "{text}: {}", said.stderr);
    }
}
