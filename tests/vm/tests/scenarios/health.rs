//! Requirement "Health Monitoring".

use std::time::Duration;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("health_checks", health_checks),
    ("an_unhealthy_runner_is_restarted", unhealthy_is_restarted),
    ("a_busy_runner_is_never_unhealthy", busy_is_never_unhealthy),
    ("runner_restart_on_failure", runner_restart_on_failure),
    ("an_active_unit_is_online_at_github", active_means_online),
    ("a_registration_removed_at_github_is_made_anew", removed_registration),
];

const HEALTH: &str = "/bin/bash /run/homelab-runner/scripts/health.sh";

fn health_checks(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    for name in NAMES {
        guest.wait_until(
            "healthy",
            Duration::from_secs(60),
            &format!("podman inspect -f '{{{{.State.Health.Status}}}}' {name} | grep -x healthy"),
        )?;
    }
    let status = fleet.runnerctl("status --json")?;
    assert_eq!(status.stdout.matches("\"health\": \"healthy\"").count(), 4, "{status}");
    // It verifies that the runner is registered: without the registration it says no.
    let check = format!("podman exec homelab-runner-1 {HEALTH}");
    let good = guest.run(&check)?;
    assert_eq!(good.code, 0, "{good}");
    guest.ok("podman exec homelab-runner-1 mv /home/runner/.runner /home/runner/.away")?;
    let bad = guest.run(&check)?;
    guest.ok("podman exec homelab-runner-1 mv /home/runner/.away /home/runner/.runner")?;
    assert_eq!(bad.code, 1, "{bad}");
    assert!(bad.stdout.contains("has no identity"), "{bad}");
    Ok(())
}

/// Stops the listener in its tracks: the container is up, the process is there, and nothing listens.
pub(crate) fn hang_listener(guest: &Guest, name: &str, engine: &str) -> Outcome {
    let find = format!(
        "{engine} exec {name} bash -c 'for p in /proc/[0-9]*; do [ \"$(cat $p/comm 2>/dev/null)\" = Runner.Listener ] && kill -STOP ${{p#/proc/}}; done; true'"
    );
    guest.ok(&find)?;
    Ok(())
}

fn unhealthy_is_restarted(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let before = fleet.property(1, "InvocationID")?;
    hang_listener(guest, "homelab-runner-1", "podman")?;
    fleet.wait_started_again(1, &before)?;
    Ok(())
}

fn busy_is_never_unhealthy(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.queue(
        "busy",
        "for _ in $(seq 300); do [ -e /reports/checked ] && exit 0; sleep 0.2; done; exit 1",
    )?;
    let running = fleet.wait_for(job, "in_progress")?;
    let name = running.text("runner_name").to_owned();
    guest.ok(&format!("podman exec {name} mv /home/runner/.runner /home/runner/.away"))?;
    let check = guest.run(&format!("podman exec {name} {HEALTH}"))?;
    guest.ok(&format!("podman exec {name} mv /home/runner/.away /home/runner/.runner"))?;
    guest.ok("touch /var/lib/homelab-runners/reports/checked")?;
    let job = fleet.wait_for(job, "completed")?;
    guest.ok("rm /var/lib/homelab-runners/reports/checked")?;
    assert_eq!(check.code, 0, "{check}");
    assert_eq!(job.text("conclusion"), "success");
    Ok(())
}

/// The container is killed; systemd starts it again, it comes back without a new token, and takes workflow jobs.
fn runner_restart_on_failure(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    fleet.guest.ok("mv /etc/homelab-runners/.env /root/kept.env")?;
    let restarts: u32 = fleet.property(2, "NRestarts")?.parse()?;
    guest.ok("podman kill homelab-runner-2")?;
    guest.wait_until(
        "systemd restarted runner 2",
        START_LIMIT,
        &format!("[ $(systemctl show --value -p NRestarts homelab-runner@2.service) -gt {restarts} ] && systemctl is-active -q homelab-runner@2.service"),
    )?;
    guest.ok("mv /root/kept.env /etc/homelab-runners/.env")?;
    fleet.wait_online(&NAMES)?;
    let ids = (0..4)
        .map(|n| fleet.queue(&format!("after-{n}"), "sleep 5; echo $RUNNER_NAME"))
        .collect::<Result<Vec<_>, _>>()?;
    let mut names = Vec::new();
    for id in ids {
        names.push(fleet.wait_for(id, "completed")?.text("runner_name").to_owned());
    }
    assert!(names.contains(&"homelab-runner-2".to_owned()), "{names:?}");
    Ok(())
}

fn active_means_online(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.ok_within("systemctl stop homelab-runner@1.service", START_LIMIT)?;
    assert!(
        !guest.simulator().online()?.contains(&"homelab-runner-1".to_owned()),
        "a stopped runner is offline at once"
    );
    // `systemctl start` returns when the unit is active; the next look at GitHub finds it online.
    guest.ok_within("systemctl start homelab-runner@1.service", START_LIMIT)?;
    assert!(guest.simulator().online()?.contains(&"homelab-runner-1".to_owned()), "active and not online");
    fleet.wait_online(&NAMES)?;
    Ok(())
}

/// With a live token in the `.env` the runner comes back by itself.
fn removed_registration(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    fleet.write_tokens(&fleet.tokens(4)?)?;
    let before = fleet.property(1, "InvocationID")?;
    guest.simulator().delete("/runners/homelab-runner-1")?;
    fleet.wait_started_again(1, &before)?;
    Ok(())
}
