//! What goes wrong around the monitor on the host itself: the engine hangs, the bus restarts, everybody is sick at once.

use std::time::{Duration, Instant};

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};
use crate::watched::{
    CURL, Undo, begin_anew, invocations, restarted, restarts_nobody_for, status_of, wait_answers,
    wait_up_for_a_minute,
};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("an_engine_that_hangs_gets_nobody_restarted", hung_engine),
    ("a_bus_that_is_restarted_is_found_again_and_no_runner_with_it", bus),
    ("four_listeners_that_hang_at_once_are_restarted_one_after_another", four_at_once),
];

const ENGINE_2: &str = "homelab-runner-engine@2.service";

/// Both that runner 2 has: the private one, and of Podman what watches its container. For longer than a dead listener would be left.
fn hung_engine(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    wait_answers(guest, 200)?;
    let before = invocations(&fleet)?;
    guest.ok_within(&format!("systemctl start {ENGINE_2}"), START_LIMIT)?;
    let conmon = guest.ok("podman inspect -f '{{.State.ConmonPid}}' homelab-runner-2")?;
    let conmon: u32 = conmon.parse()?;
    assert_eq!(guest.ok(&format!("cat /proc/{conmon}/comm"))?, "conmon");
    let signal = move |name| {
        guest.ok(&format!(
            "kill -{name} {conmon} && systemctl kill --signal={name} --kill-whom=all {ENGINE_2}"
        ))
    };
    let undo = Undo::new(move || {
        signal("CONT")?;
        guest.ok(&format!("systemctl stop {ENGINE_2}")).map(drop)
    });
    signal("STOP")?;
    restarts_nobody_for(guest, Duration::from_secs(35))?;
    assert_eq!(status_of(guest, "/healthz")?, "200");
    assert_eq!(status_of(guest, "/healthz/2")?, "200");
    drop(undo);
    fleet.wait_online(&NAMES)?;
    assert_eq!(invocations(&fleet)?, before);
    wait_answers(guest, 200)?;
    Ok(())
}

/// As after an update of dbus that is not to wait for a reboot. logind and polkit are known to lose the bus, so whoever does that restarts them too.
fn bus(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    wait_answers(guest, 200)?;
    let before = invocations(&fleet)?;
    let since = guest.ok("date -u +%FT%TZ")?;
    let begin = Instant::now();
    let restart = guest.run("systemctl restart dbus.service")?;
    guest
        .ok("systemctl start dbus.service && systemctl try-restart systemd-logind.service polkit.service")?;
    assert_eq!(restart.code, 0, "{restart}");
    let told = guest.wait_until(
        "the monitor finds systemd again",
        Duration::from_secs(120),
        &format!("events=$(runnerctl events --since {since}); echo \"$events\"; grep -q 'systemd back: ' <<<\"$events\""),
    )?;
    eprint!("({:.0?} until systemd is found again) ", begin.elapsed());
    assert!(told.contains("systemd lost: "), "{told}");
    wait_answers(guest, 200)?;
    assert_eq!(invocations(&fleet)?, before);
    // It hears of changes as before: nothing else tells it of this one.
    let undo = Undo::new(|| fleet.runnerctl("up 4").map(drop));
    let down = fleet.runnerctl("down 4")?;
    assert_eq!(down.code, 0, "{down}");
    guest.wait_until(
        "the monitor has heard that runner 4 was stopped",
        Duration::from_secs(60),
        &format!("{CURL} http://127.0.0.1:8090/healthz/4 | grep -F '\"verdict\":\"stopped\"'"),
    )?;
    drop(undo);
    fleet.wait_online(&NAMES)?;
    wait_answers(guest, 200)?;
    Ok(())
}

/// Podman's own checks, which are much quicker here than by default, would restart the last ones before the monitor comes to them: without their timers,
/// which come again with each new container.
const WITHOUT_CHECKS: &str =
    "timers=$(systemctl list-units --type=timer --full --plain --no-legend | grep -oE '^[0-9a-f]{64}[^ ]*[.]timer')
    [ $(wc -l <<<\"$timers\") = 4 ] || { echo \"$timers\"; exit 1; }
    systemctl stop $timers";

fn four_at_once(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    begin_anew(guest, "true")?;
    wait_up_for_a_minute(guest)?;
    wait_answers(guest, 200)?;
    let before = invocations(&fleet)?;
    let undo = Undo::new(|| guest.run("kill -CONT $(pgrep -x Runner.Listener)").map(drop));
    guest.ok(WITHOUT_CHECKS)?;
    let begin = Instant::now();
    guest.ok("[ $(pgrep -cx Runner.Listener) = 4 ] && kill -STOP $(pgrep -x Runner.Listener)")?;
    wait_answers(guest, 503)?;
    for (number, before) in (1..).zip(&before) {
        guest.wait_until(
            &format!("runner {number} is started again"),
            START_LIMIT,
            &format!(
                "systemctl is-active -q homelab-runner@{number}.service && [ $(systemctl show -P InvocationID homelab-runner@{number}.service) != {before} ]"
            ),
        )?;
        eprint!("({number}: {:.0?}) ", begin.elapsed());
    }
    fleet.wait_online(&NAMES)?;
    wait_answers(guest, 200)?;
    eprint!("({:.0?} until all four are healed) ", begin.elapsed());
    drop(undo);
    // Each once, which is half of what the fleet may have in an hour.
    assert_eq!(restarted(guest)?, [1, 2, 3, 4]);
    Ok(())
}
