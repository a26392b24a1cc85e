//! The health check, and the restart it asks for where the engine does nothing.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};

use homelab_runners::runner::HealthChecks;
use rustix::process::{Pid, Signal, kill_process};

use super::container::{Container, eventually};

fn online() -> Container {
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    container.show_process(container.listener_pid());
    container
}

#[track_caller]
fn health_is(container: &Container, code: i32, line: &str) {
    let output = container.health();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{line}\n"));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(code));
}

/// A process of that name which ends with the test.
pub(super) struct Process(Child);

impl Process {
    pub(super) fn named(container: &Container, name: &str) -> Self {
        let script = container.path("stub").join(name);
        assert!(
            Command::new("bash")
                .args(["-c", "printf '#!/bin/bash\nread -r _\n' >\"$1\"; chmod 755 \"$1\"", "-"])
                .arg(&script)
                .status()
                .unwrap()
                .success()
        );
        let child = Command::new(&script).arg("run").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let process = Self(child);
        let comm = format!("/proc/{}/comm", process.pid());
        eventually(name, || std::fs::read_to_string(&comm).ok().filter(|comm| comm.trim() == name));
        container.show_process(process.pid());
        process
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_listener_with_a_session_is_healthy() {
    health_is(&online(), 0, "online: listening for workflow jobs");
}

#[test]
fn no_listener_is_unhealthy() {
    health_is(&Container::new(), 1, "not connected: no listener is running");
}

#[test]
fn a_stopped_listener_is_unhealthy() {
    let container = online();
    kill_process(container.listener_pid(), Signal::STOP).unwrap();
    let stat = format!("/proc/{}/stat", container.listener_pid());
    eventually("the listener to stop", || {
        std::fs::read_to_string(&stat).ok().filter(|stat| stat.contains(") T "))
    });
    health_is(&container, 1, "not connected: the listener is stopped by a signal");
}

#[test]
fn two_listeners_are_unhealthy() {
    let container = online();
    let _second = Process::named(&container, "Runner.Listener");
    health_is(&container, 1, "not connected: 2 listeners are running");
}

#[test]
fn no_session_is_unhealthy() {
    let container = online();
    std::fs::remove_file(container.path("run/homelab-runner/status/perf/Runner.perf")).unwrap();
    health_is(&container, 1, "not connected: the listener has no session at GitHub");
}

#[test]
fn a_session_of_an_earlier_listener_does_not_count() {
    let container = online();
    let perf = "RunnerProcessStarted:1\nSessionCreated:2\nRunnerProcessStarted:3\n";
    container.write("run/homelab-runner/status/perf/Runner.perf", perf);
    health_is(&container, 1, "not connected: the listener has no session at GitHub");
}

#[test]
fn no_identity_is_unhealthy() {
    let container = online();
    container.write("home/runner/.runner", "\u{feff}{}");
    health_is(&container, 1, "not connected: the runner has no identity");
}

#[test]
fn a_living_worker_is_healthy_whatever_else_is_wrong() {
    let container = Container::new();
    let _worker = Process::named(&container, "Runner.Worker");
    health_is(&container, 0, "online: running a workflow job");
}

#[test]
fn a_dead_worker_is_no_worker() {
    let container = Container::new();
    let worker = Process::named(&container, "Runner.Worker");
    kill_process(worker.pid(), Signal::KILL).unwrap();
    let stat = format!("/proc/{}/stat", worker.pid());
    eventually("the worker to be a zombie", || {
        std::fs::read_to_string(&stat).ok().filter(|stat| stat.contains(") Z "))
    });
    health_is(&container, 1, "not connected: no listener is running");
}

#[test]
fn what_a_check_found_is_noted_for_whoever_looks_from_the_host() {
    let mut container = lost_session();
    container.env("RUNNERCTL_HEAL_AFTER", "9");
    for failures in [1, 2] {
        health_is(&container, 1, NO_SESSION);
        let file = container.path("run/homelab-runner/status/health");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
        let noted: HealthChecks = std::fs::read_to_string(file).unwrap().parse().unwrap();
        assert_eq!(noted.failures, failures);
    }
    let perf = container.path("run/homelab-runner/status/perf/Runner.perf");
    std::fs::write(perf, "RunnerProcessStarted:1\nSessionCreated:2\n").unwrap();
    health_is(&container, 0, "online: listening for workflow jobs");
    assert!(container.read("run/homelab-runner/status/health").starts_with("         0          0 "));
}

/// A runner that was online and lost its session, with a health check that asks for a restart after two failures.
fn lost_session() -> Container {
    let mut container = online();
    container.env("RUNNERCTL_HEAL_AFTER", "2");
    container.env("RUNNERCTL_MAIN_PID", &container.entrypoint_pid().to_string());
    container.write("run/homelab-runner/status/perf/Runner.perf", "RunnerProcessStarted:1\n");
    container
}

const NO_SESSION: &str = "not connected: the listener has no session at GitHub";

#[test]
fn after_enough_failures_in_a_row_the_runner_is_restarted() {
    let mut container = lost_session();
    health_is(&container, 1, NO_SESSION);
    assert_eq!(container.read("run/homelab-runner/status/health").split_whitespace().next(), Some("1"));
    assert_eq!(container.read("stub/signals"), "");
    health_is(&container, 1, NO_SESSION);
    assert_eq!(container.exit_code(), 73);
    assert_eq!(container.read("stub/signals"), "INT\n");
    assert!(container.exists("run/homelab-runner/identity/.runner"));
}

#[test]
fn failures_that_are_not_in_a_row_are_forgotten() {
    let mut container = lost_session();
    for _ in 0..3 {
        health_is(&container, 1, NO_SESSION);
        let perf = container.path("run/homelab-runner/status/perf/Runner.perf");
        std::fs::write(&perf, "RunnerProcessStarted:1\nSessionCreated:2\n").unwrap();
        health_is(&container, 0, "online: listening for workflow jobs");
        std::fs::write(&perf, "RunnerProcessStarted:1\n").unwrap();
    }
    assert_eq!(container.stop(), 0);
}

#[test]
fn failures_before_a_workflow_job_do_not_count_after_it() {
    let mut container = lost_session();
    health_is(&container, 1, NO_SESSION);
    let worker = Process::named(&container, "Runner.Worker");
    // Whatever else is wrong, and however often that is looked at.
    for _ in 0..4 {
        health_is(&container, 0, "online: running a workflow job");
    }
    drop(worker);
    health_is(&container, 1, NO_SESSION);
    assert_eq!(container.read("stub/signals"), "");
    health_is(&container, 1, NO_SESSION);
    assert_eq!(container.exit_code(), 73);
}

#[test]
fn a_listener_that_ignores_the_signal_is_killed() {
    let mut container = Container::new();
    container.give_token();
    container.listener_does("trap '' INT; listen; for_ever");
    container.start_online();
    container.signal(Signal::USR1);
    assert_eq!(container.exit_code(), 73);
    assert_eq!(container.read("stub/signals"), "");
}

#[test]
fn a_listener_that_a_signal_stopped_ends_in_order() {
    let mut container = lost_session();
    kill_process(container.listener_pid(), Signal::STOP).unwrap();
    container.signal(Signal::USR1);
    assert_eq!(container.exit_code(), 73);
    assert_eq!(container.read("stub/signals"), "INT\n");
}

#[test]
fn a_running_workflow_job_is_never_ended_by_a_health_check() {
    let mut container = online();
    let worker = Process::named(&container, "Runner.Worker");
    container.signal(Signal::USR1);
    eventually("the entrypoint to say so", || {
        container.read("errors").contains("a workflow job is running: left alone").then_some(())
    });
    assert_eq!(container.read("stub/signals"), "");
    drop(worker);
    assert_eq!(container.stop(), 0);
}
