//! One restart.

use std::time::Duration;

use crate::apply::{self, Host};
use crate::fleet::names;
use crate::health::{HealEnd, Observation};
use crate::systemd::{JobMode, UnitJob};

/// Restarts the unit of runner `number` unless a workflow job has begun meanwhile; ends when the runner is online again, since its unit is active no sooner.
pub(super) async fn restart(host: &Host, number: u16, limit: Duration) -> Observation {
    Observation::HealEnded(number, attempt(host, number, limit).await)
}

async fn attempt(host: &Host, number: u16, limit: Duration) -> HealEnd {
    match apply::busy(host, &[number]) {
        Ok(busy) if busy.is_empty() => {}
        Ok(_) => return HealEnd::CalledOff,
        Err(error) => return HealEnd::Failed(error.to_string()),
    }
    let Some(systemd) = &host.systemd else { return HealEnd::Failed("systemd is not reached".to_owned()) };
    let restart = [UnitJob::restart(names::service(number))];
    // `fail`: somebody who stops it at this moment is not contradicted.
    let outcomes = systemd.run_jobs(&restart, &JobMode::Fail, limit, &mut |_| {}).await;
    for outcome in outcomes {
        if let Err(error) = outcome.into_result() {
            return HealEnd::Failed(error.to_string());
        }
    }
    HealEnd::Healed
}
