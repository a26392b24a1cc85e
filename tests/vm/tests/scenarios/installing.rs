//! `install-units` on a live host: again, after an edit, interrupted, and undone.

use std::time::Duration;

use homelab_runners_vm::{Guest, poll};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_second_install_changes_nothing", second_install),
    ("an_edit_restarts_only_the_runner_it_touches_and_no_busy_one", edit),
    ("install_units_waits_for_a_busy_runner_and_can_be_interrupted", busy_is_waited_for),
    ("a_power_cut_in_the_middle_of_install_units_is_repaired", power_cut),
    ("fewer_runners_and_more_again", fewer_and_more),
    ("a_foreign_file_stops_the_install_before_it_begins", foreign_file),
    ("a_reboot_brings_all_four_back", reboot),
    ("down_and_up_of_the_whole_fleet", down_and_up),
];

fn invocations(fleet: &Fleet<'_>) -> Result<Vec<String>, homelab_runners_vm::Error> {
    (1..=4).map(|number| fleet.property(number, "InvocationID")).collect()
}

fn second_install(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let before = invocations(&fleet)?;
    let again = fleet.runnerctl("install-units")?;
    assert_eq!(again.code, 0, "{again}");
    assert!(again.stdout.contains("nothing to do"), "{again}");
    assert_eq!(fleet.runnerctl("diff")?.code, 0);
    assert_eq!(invocations(&fleet)?, before);
    Ok(())
}

fn edit(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let before = invocations(&fleet)?;
    let job = fleet.queue("busy", "until [ -e /reports/edited ]; do sleep 0.2; done")?;
    let name = fleet.wait_for(job, "in_progress")?.text("runner_name").to_owned();
    let busy: u16 = name.rsplit('-').next().unwrap_or_default().parse()?;
    let idle = if busy == 2 { 3 } else { 2 };
    fleet.configure(&format!(
        "\n\n[runners.{idle}.environment]\nEDITED = \"idle\"\n[runners.{busy}.environment]\nEDITED = \"busy\""
    ))?;
    let install = fleet.runnerctl("install-units --no-wait")?;
    assert_eq!(install.code, 1, "{install}");
    assert!(install.stdout.contains(&format!("runner {busy} runs a workflow job")), "{install}");
    let after = invocations(&fleet)?;
    for number in 1..=4u16 {
        let same = before.get(usize::from(number) - 1) == after.get(usize::from(number) - 1);
        assert_eq!(same, number != idle, "runner {number}");
    }
    assert!(guest.ok(&format!("podman inspect homelab-runner-{idle}"))?.contains("EDITED=idle"));
    guest.ok("touch /var/lib/homelab-runners/reports/edited")?;
    assert_eq!(
        fleet.wait_for(job, "completed")?.text("conclusion"),
        "success",
        "the workflow job was not ended"
    );
    guest.ok("rm /var/lib/homelab-runners/reports/edited")?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 0, "{install}");
    assert!(guest.ok(&format!("podman inspect {name}"))?.contains("EDITED=busy"));
    fleet.configure("")?;
    assert_eq!(fleet.runnerctl("install-units")?.code, 0);
    fleet.wait_online(&NAMES)?;
    Ok(())
}

/// An interruption leaves it with its old unit and at work, `--timeout` leaves it alone, and a run that is let to wait changes it when its workflow job has ended.
fn busy_is_waited_for(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.queue("waited-for", "until [ -e /reports/waited ]; do sleep 0.2; done")?;
    let name = fleet.wait_for(job, "in_progress")?.text("runner_name").to_owned();
    let busy: u16 = name.rsplit('-').next().unwrap_or_default().parse()?;
    let unit = format!("/etc/containers/systemd/homelab-runner@{busy}.container");
    let before = (fleet.property(busy, "InvocationID")?, guest.ok(&format!("cat {unit}"))?);
    fleet.configure(&format!("\n\n[runners.{busy}.environment]\nWAITED = \"yes\""))?;
    let interrupted = guest.run_within(
        "coproc runnerctl install-units 2>&1; pid=$COPROC_PID
        while read -r line; do echo \"$line\"; case $line in *'waiting for its end') kill -INT $pid ;; esac; done <&\"${COPROC[0]}\"
        wait $pid; echo ended=$?",
        START_LIMIT,
    )?;
    assert!(interrupted.stdout.contains("ended=2"), "{interrupted}");
    let late = fleet.runnerctl("install-units --timeout 1s")?;
    assert!(late.code == 1 && late.stdout.contains("still runs a workflow job"), "{late}");
    assert_eq!((fleet.property(busy, "InvocationID")?, guest.ok(&format!("cat {unit}"))?), before);
    assert_eq!(fleet.workflow_job(job)?.text("status"), "in_progress");
    let install = guest.run_within(
        "coproc runnerctl install-units 2>&1; pid=$COPROC_PID
        while read -r line; do echo \"$line\"; case $line in *'waiting for its end') touch /var/lib/homelab-runners/reports/waited ;; esac; done <&\"${COPROC[0]}\"
        wait $pid; echo ended=$?",
        START_LIMIT,
    )?;
    assert!(
        install.stdout.contains("ended=0") && install.stdout.contains("waiting for its end"),
        "{install}"
    );
    assert_eq!(fleet.wait_for(job, "completed")?.text("conclusion"), "success");
    assert!(guest.ok(&format!("podman inspect {name}"))?.contains("WAITED=yes"));
    guest.ok("rm /var/lib/homelab-runners/reports/waited")?;
    fleet.configure("")?;
    assert_eq!(fleet.runnerctl("install-units")?.code, 0);
    fleet.wait_online(&NAMES)?;
    Ok(())
}

