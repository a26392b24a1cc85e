//! A private engine, as seen from inside the container: its socket, and the wait until it is attached.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::fs;
use std::os::unix::net::UnixListener;

use homelab_runners::runner::SessionState;

use super::container::Container;

/// A container whose engine is not attached yet.
fn with_engine() -> (Container, UnixListener) {
    let mut container = Container::new();
    for directory in ["var/run", "run/homelab-runner/engine"] {
        fs::create_dir_all(container.path(directory)).unwrap();
    }
    let socket = UnixListener::bind(container.path("run/homelab-runner/engine/docker.sock")).unwrap();
    container.env("RUNNERCTL_PRIVATE_ENGINE", "1");
    container.give_token();
    (container, socket)
}

fn attach(container: &Container) {
    fs::write(container.path("run/homelab-runner/engine/ready"), "").unwrap();
}

#[test]
fn no_workflow_job_is_taken_before_the_private_engine_is_attached() {
    let (mut container, _socket) = with_engine();
    container.start();
    // Registered already, and still not listening.
    container.wait_for_file("run/homelab-runner/identity/.runner");
    assert_ne!(container.session().unwrap().state, SessionState::Connecting);
    assert!(!container.exists("stub/listener.pid"), "the listener was started");
    attach(&container);
    container.wait_for_state(SessionState::Online);
}

#[test]
fn workflows_find_the_engines_socket_where_docker_has_its_own() {
    let (mut container, socket) = with_engine();
    attach(&container);
    container.start_online();
    let link = container.path("var/run/docker.sock");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    // The socket's unit was restarted.
    drop(socket);
    let path = container.path("run/homelab-runner/engine/docker.sock");
    fs::remove_file(&path).unwrap();
    let _again = UnixListener::bind(&path).unwrap();
    std::os::unix::net::UnixStream::connect(&link).unwrap();
}

#[test]
fn a_runner_that_waits_for_its_engine_can_be_stopped() {
    let (mut container, _socket) = with_engine();
    container.start();
    container.wait_for_file("run/homelab-runner/identity/.runner");
    assert_eq!(container.stop(), 0);
}
