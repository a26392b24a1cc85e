//! A reboot of the host waits for the workflow jobs that run, and the fleet comes back.

use std::time::Duration;

use homelab_runners_vm::{Guest, poll};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, Way};

pub(crate) const QUADLET: &[Scenario] =
    &[("a_reboot_waits_for_workflow_jobs_and_lets_no_other_begin", |guest| reboot(guest, Way::Quadlet))];

pub(crate) const DOCKER: &[Scenario] =
    &[("a_reboot_waits_for_workflow_jobs_in_dockers_containers", |guest| reboot(guest, Way::Docker))];

/// GitHub does not go down with the host; its stand-in would.
const OUTLIVES: &str = "/etc/systemd/system/github-simulator.service.d/outlives-runners.conf";

/// In the guest; runners see it as `/reports/going-down`.
const GOING_DOWN: &str = "/var/lib/homelab-runners/reports/going-down";

/// Made by a workflow job that must not begin any more; below the same directory.
const NEXT: &str = "/var/lib/homelab-runners/reports/next";

/// All four runners are busy when the host is told to reboot, and are so for some seconds after that.
fn reboot(guest: &Guest, way: Way) -> Outcome {
    let fleet = Fleet::running(guest, way)?;
    guest.ok(&format!("mkdir -p {}", OUTLIVES.trim_end_matches("/outlives-runners.conf")))?;
    let runners: Vec<String> = (1..=4).map(|number| format!("homelab-runner@{number}.service")).collect();
    guest.write(OUTLIVES, &format!("[Unit]\nBefore={}\n", runners.join(" ")))?;
    guest.ok("systemctl daemon-reload")?;
    // Stopped with everything else that nothing holds up.
    guest.ok(&format!(
        "systemd-run --quiet --unit=witness -p Type=oneshot -p RemainAfterExit=yes -p 'ExecStop=/usr/bin/touch {GOING_DOWN}' true"
    ))?;
    let script = "until [ -e /reports/going-down ]; do sleep 0.2; done; sleep 5";
    let ids = (1..=4).map(|n| fleet.queue(&format!("long-{n}"), script)).collect::<Result<Vec<_>, _>>()?;
    for id in &ids {
        fleet.wait_for(*id, "in_progress")?;
    }
    fleet.queue("next", "touch /reports/next")?;
    guest.reboot()?;
    poll("the simulator answers", Duration::from_secs(60), || {
        Ok(guest.simulator().get("/clock").map(drop).map_err(|error| error.to_string()))
    })?;
    // The simulator keeps no workflow jobs over its own restart: the listeners' words tell how these ended.
    let said = guest.ok("journalctl --no-pager --boot=-1 --unit='homelab-runner@*' --output=cat")?;
    for number in 1..=4 {
        let waited = format!("runner {number}: the host is going down: waiting at most 10m");
        assert!(said.contains(&waited), "{waited}: {said}");
        assert!(said.contains(&format!("runner {number}: the workflow job ended after")), "{said}");
        assert!(said.contains(&format!("Job long-{number} completed with result: Succeeded")), "{said}");
    }
    assert!(
        !said.contains("Running job: next"),
        "a runner that was about to end took a workflow job: {said}"
    );
    guest.ok(&format!("test ! -e {NEXT}"))?;
    fleet.wait_online(&NAMES)?;
    fleet.succeed("after", "echo went on")?;
    guest.ok(&format!("rm {GOING_DOWN} {OUTLIVES}; systemctl daemon-reload"))?;
    Ok(())
}
