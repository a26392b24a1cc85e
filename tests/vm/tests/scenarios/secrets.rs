//! No secret is anywhere but where it belongs.

use std::time::Duration;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, Way};

pub(crate) const OF_TOKENS: &[Scenario] = &[("tokens_are_not_exposed", tokens)];

pub(crate) const OF_CREDENTIALS: &[Scenario] = &[("a_personal_access_token_is_not_exposed", credential)];

const SEARCH: &str = include_str!("search-secrets.sh");

const SCRIPT: &str = "/root/search-secrets.sh";

fn tokens(guest: &Guest) -> Outcome {
    are_not_exposed(&Fleet::running(guest, Way::Quadlet)?, "searched 11 places for 8 secrets")
}

fn credential(guest: &Guest) -> Outcome {
    are_not_exposed(&Fleet::running(guest, Way::PodmanService)?, "searched 11 places for 9 secrets")
}

/// Searches everywhere a secret could end up, while a workflow job runs.
pub(crate) fn are_not_exposed(fleet: &Fleet<'_>, searched: &str) -> Outcome {
    let guest = fleet.guest;
    let job = fleet.queue("busy", "echo started; until [ -e /reports/searched ]; do sleep 0.2; done")?;
    fleet.wait_for(job, "in_progress")?;
    guest.write(SCRIPT, SEARCH)?;
    let found = guest.run_within(&format!("bash {SCRIPT}"), Duration::from_secs(300))?;
    guest.ok("touch /var/lib/homelab-runners/reports/searched")?;
    fleet.wait_for(job, "completed")?;
    guest.ok(&format!("rm /var/lib/homelab-runners/reports/searched {SCRIPT}"))?;
    assert_eq!(found.code, 0, "{found}");
    assert!(found.stdout.contains(searched), "{found}");
    Ok(())
}
