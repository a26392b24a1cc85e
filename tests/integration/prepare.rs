//! `unit-step prepare` as a user's own systemd runs it: what the users of rootless containers leave belongs to ids that are not that user's.
//!
//! As root, which gives files away; in the place of rootless Podman's user namespace is the test itself, which may delete all of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tempfile::TempDir;

const USER: u32 = 12_345;

/// What the user `runner` of the container is on the host.
const MAPPED: u32 = 101_000;

/// Asks who waits at the other end, and ends as that tells.
const PODMAN: &str = r#"#!/bin/sh
here=$(dirname "$0")
[ "$1" = unshare ] || exit 125
shift
printf '%s\n' "$*" >"$here/ask"
read -r status <"$here/answer"
exit "$status"
"#;

struct Bed(TempDir);

impl Bed {
    /// `None` without root.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: files of other users need root");
            return None;
        }
        let bed = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(bed.0.path(), Permissions::from_mode(0o755)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_runnerctl"), bed.at("runnerctl")).unwrap();
        fs::write(bed.at("podman"), PODMAN).unwrap();
        fs::set_permissions(bed.at("podman"), Permissions::from_mode(0o755)).unwrap();
        for pipe in ["ask", "answer"] {
            assert!(Command::new("mkfifo").arg("-m666").arg(bed.at(pipe)).status().unwrap().success());
        }
        for directory in ["state", "run", "run/status", "run/status/perf", "reports"] {
            bed.make(directory, USER, 0o755);
        }
        Some(bed)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn make(&self, path: &str, owner: u32, mode: u32) {
        fs::create_dir(self.at(path)).unwrap();
        fs::set_permissions(self.at(path), Permissions::from_mode(mode)).unwrap();
        chown(self.at(path), Some(owner), Some(owner)).unwrap();
    }

    /// As a workflow can: nobody but the container's user sees what is in it.
    fn plant(&self) {
        self.make("run/status/perf/closed", MAPPED, 0o700);
        fs::write(self.at("run/status/perf/closed/file"), "").unwrap();
    }

    /// Does once what podman-unshare(1) does, and says what it was asked for.
    fn unshare_once(&self) -> thread::JoinHandle<String> {
        let (ask, answer) = (self.at("ask"), self.at("answer"));
        thread::spawn(move || {
            let asked = fs::read_to_string(ask).unwrap();
            let mut words = asked.split_whitespace();
            let status = Command::new(words.next().unwrap()).args(words).status().unwrap();
            fs::write(answer, format!("{}\n", status.code().unwrap())).unwrap();
            asked
        })
    }

    /// Exit code, and what it said.
    fn prepare(&self, more: &[&str]) -> (Option<i32>, String) {
        let mut step = Command::new("setpriv");
        step.args([format!("--reuid={USER}"), format!("--regid={USER}"), "--clear-groups".to_owned()]);
        step.arg(self.at("runnerctl")).args(["unit-step", "prepare", "--runner=1", "--unit-digest=abc"]);
        for (option, path) in
            [("tokens", ".env"), ("state-dir", "state"), ("runtime-dir", "run"), ("reports-dir", "reports")]
        {
            step.arg(format!("--{option}={}", self.at(path).display()));
        }
        step.args(more).arg(format!("--engine-program={}", self.at("podman").display()));
        let output = step.current_dir("/").output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn owner(path: &Path) -> u32 {
    fs::metadata(path).unwrap().uid()
}

#[test]
fn what_a_workflow_has_closed_keeps_no_rootless_runner_from_starting_again() {
    let Some(bed) = Bed::new() else { return };
    bed.plant();
    let unshared = bed.unshare_once();
    let (code, said) = bed.prepare(&["--rootless"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!bed.at("run/status/perf").exists());
    assert_eq!(owner(&bed.at("run/status")), USER);
    assert_eq!(fs::read_to_string(bed.at("run/started-with")).unwrap(), "abc");
    let asked = unshared.join().unwrap();
    assert!(asked.contains(" unit-step clear --runner=1 ") && !asked.contains("--ephemeral"), "{asked}");
}

#[test]
fn nobody_asks_podman_where_the_user_may_delete_all_of_it_and_where_there_is_no_namespace_it_is_told() {
    let Some(bed) = Bed::new() else { return };
    // Whoever asks waits for ever.
    let (code, said) = bed.prepare(&["--rootless"]);
    assert_eq!(code, Some(0), "{said}");
    bed.make("run/status/perf", USER, 0o755);
    bed.plant();
    let (code, said) = bed.prepare(&[]);
    assert!(code == Some(2) && said.contains("cannot remove") && said.contains("ermission denied"), "{said}");
}

#[test]
fn a_namespace_that_fails_is_told_with_its_words() {
    let Some(bed) = Bed::new() else { return };
    bed.plant();
    fs::write(bed.at("podman"), "#!/bin/sh\necho 'cannot find newuidmap' >&2\nexit 125\n").unwrap();
    let (code, said) = bed.prepare(&["--rootless"]);
    assert!(code == Some(2) && said.contains("cannot find newuidmap"), "{said}");
}
