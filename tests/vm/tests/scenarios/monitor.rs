//! The monitor as a unit: what it runs as, whom it gets restarted, and that it comes back itself.

use std::time::{Duration, Instant};

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, START_LIMIT, Way};
use crate::health::hang_listener;
use crate::watched::{CURL, SERVICE, restarts_nobody_for, wait_answers, wait_up_for_a_minute};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("the_monitor_runs_as_nobody_in_particular_and_says_that_the_fleet_is_well", runs),
    ("the_monitor_cannot_restart_and_its_helper_is_out_of_reach_for_others", separated),
    ("a_listener_that_hangs_is_restarted_within_three_quarters_of_a_minute", hung_listener),
    ("a_listener_that_hangs_while_a_workflow_job_runs_is_left_alone", hung_and_busy),
    ("a_monitor_that_is_killed_or_stopped_in_its_tracks_comes_back", comes_back),
    ("the_monitor_moves_goes_and_comes_with_the_config", config),
];

fn runs(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    assert_eq!(
        guest.ok(&format!("systemctl is-active {SERVICE} homelab-runners-heal.socket"))?,
        "active\nactive"
    );
    wait_answers(guest, 200)?;
    guest.wait_until(
        "the monitor knows the age of an image",
        START_LIMIT,
        &format!("{CURL} http://127.0.0.1:8090/healthz/1 | grep -q '\"deadline\":\"20'"),
    )?;
    let status = fleet.runnerctl("status --json")?;
    assert_eq!(status.stdout.matches("\"deadline\": \"20").count(), 4, "{status}");
    let user = guest.ok(&format!("ps -o user= -p $(systemctl show -P MainPID {SERVICE})"))?;
    assert_ne!(user, "root");
    let events = fleet.runnerctl("events")?;
    assert!(events.code == 0 && events.stdout.contains("watching: the monitor began"), "{events}");
    let own = guest.ok(&format!(
        "cat /proc/$(systemctl show -P MainPID {SERVICE})/status | grep -E '^Cap(Prm|Eff|Bnd):|^NoNewPrivs:'; \
         systemctl show -P MemoryPeak {SERVICE}"
    ))?;
    assert_eq!(own.matches("0000000000000000").count(), 3, "{own}");
    let memory: u64 = own.lines().last().unwrap_or_default().parse()?;
    eprint!("({} KiB at most) ", memory / 1024);
    assert!(memory < 100 << 20, "{memory}");
    // A second one would restart what this one restarts.
    let second = fleet.runnerctl("monitor --listen 127.0.0.1:0")?;
    assert!(second.code == 2 && second.stdout.contains("another monitor watches this fleet"), "{second}");
    Ok(())
}

/// With the rights of the monitor: systemd refuses a restart, and the socket is seen through the monitor's view alone.
fn separated(guest: &Guest) -> Outcome {
    let _fleet = Fleet::running(guest, Way::Quadlet)?;
    wait_answers(guest, 200)?;
    let pid = format!("$(systemctl show -P MainPID {SERVICE})");
    let uid = format!("$(stat -c %u /proc/{pid})");
    let as_monitor = |command: &str| {
        format!("uid={uid}; setpriv --reuid=$uid --regid=$uid --clear-groups --no-new-privs {command} 2>&1")
    };
    let restart = guest.run(&as_monitor("systemctl --no-ask-password restart homelab-runner@1.service"))?;
    assert_ne!(restart.code, 0, "{restart}");
    let outside = guest.run(&as_monitor("ls /run/homelab-runners-heal/socket"))?;
    assert!(outside.code != 0 && outside.stdout.contains("ermission denied"), "{outside}");
    let inside = guest.ok(&format!("nsenter -t {pid} -m ls -l /run/homelab-runners-heal/socket"))?;
    assert!(inside.starts_with("srw-rw-rw-"), "{inside}");
    for place in ["/etc/homelab-runners/.env", "/var/lib/homelab-runners/1/identity/.credentials"] {
        let read = guest.run(&as_monitor(&format!("cat {place}")))?;
        assert_ne!(read.code, 0, "{place}: {read}");
    }
    Ok(())
}

