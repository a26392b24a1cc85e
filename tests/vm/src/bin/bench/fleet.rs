//! Four registered runners in the guest, stopped, and the clock that runs until they are online.

use std::thread;
use std::time::Duration;

use homelab_runners_vm::product::{Product, REPOSITORY};
use homelab_runners_vm::{BootOptions, Error, Guest, Result, poll};
use serde_json::Value;

/// For anything that starts or stops runners; emulation on a busy host takes its time.
pub(crate) const LIMIT: Duration = Duration::from_secs(600);

/// The runners.
pub(crate) const NAMES: [&str; 4] =
    ["homelab-runner-1", "homelab-runner-2", "homelab-runner-3", "homelab-runner-4"];

/// The one that is measured where one is enough.
pub(crate) const FIRST: &str = "homelab-runner-1";

/// Between two questions to the simulator. Seldom, because each one costs the guest's processors; the moment that counts is
/// looked up in the simulator's journal afterwards.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(900);

/// Files of the benchmarks in the guest.
pub(crate) const DIRECTORY: &str = "/var/tmp/bench";

/// The guest with the fleet.
pub(crate) struct Fleet {
    guest: Guest,
}

impl Fleet {
    /// Installed, registered once, and all stopped: every start from here on finds its identity and its image.
    pub(crate) fn registered() -> Result<Self> {
        let guest = Guest::boot(&BootOptions::default())?;
        eprintln!("installing the fleet");
        Product::built()?.install(&guest)?;
        guest.ok(&format!(
            "mkdir -p {DIRECTORY} && runnerctl init --no-input --url {REPOSITORY} --label homelab --memory-max 300M 2>&1"
        ))?;
        // The peers below run the same containers, and they have no private engines.
        guest.ok("sed -i '1i socket = \"host\"' /etc/homelab-runners/config.toml")?;
        let token = |number| {
            Ok(format!("RUNNER_TOKEN_{number}={}\n", guest.simulator().registration_token(REPOSITORY)?))
        };
        let tokens = (1..=NAMES.len()).map(token).collect::<Result<Vec<String>>>()?.concat();
        guest.write("/etc/homelab-runners/.env", &tokens)?;
        guest.ok("chmod 600 /etc/homelab-runners/.env")?;
        guest.ok_within("runnerctl install-units 2>&1", LIMIT)?;
        let fleet = Self { guest };
        fleet.wait_online(&NAMES)?;
        fleet.stop("runnerctl down")?;
        Ok(fleet)
    }

    pub(crate) fn guest(&self) -> &Guest {
        &self.guest
    }

    /// What runs the guest, for people.
    pub(crate) fn machine(&self) -> Result<String> {
        let seen = self.guest.ok("echo \"$(nproc) $(systemd-detect-virt) $(uname -r)\"")?;
        let mut words = seen.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        let (processors, virtualization, kernel) = (word(), word(), word());
        let accelerator = if virtualization == "kvm" { "KVM" } else { "emulation (TCG)" };
        Ok(format!("guest: {processors} processors, {accelerator}, Linux {kernel}"))
    }

    /// From just before the command to the moment at which the last of these runners got its session at GitHub.
    ///
    /// Both are moments of the guest's clock: bash tells it right before the command, and the simulator notes when each
    /// request came. So neither ssh nor the pause between two questions is part of the time.
    pub(crate) fn time_to_online(&self, command: &str, names: &[&str]) -> Result<Duration> {
        // Into a file: what stays in the background must not hold the pipe of ssh.
        let script = format!(
            "echo \"${{EPOCHREALTIME/[.,]/}}\"; {command} >{DIRECTORY}/log 2>&1 || {{ cat {DIRECTORY}/log; exit 1; }}"
        );
        let start = microseconds(&self.guest.ok_within(&script, LIMIT)?)?;
        self.wait_online(names)?;
        let journal = self.guest.simulator().get("/journal")?;
        let mut last = start;
        for name in names {
            let at = last_session(&journal, name)?;
            last = last.max(microseconds(&self.guest.ok(&format!("date --date={at} +%s%6N"))?)?);
        }
        if last == start {
            return Err(unexpected(format!("no session of {} since: {command}", names.join(" "))));
        }
        Ok(Duration::from_micros(last - start))
    }

    /// Stops all runners, and waits until no container and no session is left.
    pub(crate) fn stop(&self, command: &str) -> Result<()> {
        self.guest.ok_within(&format!("{command} 2>&1"), LIMIT)?;
        poll("no runner is online", LIMIT, || {
            let online = self.guest.simulator().online()?;
            Ok(if online.is_empty() { Ok(()) } else { Err(online.join(" ")) })
        })?;
        self.guest.wait_until("no container is left", LIMIT, "[ -z \"$(podman ps --all --quiet)\" ]")?;
        Ok(())
    }

    fn wait_online(&self, names: &[&str]) -> Result<()> {
        poll(&format!("online: {}", names.join(" ")), LIMIT, || {
            let online = self.guest.simulator().online()?;
            if names.iter().all(|name| online.iter().any(|found| found == name)) {
                return Ok(Ok(()));
            }
            thread::sleep(BETWEEN_QUESTIONS);
            Ok(Err(format!("online: {}", online.join(" "))))
        })
    }
}

/// When the simulator last gave this runner a session.
fn last_session(journal: &Value, name: &str) -> Result<String> {
    let text =
        |entry: &Value, field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    journal
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| text(entry, "method") == "POST" && text(entry, "path") == "/broker/session")
        .filter(|entry| entry.get("status").and_then(Value::as_u64) == Some(200))
        .filter(|entry| {
            let body: Value = serde_json::from_str(&text(entry, "body")).unwrap_or_default();
            body.pointer("/agent/name").and_then(Value::as_str) == Some(name)
        })
        .map(|entry| text(entry, "at"))
        .next_back()
        .ok_or_else(|| unexpected(format!("{name} is online, and the journal has no session of it")))
}

/// Microseconds since 1970, as the guest's shell prints them.
pub(crate) fn microseconds(text: &str) -> Result<u64> {
    text.trim().parse().map_err(|_| unexpected(format!("no number of microseconds: {text}")))
}

pub(crate) fn unexpected(what: String) -> Error {
    Error::Unsupported(what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::last_session;

    #[test]
    fn the_last_session_that_was_given_counts() {
        let entry = |at: &str, status: u16, name: &str| {
            let body = json!({ "agent": { "name": name } }).to_string();
            json!({ "at": at, "method": "POST", "path": "/broker/session", "status": status, "body": body })
        };
        let journal = json!([
            entry("1", 200, "homelab-runner-1"),
            entry("2", 200, "homelab-runner-1"),
            entry("3", 409, "homelab-runner-1"),
            entry("4", 200, "homelab-runner-2"),
        ]);
        assert_eq!(last_session(&journal, "homelab-runner-1").ok().as_deref(), Some("2"));
        assert!(last_session(&journal, "homelab-runner-3").is_err());
    }
}
