//! The core of the specification on the other two ways to run a fleet: plain services with Podman, and with Docker.

use std::time::Duration;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};
use crate::health::hang_listener;
use crate::isolation::{CONTAINER_WORKFLOW, REPORT_WORKFLOW, SAME_FILE, is_filed};

pub(crate) const PODMAN: &[Scenario] = &[
    ("podman_service_deploys_runs_and_restarts", |guest| core(guest, Way::PodmanService)),
    ("podman_service_memory_limit_holds", |guest| memory_limit(guest, Way::PodmanService)),
    ("the_hosts_socket_is_used_when_the_config_says_so", host_socket),
];

pub(crate) const DOCKER: &[Scenario] = &[
    ("docker_deploys_runs_and_restarts", |guest| core(guest, Way::Docker)),
    ("docker_memory_limit_holds", |guest| memory_limit(guest, Way::Docker)),
    ("docker_runners_have_private_engines_beside_docker", private_beside_docker),
    ("uninstall_leaves_nothing_but_state", uninstall),
];

fn core(guest: &Guest, way: Way) -> Outcome {
    let fleet = Fleet::running(guest, way)?;
    let engine = way.engine();
    let containers = guest.ok(&format!("{engine} ps --format '{{{{.Names}}}}' | sort"))?;
    assert_eq!(containers.lines().collect::<Vec<_>>(), NAMES);
    let ids =
        (0..4).map(|n| fleet.queue(&format!("parallel-{n}"), SAME_FILE)).collect::<Result<Vec<_>, _>>()?;
    for id in ids {
        let job = fleet.wait_for(id, "completed")?;
        assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
    }
    guest.ok("rm -rf /var/lib/homelab-runners/reports/meeting")?;
    let job = fleet.succeed("containers", CONTAINER_WORKFLOW)?;
    assert_eq!(job.text("log").matches("hello from the workspace").count(), 2, "{}", job.text("log"));
    is_filed(guest, &fleet.succeed("e2e", REPORT_WORKFLOW)?)?;
    killed_container_comes_back(&fleet)?;
    unhealthy_comes_back(&fleet)?;
    second_install_changes_nothing(&fleet)
}

/// With `socket = "host"` workflows speak to the host's own Podman, after a warning.
fn host_socket(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::PodmanService)?;
    fleet.configure("socket = \"host\"")?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 0, "{install}");
    assert!(install.stdout.contains("warning") && install.stdout.contains("socket"), "{install}");
    fleet.wait_online(&NAMES)?;
    let job =
        fleet.succeed("containers", &format!("{CONTAINER_WORKFLOW}docker ps --format '{{{{.Names}}}}'"))?;
    assert_eq!(job.text("log").matches("hello from the workspace").count(), 2, "{}", job.text("log"));
    // It is the host's: all runners are seen there.
    assert!(NAMES.iter().all(|name| job.text("log").contains(name)), "{}", job.text("log"));
    fleet.configure("")?;
    let back = fleet.runnerctl("install-units")?;
    assert_eq!(back.code, 0, "{back}");
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn killed_container_comes_back(fleet: &Fleet<'_>) -> Outcome {
    let before = fleet.property(2, "InvocationID")?;
    fleet.guest.ok(&format!("{} kill homelab-runner-2", fleet.way.engine()))?;
    fleet.wait_started_again(2, &before)?;
    Ok(())
}

fn unhealthy_comes_back(fleet: &Fleet<'_>) -> Outcome {
    let before = fleet.property(1, "InvocationID")?;
    hang_listener(fleet.guest, "homelab-runner-1", fleet.way.engine())?;
    fleet.wait_started_again(1, &before)?;
    Ok(())
}

fn second_install_changes_nothing(fleet: &Fleet<'_>) -> Outcome {
    let again = fleet.runnerctl("install-units")?;
    assert!(again.stdout.contains("nothing to do"), "{again}");
    Ok(())
}

