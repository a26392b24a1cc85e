//! A fleet as its monitor sees it: what scenarios ask of the monitor, and how they put things right again.

use std::time::Duration;

use homelab_runners_vm::{Guest, Result};
use serde_json::Value;

use crate::bed::Outcome;
use crate::fleet::{Fleet, START_LIMIT};

pub(crate) const SERVICE: &str = "homelab-runners-monitor.service";

/// A program of one file may take long to start under emulation.
pub(crate) const CURL: &str = "curl -s --max-time 60";

/// Where the unit keeps its events, from which it also knows what it has spent.
const STATE: &str = "/var/lib/homelab-runners-monitor";

/// Waits until the monitor's answer for the whole fleet is this status.
pub(crate) fn wait_answers(guest: &Guest, status: u16) -> Result<String> {
    guest.wait_until(
        &format!("/healthz says {status}"),
        START_LIMIT,
        &format!("[ $({CURL} -o /dev/null -w '%{{http_code}}' http://127.0.0.1:8090/healthz) = {status} ]"),
    )
}

/// The status of its answer at this path, now.
pub(crate) fn status_of(guest: &Guest, path: &str) -> Result<String> {
    guest.ok(&format!("{CURL} -o /dev/null -w '%{{http_code}}' http://127.0.0.1:8090{path}"))
}

/// Waits until `/healthz` says this once for each of the four runners; of JSON without spaces.
pub(crate) fn wait_said_of_all(guest: &Guest, said: &str, limit: Duration) -> Result<String> {
    guest.wait_until(
        &format!("{said} of all four"),
        limit,
        &format!(
            "answer=$({CURL} http://127.0.0.1:8090/healthz); [ $(grep -oF '{said}' <<<\"$answer\" | wc -l) = 4 ] || {{ echo \"$answer\"; exit 1; }}"
        ),
    )
}

/// The helper restarts nobody who came up less than a minute ago.
pub(crate) fn wait_up_for_a_minute(guest: &Guest) -> Result<String> {
    guest.wait_until(
        "all four are up for a minute",
        Duration::from_secs(180),
        "for n in 1 2 3 4; do
            since=$(systemctl show -P ActiveEnterTimestamp homelab-runner@$n.service)
            [ $(($(date +%s) - $(date -d \"$since\" +%s))) -gt 62 ] || { echo \"$n since $since\"; exit 1; }
        done",
    )
}

/// The monitor begins anew and knows of no restarts but those that are `earlier`: lines of its own log, written by this command.
/// Other scenarios have spent of its budget. The file stays its own.
pub(crate) fn begin_anew(guest: &Guest, earlier: &str) -> Result<String> {
    guest.ok(&format!(
        "systemctl stop {SERVICE} && rm -f {STATE}/events.1 && truncate -s 0 {STATE}/events && {{ {earlier}; }} >>{STATE}/events && systemctl start {SERVICE}"
    ))
}

/// Watches the monitor for so long, in which it restarts nobody: it writes down each restart before it asks for it.
pub(crate) fn restarts_nobody_for(guest: &Guest, time: Duration) -> Outcome {
    let seconds = time.as_secs();
    let follow = format!("timeout {seconds} runnerctl events --since \"$(date -u +%FT%TZ)\" --follow");
    let followed = guest.run_within(&follow, time + Duration::from_secs(60))?;
    assert!(followed.code == 124 && !followed.stdout.contains("restarting it"), "{followed}");
    Ok(())
}

/// Which start of each runner's unit this is.
pub(crate) fn invocations(fleet: &Fleet<'_>) -> Result<Vec<String>> {
    (1..=4).map(|number| fleet.property(number, "InvocationID")).collect()
}

/// Whom the monitor has restarted, in that order. One restart is over before the next begins.
pub(crate) fn restarted(guest: &Guest) -> Outcome<Vec<u64>> {
    let mut restarted = Vec::new();
    let mut is_under_way = false;
    for line in guest.ok("runnerctl events --json")?.lines() {
        let event: Value = serde_json::from_str(line)?;
        match event.get("what").and_then(Value::as_str).unwrap_or_default() {
            "heal" => {
                assert!(!is_under_way, "two restarts at once: {line}");
                is_under_way = true;
                restarted.extend(event.get("runner").and_then(Value::as_u64));
            }
            "healed" | "heal_failed" | "heal_called_off" => is_under_way = false,
            _ => {}
        }
    }
    Ok(restarted)
}

/// Puts right what a scenario has done to the guest, when it is dropped: also where the scenario fails.
pub(crate) struct Undo<'a>(Box<dyn Fn() -> Result<()> + 'a>);

impl<'a> Undo<'a> {
    pub(crate) fn new(undo: impl Fn() -> Result<()> + 'a) -> Self {
        Self(Box::new(undo))
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Err(error) = (self.0)() {
            eprintln!("--- not undone: {error}");
        }
    }
}