fn hung_listener(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    wait_answers(guest, 200)?;
    wait_up_for_a_minute(guest)?;
    let before = fleet.property(1, "InvocationID")?;
    let begin = Instant::now();
    hang_listener(guest, "homelab-runner-1", "podman")?;
    let asked = guest.wait_until(
        "the monitor has runner 1 restarted",
        Duration::from_secs(120),
        "runnerctl events 1 --since 3m | grep 'restart: '; journalctl -q --since -3min -o cat -t systemd | grep 'Stopping homelab-runner@1.service'",
    )?;
    let measured = begin.elapsed();
    eprint!("({measured:.0?} until the restart) ");
    assert!(measured < Duration::from_secs(45), "{measured:?}: {asked}");
    fleet.wait_started_again(1, &before)?;
    wait_answers(guest, 200)?;
    guest.wait_until(
        "it is told",
        Duration::from_secs(60),
        "runnerctl events 1 --since 10m | grep 'it is online again'",
    )?;
    Ok(())
}

fn hung_and_busy(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    wait_answers(guest, 200)?;
    let job = fleet.queue("busy", "until [ -e /reports/seen ]; do sleep 0.2; done")?;
    let name = fleet.wait_for(job, "in_progress")?.text("runner_name").to_owned();
    let number: u16 = name.rsplit('-').next().unwrap_or_default().parse()?;
    let before = fleet.property(number, "InvocationID")?;
    hang_listener(guest, &name, "podman")?;
    guest.wait_until(
        "the monitor sees a worker alone",
        Duration::from_secs(120),
        &format!("{CURL} http://127.0.0.1:8090/healthz/{number} | grep worker_alone"),
    )?;
    // Longer than an idle one would be left.
    restarts_nobody_for(guest, Duration::from_secs(40))?;
    let kept = fleet.property(number, "InvocationID")?;
    let wake = format!(
        "podman exec {name} bash -c 'for p in /proc/[0-9]*; do [ \"$(cat $p/comm 2>/dev/null)\" = Runner.Listener ] && kill -CONT ${{p#/proc/}}; done; true'"
    );
    guest.ok(&wake)?;
    guest.ok("touch /var/lib/homelab-runners/reports/seen")?;
    let job = fleet.wait_for(job, "completed")?;
    guest.ok("rm /var/lib/homelab-runners/reports/seen")?;
    assert_eq!(kept, before);
    assert_eq!(job.text("conclusion"), "success");
    Ok(())
}

fn comes_back(guest: &Guest) -> Outcome {
    let _fleet = Fleet::running(guest, Way::Quadlet)?;
    for signal in ["KILL", "STOP"] {
        wait_answers(guest, 200)?;
        let before = guest.ok(&format!("systemctl show -P MainPID {SERVICE}"))?;
        let begin = Instant::now();
        guest.ok(&format!("kill -{signal} {before}"))?;
        guest.wait_until(
            "another one is ready",
            Duration::from_secs(120),
            &format!(
                "systemctl is-active -q {SERVICE} && [ $(systemctl show -P MainPID {SERVICE}) != {before} ]"
            ),
        )?;
        eprint!("(SIG{signal}: {:.0?}) ", begin.elapsed());
    }
    wait_answers(guest, 200)?;
    Ok(())
}

fn config(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let runner = fleet.property(1, "InvocationID")?;
    for (table, is_there) in [
        (
            "\n\n[monitor]\nlisten = \"127.0.0.1:8091\"",
            "curl -s --max-time 60 http://127.0.0.1:8091/healthz | grep -q verdict",
        ),
        ("\n\n[monitor]\nheal = false", "! systemctl is-active -q homelab-runners-heal.socket"),
        (
            "\n\n[monitor]\nenabled = false",
            "[ -z \"$(ls /etc/systemd/system | grep -E 'homelab-runners-(monitor|heal)')\" ]",
        ),
        ("", "systemctl is-active -q homelab-runners-monitor.service"),
    ] {
        fleet.configure(table)?;
        let install = fleet.runnerctl("install-units")?;
        assert_eq!(install.code, 0, "{install}");
        guest.wait_until(table, Duration::from_secs(60), is_there)?;
    }
    wait_answers(guest, 200)?;
    assert_eq!(fleet.property(1, "InvocationID")?, runner, "a runner was restarted for the monitor's sake");
    Ok(())
}