/// Kills runnerctl as soon as it has announced its k-th step, for every k: what an edit of one runner does.
fn power_cut(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let steps = ["stop ", "write ", "reload ", "start "];
    for (round, step) in steps.iter().enumerate() {
        let before = invocations(&fleet)?;
        fleet.configure(&format!("\n\n[runners.1.environment]\nROUND = \"{round}\""))?;
        // The pipe's reader kills the writer at the announcement of the step, by its id.
        let cut = guest.run_within(
            &format!(
                "coproc runnerctl install-units 2>&1; pid=$COPROC_PID
                while read -r line; do case $line in '{step}'*) kill -KILL $pid; break ;; esac; done <&\"${{COPROC[0]}}\"
                wait $pid; echo ended=$?"
            ),
            START_LIMIT,
        )?;
        assert!(cut.stdout.contains("ended=137"), "{step}: {cut}");
        let after = invocations(&fleet)?;
        assert_eq!(before.get(1..), after.get(1..), "{step}: the other runners went on");
        assert_eq!(
            guest.ok("grep -L 'Generated by runnerctl' /etc/containers/systemd/*.container | wc -l")?,
            "0"
        );
        let again = fleet.runnerctl("install-units")?;
        assert_eq!(again.code, 0, "{step}: {again}");
        assert!(guest.ok("podman inspect homelab-runner-1")?.contains(&format!("ROUND={round}")), "{step}");
        let third = fleet.runnerctl("install-units")?;
        assert!(third.stdout.contains("nothing to do"), "{step}: {third}");
    }
    fleet.configure("")?;
    assert_eq!(fleet.runnerctl("install-units")?.code, 0);
    assert_eq!(
        guest
            .ok("find /etc/containers /etc/systemd /var/lib/homelab-runners -name '.runnerctl-*' | wc -l")?,
        "0"
    );
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn fewer_and_more(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let before = invocations(&fleet)?;
    fleet.configure("count = 3")?;
    let fewer = fleet.runnerctl("install-units")?;
    assert_eq!(fewer.code, 0, "{fewer}");
    fleet.wait_online(&["homelab-runner-1", "homelab-runner-2", "homelab-runner-3"])?;
    assert_eq!(
        guest
            .ok("systemctl list-units --all --no-legend 'homelab-runner@4*' 'homelab-runners-4*' | wc -l")?,
        "0"
    );
    assert_eq!(guest.run("ls /etc/containers/systemd/homelab-runner@4.container")?.code, 2);
    assert_eq!(invocations(&fleet)?.get(..3), before.get(..3), "the others went on");
    fleet.configure("")?;
    let more = fleet.runnerctl("install-units")?;
    assert_eq!(more.code, 0, "{more}");
    // Its identity was kept, so that it needs no token to come back.
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn foreign_file(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    fleet.configure("count = 5\nshared_token = true")?;
    guest.write("/etc/systemd/system/homelab-runners-5.slice", "[Slice]\n")?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 2, "{install}");
    assert!(
        install
            .stdout
            .contains("/etc/systemd/system/homelab-runners-5.slice exists and was not written by runnerctl"),
        "{install}"
    );
    assert_eq!(guest.run("ls /etc/containers/systemd/homelab-runner@5.container")?.code, 2);
    assert_eq!(guest.ok("cat /etc/systemd/system/homelab-runners-5.slice")?, "[Slice]");
    guest.ok("rm /etc/systemd/system/homelab-runners-5.slice")?;
    fleet.configure("")?;
    Ok(())
}

fn reboot(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.reboot()?;
    poll("the simulator answers", Duration::from_secs(60), || {
        Ok(guest.simulator().get("/clock").map(drop).map_err(|error| error.to_string()))
    })?;
    fleet.wait_online(&NAMES)?;
    // systemd hears of it a moment after GitHub.
    guest.wait_until(
        "the target is reached",
        START_LIMIT,
        "systemctl is-active -q homelab-runners.target",
    )?;
    let status = fleet.runnerctl("status")?;
    assert_eq!(status.code, 0, "{status}");
    Ok(())
}

fn down_and_up(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let down = fleet.runnerctl("down")?;
    assert_eq!(down.code, 0, "{down}");
    fleet.wait_online(&[])?;
    assert_eq!(guest.ok("podman ps -q | wc -l")?, "0");
    assert_eq!(guest.run("systemctl is-active homelab-runners.target")?.stdout.trim(), "inactive");
    let up = fleet.runnerctl("up")?;
    assert_eq!(up.code, 0, "{up}");
    fleet.wait_online(&NAMES)?;
    Ok(())
}
