//! Restarts one runner whose session is lost, if it is idle.

use std::time::Duration;

use super::{Host, busy};
use crate::fleet::names;
use crate::health::HealEnd;
use crate::systemd::{JobMode, UnitJob};

/// Restarts the unit of runner `number` unless a workflow job has begun meanwhile; ends when the runner is online again, since its unit is active no sooner.
pub async fn heal(host: &Host, number: u16, limit: Duration) -> HealEnd {
    match busy(host, &[number]) {
        Ok(busy) if busy.is_empty() => {}
        Ok(_) => return HealEnd::CalledOff("a workflow job had begun".to_owned()),
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
