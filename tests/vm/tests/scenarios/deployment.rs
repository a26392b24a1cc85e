//! Requirements "Docker-Based Runner Deployment" and "Runner Token Configuration".

use std::collections::BTreeSet;

use homelab_runners_vm::Guest;
use serde_json::Value;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("four_runner_deployment", four_runner_deployment),
    ("runner_registration", runner_registration),
    ("token_loading", token_loading),
    ("missing_tokens", missing_tokens),
    ("an_expired_token_stops_the_runner_and_a_new_one_continues", expired_token),
    ("a_registered_runner_starts_without_a_token", starts_without_token),
];

fn four_runner_deployment(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let containers = guest.ok("podman ps --format '{{.Names}}' | sort")?;
    assert_eq!(containers.lines().collect::<Vec<_>>(), NAMES);
    for number in 1..=4 {
        assert_eq!(fleet.property(number, "ActiveState")?, "active");
        assert_eq!(
            fleet.property(number, "SourcePath")?,
            format!("/etc/containers/systemd/homelab-runner@{number}.container")
        );
        assert_eq!(fleet.property(number, "Restart")?, "always");
        assert_eq!(fleet.property(number, "NeedDaemonReload")?, "no");
    }
    assert_eq!(registration_credentials(guest)?.len(), 4, "each runner registered with a token of its own");
    let status = fleet.runnerctl("status")?;
    assert_eq!(status.code, 0, "{status}");
    assert_eq!(status.stdout.matches(" online ").count(), 4, "{status}");
    Ok(())
}

/// Fingerprints of the tokens that were used for registration.
fn registration_credentials(guest: &Guest) -> Result<BTreeSet<String>, Box<dyn std::error::Error>> {
    let journal = guest.simulator().get("/journal")?;
    let entries = journal.as_array().map(Vec::as_slice).unwrap_or_default();
    let of =
        |entry: &Value, field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(entries
        .iter()
        .filter(|entry| of(entry, "path") == "/actions/runner-registration")
        .map(|entry| of(entry, "credential"))
        .collect())
}

fn runner_registration(guest: &Guest) -> Outcome {
    let _fleet = Fleet::running(guest, Way::Quadlet)?;
    let runners = guest.simulator().get("/runners")?;
    let runners = runners.as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(runners.len(), 4);
    for runner in runners {
        assert_eq!(runner.get("status").and_then(Value::as_str), Some("online"), "{runner}");
        let labels = runner.get("labels").and_then(Value::as_array).cloned().unwrap_or_default();
        for label in ["self-hosted", "homelab"] {
            assert!(labels.contains(&Value::from(label)), "{runner}");
        }
    }
    Ok(())
}

/// The value that runner 2's line of the `.env` gave reached runner 2 alone, and is gone from its hand-over place.
fn token_loading(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let tokens = fleet.tokens(4)?;
    fleet.write_tokens(&tokens)?;
    let before = registration_credentials(guest)?.len();
    guest.ok("systemctl stop homelab-runner@2.service && rm -rf /var/lib/homelab-runners/2/identity")?;
    guest.simulator().delete("/runners/homelab-runner-2")?;
    let up = fleet.runnerctl("up 2")?;
    assert_eq!(up.code, 0, "{up}");
    assert_eq!(registration_credentials(guest)?.len(), before + 1, "one new token was used");
    assert_eq!(guest.ok("ls /run/homelab-runners/*/token/ | grep -c registration-token || true")?, "0");
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn missing_tokens(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let tokens = fleet.tokens(4)?;
    fleet.write_tokens(&tokens)?;
    guest.ok("sed -i /RUNNER_TOKEN_3/d /etc/homelab-runners/.env")?;
    guest.ok("systemctl stop homelab-runner@3.service && rm -rf /var/lib/homelab-runners/3/identity")?;
    guest.simulator().delete("/runners/homelab-runner-3")?;
    let up = fleet.runnerctl("up")?;
    assert_eq!(up.code, 1, "{up}");
    assert!(up.stdout.contains("RUNNER_TOKEN_3 is not set in /etc/homelab-runners/.env"), "{up}");
    // It stays failed: nothing tries again until somebody acts.
    assert_eq!(fleet.property(3, "ActiveState")?, "failed");
    assert_eq!(fleet.property(3, "ExecMainStatus")?, "64");
    assert_eq!(fleet.property(3, "NRestarts")?, "0");
    let journal = guest.ok("systemctl status --no-pager --full homelab-runner@3.service || true")?;
    assert!(journal.contains("RUNNER_TOKEN_3 is not set in /etc/homelab-runners/.env"), "{journal}");
    let status = fleet.runnerctl("status")?;
    assert_eq!(status.code, 1);
    assert!(status.stdout.contains("token missing") && status.stdout.contains("RUNNER_TOKEN_3"), "{status}");
    fleet.wait_online(&["homelab-runner-1", "homelab-runner-2", "homelab-runner-4"])?;
    // The next step that the message names mends it.
    fleet.write_tokens(&tokens)?;
    let up = fleet.runnerctl("up 3")?;
    assert_eq!(up.code, 0, "{up}");
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn expired_token(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    fleet.write_tokens(&fleet.tokens(4)?)?;
    guest.ok("systemctl stop homelab-runner@4.service && rm -rf /var/lib/homelab-runners/4/identity")?;
    guest.simulator().delete("/runners/homelab-runner-4")?;
    guest.simulator().post("/clock/advance", &serde_json::json!({ "seconds": 3700 }))?;
    let up = fleet.runnerctl("up 4")?;
    assert_eq!(up.code, 1, "{up}");
    assert!(up.stdout.contains("expired") && up.stdout.contains("RUNNER_TOKEN_4"), "{up}");
    assert_eq!(fleet.property(4, "ExecMainStatus")?, "65");
    assert_eq!(fleet.property(4, "NRestarts")?, "0", "no loop on the registration API");
    fleet.write_tokens(&fleet.tokens(4)?)?;
    let up = fleet.runnerctl("up 4")?;
    assert_eq!(up.code, 0, "{up}");
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn starts_without_token(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let used = registration_credentials(guest)?.len();
    guest.ok("mv /etc/homelab-runners/.env /root/kept.env && touch /etc/homelab-runners/.env && chmod 600 /etc/homelab-runners/.env")?;
    let restart = fleet.runnerctl("restart 1")?;
    guest.ok("mv /root/kept.env /etc/homelab-runners/.env")?;
    assert_eq!(restart.code, 0, "{restart}");
    assert_eq!(registration_credentials(guest)?.len(), used, "nothing registered again");
    fleet.wait_online(&NAMES)?;
    Ok(())
}
