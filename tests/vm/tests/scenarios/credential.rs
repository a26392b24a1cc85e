//! A fleet whose host has a credential of its own, a personal access token: it registers, drains and registers again by itself.

use homelab_runners_vm::{Guest, poll};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{CREDENTIAL, Fleet, NAMES, START_LIMIT, Way};

/// The fleet of plain Podman services has the credential.
const WAY: Way = Way::PodmanService;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_runner_that_github_removed_registers_again_by_itself", registers_again),
    ("a_runner_that_github_removed_while_it_was_stopped_registers_again", removed_while_stopped),
    ("an_outage_of_github_is_waited_out_with_and_without_an_identity", outage),
    ("a_whole_fleet_restarts_under_a_queue_and_no_workflow_job_is_lost", restart_under_twelve),
    ("a_whole_fleet_restarts_under_two_hundred_workflow_jobs_and_none_is_lost", restart_under_two_hundred),
    ("a_drained_runner_stays_out_of_service_until_it_is_undrained", drained),
    ("why_nothing_runs_is_answered_from_both_views", why),
    ("a_credential_encrypted_for_this_host_registers_a_runner_again", encrypted),
];

/// No token of the `.env` is alive: an hour has passed.
fn registers_again(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    guest.simulator().post("/clock/advance", &serde_json::json!({ "seconds": 3700 }))?;
    let before = fleet.property(1, "InvocationID")?;
    guest.simulator().delete("/runners/homelab-runner-1")?;
    fleet.wait_started_again(1, &before)?;
    Ok(())
}

/// The first that it hears of it is at its next start; that one fails, and the one after it registers.
fn removed_while_stopped(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    guest.ok_within("systemctl stop homelab-runner@2.service", START_LIMIT)?;
    guest.simulator().delete("/runners/homelab-runner-2")?;
    let up = fleet.runnerctl("up 2")?;
    fleet.wait_online(&NAMES)?;
    // systemd's start job fails with the start that finds the registration gone; the one that systemd tries by itself is good.
    assert!(up.code == 0 || up.stdout.contains("registration"), "{up}");
    Ok(())
}

/// Runner 3 has its identity, runner 4 needs a new registration, and GitHub answers neither: both start when it is back, by themselves.
fn outage(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    guest.ok_within("systemctl stop homelab-runner@3.service homelab-runner@4.service", START_LIMIT)?;
    guest.simulator().delete("/runners/homelab-runner-4")?;
    guest.ok("rm -rf /var/lib/homelab-runners/4/identity && systemctl stop github-simulator.service")?;
    guest.ok("systemctl start --no-block homelab-runner@3.service homelab-runner@4.service")?;
    let told = guest.wait_until(
        "status says why runner 4 does not start",
        START_LIMIT,
        "runnerctl status 2>&1 | grep 'cannot connect to'",
    );
    let (third, fourth) = (fleet.property(3, "ActiveState")?, fleet.property(4, "ActiveState")?);
    guest.ok("systemctl start github-simulator.service")?;
    guest.wait_until("the simulator listens", START_LIMIT, "ss -Hltn | grep -q ':8081 '")?;
    told?;
    assert!(third != "failed" && fourth != "failed", "they give up: {third}, {fourth}");
    fleet.wait_online(&NAMES)?;
    let status = fleet.runnerctl("status")?;
    assert_eq!(status.code, 0, "{status}");
    Ok(())
}

fn restart_under_twelve(guest: &Guest) -> Outcome {
    restart_under_load(guest, 12, "sleep 2")
}

fn restart_under_two_hundred(guest: &Guest) -> Outcome {
    restart_under_load(guest, 200, "sleep 0.5")
}

