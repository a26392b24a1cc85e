//! `unit-step await-online` as systemd runs it: which image the container runs is noted for the monitor, and nothing about that keeps a runner from its session.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use homelab_runners::fleet::RunnerPaths;
use homelab_runners::programs::RunnerImage;
use tempfile::TempDir;

/// A runner that is online, and an engine that does as `engine.sh` says.
struct Bed {
    directory: TempDir,
    paths: RunnerPaths,
}

impl Bed {
    fn new(engine: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let paths = RunnerPaths::new(directory.path().join("state"), directory.path().join("run"));
        fs::create_dir_all(&paths.status).unwrap();
        fs::write(paths.session(), "online\nlistening\n").unwrap();
        let bed = Self { directory, paths };
        fs::write(bed.engine(), format!("#!/bin/sh\n{engine}\n")).unwrap();
        fs::set_permissions(bed.engine(), fs::Permissions::from_mode(0o755)).unwrap();
        bed
    }

    fn engine(&self) -> PathBuf {
        self.directory.path().join("engine")
    }

    /// The step's end, and what it said.
    fn await_online(&self) -> (Option<i32>, String) {
        let mut step = Command::new(env!("CARGO_BIN_EXE_runnerctl"));
        step.args(["unit-step", "await-online", "--runner=1", "--container=runner-1", "--runtime-dir"]);
        step.arg(&self.paths.runtime).arg("--engine-program").arg(self.engine());
        let output = step.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn noted(&self) -> Option<RunnerImage> {
        serde_json::from_str(&fs::read_to_string(self.paths.image()).ok()?).unwrap()
    }
}

const KNOWN: &str = r#"case "$*" in
"container inspect runner-1") echo '[{"Name":"/runner-1","Image":"sha256:abc"}]' ;;
"image inspect abc") echo '[{"Id":"sha256:abc","Created":"2026-11-02T10:00:00.5Z","Config":{}}]' ;;
*) echo "unknown: $*" >&2; exit 125 ;;
esac"#;

#[test]
fn the_image_is_noted_where_the_monitor_may_read_it() {
    let bed = Bed::new(KNOWN);
    assert_eq!(bed.await_online(), (Some(0), String::new()));
    let image = RunnerImage { id: "abc".to_owned(), created: "2026-11-02T10:00:00.5Z".to_owned() };
    assert_eq!(bed.noted(), Some(image));
    let mode = fs::metadata(bed.paths.image()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn an_engine_that_fails_or_hangs_keeps_no_runner_from_its_session() {
    for (engine, words) in [
        ("echo broken >&2; exit 125", "its image is not noted: "),
        ("echo nonsense", "cannot understand the output of"),
        ("exec sleep 1000", "did not end within 15s"),
    ] {
        let bed = Bed::new(engine);
        let (code, said) = bed.await_online();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(words) && said.contains("hint: "), "{said}");
        assert_eq!(bed.noted(), None);
    }
}

#[test]
fn a_container_that_has_ended_meanwhile_has_no_image_and_that_is_no_trouble() {
    let bed = Bed::new("echo 'Error: no such container runner-1' >&2; exit 125");
    assert_eq!(bed.await_online(), (Some(0), String::new()));
    assert_eq!(bed.noted(), None);
}

#[test]
fn a_runner_that_failed_is_told_of_as_ever() {
    let bed = Bed::new("echo broken >&2; exit 125");
    fs::write(bed.paths.session(), "failed\nno registration token\n").unwrap();
    let (code, said) = bed.await_online();
    assert!(code == Some(1) && said.contains("no registration token"), "{said}");
}
