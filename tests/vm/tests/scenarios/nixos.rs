//! The units that the NixOS module builds, from the Nix store and byte for byte, on Debian's systemd and Podman.
//!
//! `nix/tests/guest.nix` makes the hosts, `nix/tests/guest-switch.sh` puts one into the place of the other, by the rules of NixOS. It is no NixOS: docs/nixos.md says what that leaves open.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use homelab_runners_vm::{Guest, Output};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};
use crate::isolation::CONTAINER_WORKFLOW;

pub(crate) const SCENARIOS: &[Scenario] =
    &[("the_units_of_the_nixos_module_run_four_runners_and_switch_around_workflow_jobs", nixos)];

/// A switch does not wait for runners. It takes seconds on a quiet host; a runner that is stopped while it is busy takes minutes.
const SWITCH_LIMIT: Duration = Duration::from_secs(120);

fn nixos(guest: &Guest) -> Outcome {
    let fleet = Fleet::none(guest, Way::Quadlet)?;
    copy_hosts(guest)?;
    let tokens = write_secrets(&fleet)?;
    boots(&fleet)?;
    keeps_tokens_out_of_the_store(guest, &tokens)?;
    runs_containers(&fleet)?;
    switches_around_a_workflow_job(&fleet)?;
    takes_no_busy_runner_away(&fleet)?;
    goes(&fleet)
}

fn copy_hosts(guest: &Guest) -> Outcome {
    let directory = tempfile::tempdir()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nix/tests/guest.sh");
    let built = Command::new("bash").arg(script).arg(directory.path()).output()?;
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    guest.copy_in(&directory.path().join("nix"), "/nix")?;
    guest.copy_in(&directory.path().join("hosts"), "/hosts")?;
    // Not a runnerctl of any other kind: what runs comes from the store.
    guest.ok("rm /usr/local/bin/runnerctl")?;
    Ok(())
}

/// As sops-nix and agenix leave them: a link to a file that root alone may read.
fn write_secrets(fleet: &Fleet<'_>) -> Outcome<Vec<String>> {
    let tokens = fleet.tokens(4)?;
    let lines: Vec<String> =
        (1..).zip(&tokens).map(|(number, token)| format!("RUNNER_TOKEN_{number}={token}\n")).collect();
    fleet.guest.write("/run/secrets.d/1/homelab-runners", &lines.concat())?;
    fleet.guest.ok("chmod 0400 /run/secrets.d/1/homelab-runners && ln -sfn /run/secrets.d/1 /run/secrets")?;
    Ok(tokens)
}

fn switch(guest: &Guest, host: &str) -> Outcome<Output> {
    let before = Instant::now();
    let output = guest.run_within(&format!("/hosts/switch {host} 2>&1"), START_LIMIT)?;
    assert!(before.elapsed() < SWITCH_LIMIT, "the switch took {:?}: {output}", before.elapsed());
    Ok(output)
}

fn switched(guest: &Guest, host: &str) -> Outcome<Output> {
    let output = switch(guest, host)?;
    assert_eq!(output.code, 0, "{output}");
    Ok(output)
}

/// Waits until `runnerctl roll` has nothing left to do, and has done it well.
fn rolled(guest: &Guest) -> Outcome {
    guest.wait_until(
        "the fleet is rolled",
        START_LIMIT,
        "systemctl show --value -p SubState homelab-runners-roll.service | grep -x exited",
    )?;
    assert_eq!(guest.ok("systemctl show --value -p Result homelab-runners-roll.service")?, "success");
    Ok(())
}

fn boots(fleet: &Fleet<'_>) -> Outcome {
    let guest = fleet.guest;
    switched(guest, "first")?;
    fleet.wait_online(&NAMES)?;
    rolled(guest)?;
    fleet.share_images()?;
    for number in 1..=4u16 {
        let file = fleet.property(number, "FragmentPath")?;
        let target = guest.ok(&format!("readlink -f {file}"))?;
        assert!(target.starts_with("/nix/store/"), "{file} is {target}");
        let status =
            guest.ok(&format!("podman inspect -f '{{{{.State.Status}}}}' homelab-runner-{number}"))?;
        assert_eq!(status, "running");
    }
    let waits = guest.ok("systemctl list-jobs --no-legend | wc -l")?;
    assert_eq!(waits, "0", "{}", guest.ok("systemctl list-jobs --no-legend")?);
    Ok(())
}

fn keeps_tokens_out_of_the_store(guest: &Guest, tokens: &[String]) -> Outcome {
    for token in tokens {
        assert_eq!(guest.ok(&format!("grep -rlF {token} /nix /etc /hosts || true"))?, "");
    }
    // The credential is root's alone, and the container does not see it.
    let seen = guest.ok("stat -c '%u %A' /run/credentials/homelab-runner@1.service/tokens")?;
    assert!(seen.starts_with("0 -r--------"), "{seen}");
    assert_ne!(guest.run("podman exec homelab-runner-1 ls /run/credentials")?.code, 0);
    Ok(())
}

fn runs_containers(fleet: &Fleet<'_>) -> Outcome {
    let job = fleet.succeed("containers", CONTAINER_WORKFLOW)?;
    assert_eq!(job.text("log").matches("hello from the workspace").count(), 2, "{}", job.text("log"));
    Ok(())
}

fn invocation(fleet: &Fleet<'_>, number: u16) -> Outcome<String> {
    Ok(fleet.property(number, "InvocationID")?)
}

