//! The floor of free disk: below it a runner takes no workflow job, and says so.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use rustix::process::{Pid, Signal};

use super::container::{Container, eventually};
use super::health::Process;

/// More than any disk has.
const NEVER_ENOUGH: &str = "9000000000000000000";

fn with_floor(bytes: &str) -> Container {
    let mut container = Container::new();
    container.give_token();
    container.env("RUNNERCTL_FREE_DISK_MIN", bytes);
    container
}

/// A runner whose disk can be filled: `stat` tells what stands in `stub/free`.
fn with_disk(free: u32) -> Container {
    let mut container = with_floor(&(5_u64 << 30).to_string());
    let stat = "case $* in *--file-system*) echo >>\"$STUB/asked\"; cat \"$STUB/free\" ;; *) exec /usr/bin/stat \"$@\" ;; esac";
    container.program("stat", stat);
    container.env("RUNNERCTL_REFRESH_SECONDS", "0.05");
    fill(&container, free);
    container
}

/// So many blocks of 1 GiB are free; written and renamed, since the entrypoint looks at any time.
fn fill(container: &Container, free: u32) {
    container.write("stub/free.new", &format!("{free} {}\n", 1 << 30));
    std::fs::rename(container.path("stub/free.new"), container.path("stub/free")).unwrap();
}

/// Waits until the entrypoint has looked at the disk from beginning to end.
fn look(container: &Container) {
    let times = || container.read("stub/asked").lines().count();
    let before = times();
    // The first one may have begun already, the second one tells that the first is over.
    eventually("the disk to be asked", || (times() >= before + 3).then_some(()));
}

#[track_caller]
fn ends_without_space(container: &mut Container, free: &str) {
    assert_eq!(container.exit_code(), 74);
    let work = container.path("work");
    let expected = format!("no space: {free} free in {}, floor 5.0G", work.display());
    assert_eq!(container.session().unwrap().sentence, expected);
    assert!(container.read("errors").contains("hint: free some disk space, or lower prune.free_disk_min"));
}

#[test]
fn below_the_floor_a_runner_ends_before_it_asks_anything_of_github() {
    let mut container = with_floor(NEVER_ENOUGH);
    assert_eq!(container.run(), 74);
    let sentence = container.session().unwrap().sentence;
    assert!(sentence.starts_with("no space: ") && sentence.ends_with("floor 8381903171.5G"), "{sentence}");
    assert_eq!(container.config_calls(), 0);
}

#[test]
fn above_the_floor_and_without_one_a_runner_starts() {
    for floor in ["1", "0"] {
        let mut container = with_floor(floor);
        container.start_online();
        assert_eq!(container.stop(), 0);
    }
}

#[test]
fn an_idle_runner_ends_in_order_when_the_disk_fills() {
    let mut container = with_disk(6);
    container.start_online();
    fill(&container, 4);
    ends_without_space(&mut container, "4.0G");
    assert_eq!(container.read("stub/signals"), "INT\n");
    assert!(container.exists("run/homelab-runner/identity/.runner"));
}

#[test]
fn it_starts_again_as_soon_as_there_is_space() {
    let mut container = with_disk(4);
    container.start();
    ends_without_space(&mut container, "4.0G");
    fill(&container, 5);
    container.start_online();
    assert_eq!(container.stop(), 0);
}

#[test]
fn a_running_workflow_job_goes_on_whatever_is_free() {
    let mut container = with_disk(6);
    container.start_online();
    let worker = Process::named(&container, "Runner.Worker");
    fill(&container, 0);
    look(&container);
    // The entrypoint answers one signal after the other: when it has told about this one, it is done with that one.
    container.signal(Signal::USR1);
    eventually("the entrypoint to say so", || {
        container.read("errors").contains("a workflow job is running: left alone").then_some(())
    });
    assert_eq!(container.read("stub/signals"), "");
    drop(worker);
    ends_without_space(&mut container, "0.0G");
}

#[test]
fn no_signal_is_lost_while_the_disk_is_looked_at() {
    let mut container = with_disk(6);
    container.env("RUNNERCTL_REFRESH_SECONDS", "0.001");
    container.start_online();
    let worker = Process::named(&container, "Runner.Worker");
    for round in 1..=200 {
        // Of the same signal, one that comes while another is answered counts for nothing.
        eventually("the entrypoint to sleep", || is_asleep(container.entrypoint_pid()).then_some(()));
        container.signal(Signal::USR1);
        let answers = || container.read("errors").matches("a workflow job is running: left alone").count();
        eventually("the entrypoint to say so", || (answers() == round).then_some(()));
    }
    drop(worker);
    assert_eq!(container.stop(), 0);
}

/// `proc_pid_stat(5)`: the state is behind the name.
fn is_asleep(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('S')
}

#[test]
fn a_disk_that_cannot_be_asked_ends_no_runner() {
    for answer in ["", "1073741824\n", "? 4096\n", "0 ?\n"] {
        let mut container = with_disk(6);
        container.start_online();
        container.write("stub/free", answer);
        look(&container);
        assert_eq!(container.stop(), 0, "{answer:?}");
    }
}
