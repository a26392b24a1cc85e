//! `install-units --root` and `uninstall-units --root`: files below a directory, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use homelab_runners::files::Lock;

use super::{Below, runnerctl};
use crate::golden::files_below;

const CONFIG: &str = "url = \"https://github.com/acme/shop\"\ncount = 2\nunit_format = \"quadlet\"\n";
const RUNNER_2: &str = "etc/containers/systemd/homelab-runner@2.container";
/// Stays, as on a host: it is what the next run locks.
const LOCK: &str = "var/lib/homelab-runners/lock";

fn paths(below: &Below) -> Vec<String> {
    let inputs = ["etc/homelab-runners/config.toml", "etc/homelab-runners/.env", LOCK];
    let found = files_below(below.path()).into_keys().map(|path| path.to_str().unwrap().to_owned());
    found.filter(|path| !inputs.contains(&path.as_str())).collect()
}

const INSTALLED: [&str; 27] = [
    "etc/containers/systemd/homelab-runner@1.container",
    RUNNER_2,
    "etc/systemd/system/homelab-reports-prune.service",
    "etc/systemd/system/homelab-reports-prune.timer",
    "etc/systemd/system/homelab-reports.service",
    "etc/systemd/system/homelab-reports.socket",
    "etc/systemd/system/homelab-runner-engine@1.service",
    "etc/systemd/system/homelab-runner-engine@1.socket",
    "etc/systemd/system/homelab-runner-engine@2.service",
    "etc/systemd/system/homelab-runner-engine@2.socket",
    "etc/systemd/system/homelab-runners-1.slice",
    "etc/systemd/system/homelab-runners-2.slice",
    "etc/systemd/system/homelab-runners-heal.socket",
    "etc/systemd/system/homelab-runners-heal@.service",
    "etc/systemd/system/homelab-runners-monitor.service",
    "etc/systemd/system/homelab-runners-monitor.socket",
    "etc/systemd/system/homelab-runners-prune.service",
    "etc/systemd/system/homelab-runners-prune.timer",
    "etc/systemd/system/homelab-runners.slice",
    "etc/systemd/system/homelab-runners.target",
    "var/lib/homelab-runners/scripts/engine.conf",
    "var/lib/homelab-runners/scripts/entrypoint.sh",
    "var/lib/homelab-runners/scripts/health.sh",
    "var/lib/homelab-runners/scripts/job-completed.sh",
    "var/lib/homelab-runners/scripts/job-started.sh",
    "var/lib/homelab-runners/scripts/report.sh",
    "var/lib/homelab-runners/scripts/reports.conf",
];

#[test]
fn files_are_written_below_the_root_and_the_second_run_finds_nothing_to_do() {
    let below = Below::with_config(CONFIG);

    let first = below.run("install-units").ends(0);
    assert_eq!(paths(&below), INSTALLED);
    for word in ["reload", "enable", "start "] {
        assert!(!first.stderr.contains(word), "{}", first.stderr);
    }
    let written = files_below(below.path());

    let second = below.run("install-units").ends(0).says(&["nothing to do: the host is as the config says"]);
    assert!(!second.stderr.contains("write "), "{}", second.stderr);
    assert_eq!(files_below(below.path()), written);
}

#[test]
fn an_edit_is_shown_by_diff_and_by_dry_run_and_then_written() {
    let below = Below::with_config(CONFIG);
    below.run("install-units").ends(0);
    below.write_config(&format!("{CONFIG}[runners.2]\nlabels = [\"big\"]\n"));
    let before = files_below(below.path());

    let diff = below.run("diff").ends(1);
    let dry = below.run("install-units --dry-run").ends(0);

    assert!(diff.stdout.contains("+Environment=RUNNERCTL_LABELS=big"), "{}", diff.stdout);
    assert!(!diff.stdout.contains("homelab-runner@1"), "{}", diff.stdout);
    assert!(
        dry.stdout.contains("write /etc/containers/systemd/homelab-runner@2.container"),
        "{}",
        dry.stdout
    );
    assert_eq!(files_below(below.path()), before);
    below.run("install-units").ends(0);
    below.run("diff").ends(0).says(&["nothing to do"]);
}

#[test]
fn a_lower_count_removes_the_files_of_the_runner_that_is_gone() {
    let below = Below::with_config(CONFIG);
    below.run("install-units").ends(0);
    below.write_config(&CONFIG.replace("count = 2", "count = 1"));
    below.run("install-units").ends(0);
    assert!(!paths(&below).iter().any(|path| path.contains("@2") || path.contains("-2.slice")));
}

#[test]
fn a_file_of_somebody_else_in_the_way_is_named_and_nothing_is_written() {
    let below = Below::with_config(CONFIG);
    below.write(RUNNER_2, "[Container]\nImage=mine\n");
    below.run("install-units").ends(2).says(&[
        "/etc/containers/systemd/homelab-runner@2.container exists and was not written by runnerctl",
        "hint: move it away (nothing was changed)",
    ]);
    assert_eq!(paths(&below), [RUNNER_2]);
}

#[test]
fn uninstalling_removes_what_is_ours_and_leaves_what_is_not() {
    let below = Below::with_config(CONFIG);
    below.run("install-units").ends(0);
    let foreign =
        ["etc/containers/systemd/web.container", "etc/systemd/system/homelab-runners-9.slice", RUNNER_2];
    for path in foreign {
        below.write(path, "[Unit]\nDescription=mine\n");
    }
    below.write("var/lib/homelab-runners/1/identity/.runner", "{}");

    below.run("uninstall-units").ends(0);

    let mut expected = foreign.to_vec();
    expected.push("var/lib/homelab-runners/1/identity/.runner");
    expected.sort_unstable();
    assert_eq!(paths(&below), expected);
    below.run("uninstall-units").ends(0).says(&["nothing to do"]);
}

#[test]
fn uninstalling_works_without_a_config() {
    let below = Below::with_config(CONFIG);
    below.run("install-units").ends(0);
    fs::remove_dir_all(below.at("etc/homelab-runners")).unwrap();
    below.run("uninstall-units").ends(0);
    assert!(paths(&below).is_empty(), "{:?}", paths(&below));
}

#[test]
fn two_at_once_are_told_apart_by_the_lock() {
    let below = Below::with_config(CONFIG);
    let held = Lock::take(&below.at(LOCK)).unwrap().unwrap();
    for command in ["install-units", "uninstall-units"] {
        below
            .run(command)
            .ends(2)
            .says(&["another runnerctl is changing this fleet", "hint: wait until it has ended"]);
    }
    assert!(paths(&below).is_empty());
    drop(held);
    below.run("install-units").ends(0);
}

#[test]
fn generate_writes_the_same_bytes_every_time_and_to_stdout_as_well() {
    let below = Below::with_config(CONFIG);
    let once = below.run("generate").ends(0).stdout;
    assert_eq!(below.run("generate").ends(0).stdout, once);
    assert!(once.contains("# /etc/containers/systemd/homelab-runner@2.container\n"), "{once}");
    let write = |name: &str| {
        let mut command = runnerctl();
        command.arg("--root").arg(below.path()).args(["generate", "--out"]).arg(below.at(name));
        command.assert().success();
        files_below(&below.at(name))
    };
    let first = write("one");
    assert_eq!(first, write("two"));
    assert_eq!(first.keys().map(PathBuf::as_path).collect::<Vec<_>>(), INSTALLED.map(Path::new));
}
