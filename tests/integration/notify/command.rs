//! Programs of the user's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use super::*;

struct Script(TempDir);

impl Script {
    /// With `$here` for its own directory.
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("script");
        fs::write(&path, format!("#!/bin/bash\nhere={}\n{text}\n", directory.path().display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(directory)
    }

    fn receiver(&self, arguments: &[&str], limit: Duration) -> Receiver {
        let program = self.0.path().join("script").display().to_string();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        Receiver::Command { command: std::iter::once(program).chain(arguments).collect(), limit }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// The process that it has noted.
    fn noted(&self) -> Pid {
        Pid::from_raw(self.read("pid").trim().parse().unwrap()).unwrap()
    }
}

async fn deliver(receiver: &Receiver) -> Result<(), String> {
    let message = Message::from(notice(NoticeKind::Failed, 3));
    ends(receiver.deliver(&message, "cellar")).await.map_err(|refusal| refusal.reason)
}

#[tokio::test]
async fn a_command_gets_json_at_its_stdin_variables_and_its_arguments_as_they_are() {
    let script = Script::new(
        "cat > $here/stdin; env > $here/env; printf '%s\\n' \"$@\" > $here/arguments; pwd > $here/pwd",
    );
    deliver(&script.receiver(&["$(id) `id`", "a b", ""], LONG)).await.unwrap();
    assert_eq!(script.read("arguments"), "$(id) `id`\na b\n\n");
    assert_eq!(script.read("pwd"), "/\n");
    let stdin = script.read("stdin");
    let json: serde_json::Value = serde_json::from_str(&stdin).unwrap();
    assert!(stdin.ends_with("}\n") && json["kind"] == "failed" && json["runner"] == 3, "{stdin}");
    let env = script.read("env");
    for line in [
        "HOMELAB_RUNNERS_KIND=failed",
        "HOMELAB_RUNNERS_RUNNER=3",
        "HOMELAB_RUNNERS_NAME=homelab-runner-3",
        "HOMELAB_RUNNERS_HOST=cellar",
        "HOMELAB_RUNNERS_TITLE=homelab-runner-3 is in trouble",
        "HOMELAB_RUNNERS_WHY=no listener runs",
        "HOMELAB_RUNNERS_TIME=1970-01-01T00:00:00Z",
    ] {
        assert!(env.lines().any(|found| found == line), "{line} is not in\n{env}");
    }
    // Of what this test was started with, cargo's variables among it, it sees nothing.
    assert!(!env.contains("CARGO"), "{env}");
}

#[tokio::test]
async fn a_command_that_reads_nothing_has_taken_the_message_all_the_same() {
    deliver(&Script::new("exec <&-; exit 0").receiver(&[], LONG)).await.unwrap();
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_the_end_of_what_it_said() {
    let script = Script::new("head -c 5000 /dev/zero | tr '\\0' x >&2; echo 'no such room' >&2; exit 1");
    let reason = deliver(&script.receiver(&[], LONG)).await.unwrap_err();
    assert!(reason.contains("exit status: 1") && reason.ends_with("no such room"), "{reason}");
    assert!(reason.len() < 2200, "{}", reason.len());
    let missing = Receiver::Command { command: vec!["/nonexistent/program".to_owned()], limit: LONG };
    let reason = deliver(&missing).await.unwrap_err();
    assert!(reason.contains("cannot run /nonexistent/program"), "{reason}");
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_all_that_it_started() {
    let script = Script::new("sleep 1000 & echo $! > $here/pid; wait");
    let reason = deliver(&script.receiver(&[], Duration::from_millis(700))).await.unwrap_err();
    assert!(reason.contains("did not end within 700ms"), "{reason}");
    // Whoever adopts orphans here may take a moment to bury it.
    let begin = Instant::now();
    while is_alive(script.noted()) {
        assert!(begin.elapsed() < LONG, "the sleep is still there");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_neither_waited_for_nor_killed() {
    // It holds the pipes.
    let script = Script::new("sleep 1000 & echo $! > $here/pid");
    let begin = Instant::now();
    deliver(&script.receiver(&[], Duration::from_secs(500))).await.unwrap();
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    let left = script.noted();
    assert!(is_alive(left));
    kill_process(left, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_command_that_failed_is_run_again_with_the_same_message() {
    let script = Script::new("cat >> $here/stdin; [ -e $here/second ] && exit 0; touch $here/second; exit 1");
    let notifier = notifier(script.receiver(&[], LONG), "");
    notifier.tell(&notice(NoticeKind::GaveUp, 1));
    let read = || fs::read_to_string(script.0.path().join("stdin")).unwrap_or_default();
    run(&notifier, until(|| read().lines().count() == 2)).await;
    let text = read();
    let mut lines = text.lines();
    assert_eq!(lines.next(), lines.next());
}

/// Neither gone nor waiting to be buried.
fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(process).is_ok() && !stat.contains(") Z ")
}