/// Every workflow job leaves its number once; the restart waits for each runner and takes it out of GitHub's hands first.
fn restart_under_load(guest: &Guest, workflow_jobs: u16, work: &str) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    let script = |number| format!("echo {number} >> /reports/ran; {work}");
    let ids = (1..=workflow_jobs)
        .map(|number| fleet.queue(&format!("queued-{number}"), &script(number)))
        .collect::<Result<Vec<_>, _>>()?;
    // In the middle.
    fleet.wait_for(*ids.get(ids.len() / 8).ok_or("no workflow job")?, "completed")?;
    let invocations: Vec<String> =
        (1..=4).map(|number| fleet.property(number, "InvocationID")).collect::<Result<_, _>>()?;
    let restart = fleet.runnerctl("restart")?;
    assert_eq!(restart.code, 0, "{restart}");
    for id in ids {
        let job = fleet.wait_for(id, "completed")?;
        assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
    }
    let ran =
        guest.ok("sort -n /var/lib/homelab-runners/reports/ran; rm /var/lib/homelab-runners/reports/ran")?;
    let expected: Vec<String> = (1..=workflow_jobs).map(|number| number.to_string()).collect();
    assert_eq!(ran.lines().collect::<Vec<_>>(), expected);
    for (number, before) in (1..=4).zip(invocations) {
        assert_ne!(fleet.property(number, "InvocationID")?, before, "runner {number} was not restarted");
    }
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn drained(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    let job = fleet.queue("busy", "until [ -e /reports/drained ]; do sleep 0.2; done")?;
    let name = fleet.wait_for(job, "in_progress")?.text("runner_name").to_owned();
    let number: u16 = name.rsplit('-').next().unwrap_or_default().parse()?;
    let early = fleet.runnerctl(&format!("drain {number} --timeout 1s"))?;
    assert_eq!(early.code, 1, "{early}");
    assert!(early.stdout.contains("still runs a workflow job"), "{early}");
    guest.ok("touch /var/lib/homelab-runners/reports/drained")?;
    let drain = fleet.runnerctl(&format!("drain {number}"))?;
    guest.ok("rm /var/lib/homelab-runners/reports/drained")?;
    assert_eq!(drain.code, 0, "{drain}");
    assert_eq!(fleet.wait_for(job, "completed")?.text("conclusion"), "success");
    assert_eq!(guest.simulator().names()?.len(), 3, "GitHub gives it no workflow job any more");
    // As at the next boot: everything that the target wants is started.
    guest.ok("systemctl restart homelab-runners.target; systemctl start homelab-runner@*.service")?;
    assert_eq!(fleet.property(number, "ActiveState")?, "inactive");
    let status = fleet.runnerctl("status")?;
    assert!(status.stdout.contains(" drained "), "{status}");
    let up = fleet.runnerctl(&format!("up {number}"))?;
    assert!(up.code == 1 && up.stdout.contains(&format!("runnerctl undrain {number}")), "{up}");
    let undrain = fleet.runnerctl(&format!("undrain {number}"))?;
    assert_eq!(undrain.code, 0, "{undrain}");
    poll("all four are back", START_LIMIT, || {
        let known = guest.simulator().names()?;
        Ok(if known == NAMES { Ok(()) } else { Err(known.join(" ")) })
    })?;
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn why(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    let job = fleet.queue_for("gpu", &["self-hosted", "gpu"], "true")?;
    let all = fleet.runnerctl("why")?;
    let one = fleet.runnerctl(&format!("why --workflow-job {job} --json"))?;
    guest.simulator().post(&format!("/workflow-jobs/{job}/cancel"), &serde_json::json!({}))?;
    assert_eq!(all.code, 0, "{all}");
    for said in [
        format!("workflow job {job} ("),
        "no runner of this fleet has the label gpu".to_owned(),
        "homelab-runner-4: idle: it has not the labels of any workflow job that is queued".to_owned(),
    ] {
        assert!(all.stdout.contains(&said), "{said}: {all}");
    }
    assert!(one.code == 0 && one.stdout.contains("\"waits_for\": \"labels\""), "{one}");
    Ok(())
}

/// The plain file is replaced by what systemd-creds makes of it; one runner takes the new unit and is removed at GitHub.
fn encrypted(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    let hidden = format!("{CREDENTIAL}.encrypted");
    let more = format!("\n\nencrypted = true\ncredential_file = \"{hidden}\"");
    fleet.configure(&more)?;
    let missing = fleet.runnerctl("check")?;
    let hint = format!("systemd-creds encrypt --name=github PLAINTEXT_FILE {hidden}");
    assert!(missing.code == 1 && missing.stdout.contains(&hint), "{missing}");
    guest.ok(&format!(
        "systemd-creds encrypt --name=github {CREDENTIAL} {hidden} && mv {CREDENTIAL} {CREDENTIAL}.away"
    ))?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 0, "{install}");
    fleet.wait_online(&NAMES)?;
    let before = fleet.property(2, "InvocationID")?;
    guest.simulator().delete("/runners/homelab-runner-2")?;
    fleet.wait_started_again(2, &before)?;
    // As a person: it asks GitHub.
    let gc = fleet.runnerctl("gc --dry-run")?;
    assert_eq!(gc.code, 0, "{gc}");
    guest.ok(&format!("mv {CREDENTIAL}.away {CREDENTIAL} && rm {hidden}"))?;
    fleet.configure("")?;
    let back = fleet.runnerctl("install-units")?;
    assert_eq!(back.code, 0, "{back}");
    fleet.wait_online(&NAMES)?;
    Ok(())
}
