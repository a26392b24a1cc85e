//! The user that the runner's programs run as.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::net::UnixListener;

use super::container::{Container, DOCKER_GID, RUNNER_GID, RUNNER_UID, is_root};

const SOCKET_GID: u32 = 61_204;

fn status_of(container: &Container, key: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{}/status", container.listener_pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_listener_runs_as_runner_with_its_groups_and_the_sockets() {
    if !is_root() {
        eprintln!("skipped: becoming another user needs root");
        return;
    }
    let mut container = Container::new();
    fs::create_dir_all(container.path("var/run")).unwrap();
    let _socket = UnixListener::bind(container.path("var/run/docker.sock")).unwrap();
    chown(container.path("var/run/docker.sock"), None, Some(SOCKET_GID)).unwrap();
    container.give_token();
    container.start_online();
    let ids = |id: u32| [id; 4].map(|id| id.to_string()).join(" ");
    assert_eq!(status_of(&container, "Uid:"), ids(RUNNER_UID));
    assert_eq!(status_of(&container, "Gid:"), ids(RUNNER_GID));
    assert_eq!(status_of(&container, "Groups:"), format!("{RUNNER_GID} {DOCKER_GID} {SOCKET_GID}"));
    let environment = fs::read_to_string(format!("/proc/{}/environ", container.listener_pid())).unwrap();
    for wanted in ["HOME=/home/runner\0", "USER=runner\0", "LOGNAME=runner\0"] {
        assert!(environment.contains(wanted), "{wanted}");
    }
    assert_eq!(container.path("work").metadata().unwrap().uid(), RUNNER_UID);
}

#[test]
fn only_the_top_of_the_work_directory_changes_its_owner() {
    if !is_root() {
        eprintln!("skipped: changing owners needs root");
        return;
    }
    let mut container = Container::new();
    fs::create_dir(container.path("work/shop")).unwrap();
    container.give_token();
    container.start_online();
    assert_eq!(container.path("work/shop").metadata().unwrap().uid(), 0);
}

/// The container's root is all that a user's own fleet can delete files as, before the next start.
#[test]
fn what_the_listener_tells_of_itself_lies_in_a_directory_of_roots() {
    if !is_root() {
        eprintln!("skipped: changing owners needs root");
        return;
    }
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    let perf = container.path("run/homelab-runner/status/perf").metadata().unwrap();
    assert_eq!((perf.uid(), perf.gid(), perf.mode() & 0o7777), (0, RUNNER_GID, 0o770));
}

#[test]
fn without_root_the_listener_runs_as_the_containers_user() {
    let mut container = Container::without_root();
    container.give_token();
    container.start_online();
    let uid = if is_root() { RUNNER_UID } else { rustix::process::geteuid().as_raw() };
    assert_eq!(status_of(&container, "Uid:").split(' ').next(), Some(uid.to_string().as_str()));
    assert_eq!(container.stop(), 0);
    assert!(container.exists("run/homelab-runner/identity/.runner"));
}

#[test]
fn an_image_without_that_user_runs_directly_and_says_so() {
    let mut container = Container::new();
    container.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    container.give_token();
    container.start_online();
    assert!(!is_root() || container.read("errors").contains("run as root inside the container"));
}

#[test]
fn what_workflows_write_has_the_usual_mask() {
    let mut container = Container::new();
    container.give_token();
    container.listener_does("umask >\"$STUB/umask\"; listen; for_ever");
    container.start_online();
    assert_eq!(container.read("stub/umask"), "0022\n");
}

#[test]
fn both_layouts_of_images_are_found() {
    let mut container = Container::with_runner_root("actions-runner");
    container.give_token();
    container.start_online();
    assert!(container.exists("actions-runner/.runner"));
}

#[test]
fn a_container_without_a_mounted_status_directory_gets_one_that_the_runner_reaches() {
    let mut container = Container::new();
    fs::remove_dir_all(container.path("run/homelab-runner/status")).unwrap();
    container.give_token();
    container.start_online();
    assert_eq!(container.path("run/homelab-runner/status").metadata().unwrap().mode() & 0o777, 0o755);
    assert_eq!(container.read("errors"), "");
    container.show_process(container.listener_pid());
    assert!(container.health().status.success(), "{:?}", container.health());
}

#[test]
fn an_image_without_the_runner_says_so() {
    let mut container = Container::new();
    fs::remove_file(container.path("home/runner/bin/Runner.Listener")).unwrap();
    assert_eq!(container.run(), 75);
    assert!(container.read("errors").contains("no bin/Runner.Listener"));
}

#[test]
fn reports_that_the_runner_cannot_write_are_told_and_left_alone() {
    if !is_root() {
        eprintln!("skipped: root owns the directory in this test");
        return;
    }
    let mut container = Container::new();
    fs::create_dir(container.path("reports")).unwrap();
    container.give_token();
    container.start_online();
    assert!(container.read("errors").contains("/reports is not writable"));
    assert_eq!(container.path("reports").metadata().unwrap().uid(), 0);
}

/// Docker cannot map the ids of one container alone.
#[test]
fn the_user_runner_takes_the_number_it_is_given() {
    if !is_root() {
        eprintln!("skipped: becoming another user needs root");
        return;
    }
    let mut container = Container::new();
    container.env("RUNNERCTL_RUNNER_ID", "61299");
    container.give_token();
    container.start_online();
    assert_eq!(status_of(&container, "Uid:"), "61299 61299 61299 61299");
    assert_eq!(status_of(&container, "Groups:"), format!("{DOCKER_GID} 61299"));
    assert!(container.read("etc/passwd").contains("\nrunner:x:61299:61299::/home/runner:/bin/sh\n"));
    assert!(container.read("etc/group").contains("\nrunner:x:61299:\n"));
    assert_eq!(container.path("work").metadata().unwrap().uid(), 61299);
}