/// The slice holds the limit, wherever the engine puts the container's processes.
fn memory_limit(guest: &Guest, way: Way) -> Outcome {
    let fleet = Fleet::running(guest, way)?;
    let pid = guest.ok(&format!("{} inspect -f '{{{{.State.Pid}}}}' homelab-runner-3", way.engine()))?;
    let group = guest.ok(&format!("cat /proc/{pid}/cgroup"))?;
    assert!(group.contains("/homelab.slice/homelab-runners.slice/homelab-runners-3.slice/"), "{group}");
    let limit = guest
        .ok("cat /sys/fs/cgroup/homelab.slice/homelab-runners.slice/homelab-runners-3.slice/memory.max")?;
    assert_eq!(limit, (300 << 20).to_string());
    let hog = fleet.queue("hog", "head -c 400M /dev/zero | tail | wc -c")?;
    let hog = fleet.wait_for(hog, "completed")?;
    assert!(!hog.text("log").contains("419430400"), "the hog got all of its memory: {}", hog.text("log"));
    fleet.wait_online(&NAMES)?;
    Ok(())
}

/// What a workflow job under Docker sees of its own engine: files that its containers write are its own, and Docker's containers are not there.
const PRIVATE_WORKFLOW: &str = r#"
id -u
docker ps --format '{{.Names}}'
docker version --format 'engine {{.Server.Version}}'
docker run --rm -v "$GITHUB_WORKSPACE:/src" localhost/busybox:latest sh -c 'echo "hello from the workspace" > /src/by-root'
cat by-root && rm by-root
docker run -d -p 5432:5432 localhost/busybox:latest sh -c 'while :; do echo served | nc -l -p 5432; done' >/dev/null
for _ in $(seq 100); do served=$(cat < /dev/tcp/localhost/5432) && break; sleep 0.1; done
echo "$served"
"#;

fn private_beside_docker(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Docker)?;
    fleet.configure("socket = \"private\"")?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    guest.ok(
        "podman save -q localhost/busybox:latest | podman --root /var/lib/homelab-runners/images load -q",
    )?;
    let job = fleet.succeed("private", PRIVATE_WORKFLOW)?;
    let log = job.text("log");
    assert!(log.contains("hello from the workspace") && log.contains("served"), "{log}");
    assert!(
        !NAMES
            .iter()
            .any(|name| log.lines().any(|line| line.ends_with(name) && !line.contains("Runner name"))),
        "{log}"
    );
    let engines = guest.ok(
        "systemctl list-units --plain --no-legend --state=active 'homelab-runner-engine@*.service' | wc -l",
    )?;
    assert_eq!(engines, "1", "only the engine that was used runs");
    fleet.configure("")?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    assert_eq!(guest.ok("getent passwd | grep -c ^homelab-runner- || true")?, "0");
    Ok(())
}

fn uninstall(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Docker)?;
    guest.write("/etc/systemd/system/homelab-runner@9.service", "[Service]\nExecStart=/bin/true\n")?;
    let gone = fleet.runnerctl("uninstall-units")?;
    assert_eq!(gone.code, 0, "{gone}");
    assert_eq!(guest.ok("docker ps -aq | wc -l")?, "0");
    let left = guest.ok("cd /etc && find systemd/system containers/systemd -name '*homelab-runner*'")?;
    assert_eq!(left, "systemd/system/homelab-runner@9.service", "only the file of somebody else");
    assert!(fleet.runnerctl("uninstall-units")?.stdout.contains("nothing to do"));
    guest.ok("test -f /var/lib/homelab-runners/1/identity/.runner")?;
    // The kept identities make the way back short: no token is needed.
    guest.ok("rm /etc/systemd/system/homelab-runner@9.service && rm /etc/homelab-runners/.env && touch /etc/homelab-runners/.env && chmod 600 /etc/homelab-runners/.env")?;
    let back = guest.run_within("runnerctl install-units 2>&1", START_LIMIT)?;
    assert_eq!(back.code, 0, "{back}");
    fleet.wait_online(&NAMES)?;
    guest.wait_until(
        "healthy",
        Duration::from_secs(60),
        "docker inspect -f '{{.State.Health.Status}}' homelab-runner-1 | grep -x healthy",
    )?;
    Ok(())
}