/// A busy runner goes on and is rolled afterwards, an idle one is rolled at once, a stopped one stays stopped.
fn switches_around_a_workflow_job(fleet: &Fleet<'_>) -> Outcome {
    let guest = fleet.guest;
    let job = fleet.queue("busy", "until [ -e /reports/switched ]; do sleep 0.2; done")?;
    let busy = number_of(fleet.wait_for(job, "in_progress")?.text("runner_name"))?;
    let [stopped, idle, _] = others(busy);
    guest.ok_within(&format!("systemctl stop homelab-runner@{stopped}.service"), START_LIMIT)?;
    let (before_busy, before_idle) = (invocation(fleet, busy)?, invocation(fleet, idle)?);

    let output = switched(guest, "edited")?;
    assert!(output.stdout.contains("NOT restarting:"), "{output}");
    assert_eq!(
        guest.ok(&format!("systemctl show --value -p MemoryMax homelab-runners-{busy}.slice"))?,
        "335544320"
    );
    guest.wait_until(
        "the idle runner is rolled",
        START_LIMIT,
        &format!("systemctl is-active -q homelab-runner@{idle}.service && [ $(systemctl show --value -p InvocationID homelab-runner@{idle}.service) != {before_idle} ]"),
    )?;
    assert_eq!(invocation(fleet, busy)?, before_busy, "the busy runner goes on");
    assert_eq!(fleet.workflow_job(job)?.text("status"), "in_progress");

    guest.ok("touch /var/lib/homelab-runners/reports/switched")?;
    assert_eq!(fleet.wait_for(job, "completed")?.text("conclusion"), "success");
    guest.ok("rm /var/lib/homelab-runners/reports/switched")?;
    rolled(guest)?;
    assert_ne!(invocation(fleet, busy)?, before_busy, "then it is rolled");
    assert_eq!(fleet.property(stopped, "ActiveState")?, "inactive", "what was stopped stays stopped");

    // The same host again: nothing has changed, so nothing happens.
    let before = invocation(fleet, busy)?;
    switched(guest, "edited")?;
    rolled(guest)?;
    assert_eq!(invocation(fleet, busy)?, before);
    assert_eq!(fleet.property(stopped, "ActiveState")?, "inactive");
    guest.ok_within(&format!("systemctl start homelab-runner@{stopped}.service"), START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    Ok(())
}

/// A switch that would remove a busy runner is refused before it changes anything; when the runner is idle, the switch stops it and nothing of its engine stays.
fn takes_no_busy_runner_away(fleet: &Fleet<'_>) -> Outcome {
    let guest = fleet.guest;
    // Whoever of the four takes it: the others are stopped until the fourth has.
    guest.ok_within(&systemctl("stop", &[1, 2, 3]), START_LIMIT)?;
    let job = fleet.queue("last", "until [ -e /reports/over ]; do sleep 0.2; done")?;
    assert_eq!(fleet.wait_for(job, "in_progress")?.text("runner_name"), "homelab-runner-4");
    guest.ok_within(&systemctl("start", &[1, 2, 3]), START_LIMIT)?;

    let refused = switch(guest, "fewer")?;
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stdout.contains("runner 4 is to be removed and runs a workflow job"), "{refused}");
    assert_eq!(fleet.workflow_job(job)?.text("status"), "in_progress");
    guest.ok("touch /var/lib/homelab-runners/reports/over")?;
    assert_eq!(fleet.wait_for(job, "completed")?.text("conclusion"), "success");
    guest.ok("rm /var/lib/homelab-runners/reports/over")?;

    guest.ok("test -d /var/lib/homelab-runners/4/engine && podman network exists homelab-runner-4")?;
    let output = switched(guest, "fewer")?;
    assert!(
        output.stdout.contains("stopping:") && output.stdout.contains("homelab-runner@4.service"),
        "{output}"
    );
    rolled(guest)?;
    fleet.wait_online(&NAMES[..3])?;
    assert_eq!(guest.run("podman network exists homelab-runner-4")?.code, 1);
    guest.ok(
        "test ! -e /var/lib/homelab-runners/4/engine && test -e /var/lib/homelab-runners/4/identity/.runner",
    )?;
    Ok(())
}

/// `enable = false`: everything is stopped, and nothing is left in the guest.
fn goes(fleet: &Fleet<'_>) -> Outcome {
    let guest = fleet.guest;
    switched(guest, "off")?;
    fleet.wait_online(&[])?;
    assert_eq!(guest.ok("podman ps -q | wc -l")?, "0");
    assert_eq!(guest.ok("systemctl list-units --no-legend 'homelab-run*' | grep -v slice | wc -l")?, "0");
    for name in NAMES {
        fleet.guest.simulator().delete(&format!("/runners/{name}"))?;
    }
    guest.ok("rm -rf /nix /hosts /run/secrets /run/secrets.d /run/current-host /var/lib/homelab-runners /run/homelab-runners")?;
    Ok(())
}

fn systemctl(verb: &str, numbers: &[u16]) -> String {
    numbers.iter().fold(format!("systemctl {verb}"), |command, number| {
        format!("{command} homelab-runner@{number}.service")
    })
}

fn number_of(name: &str) -> Outcome<u16> {
    Ok(name.rsplit('-').next().unwrap_or_default().parse()?)
}

/// The three other runners.
fn others(number: u16) -> [u16; 3] {
    match number {
        1 => [2, 3, 4],
        2 => [3, 4, 1],
        3 => [4, 1, 2],
        _ => [1, 2, 3],
    }
}
