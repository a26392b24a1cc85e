//! One restart of a registered runner: from `systemctl restart` over the end of the old session to the new one.

use homelab_runners_vm::Result;

use crate::fleet::Fleet;
use crate::sample::median;
use crate::table::{Row, time};

const REPETITIONS: usize = 3;

/// The fleet is up, before and afterwards.
pub(crate) fn measure(fleet: &Fleet) -> Result<Vec<Row>> {
    let samples = (0..REPETITIONS)
        .map(|_| fleet.time_to_online("systemctl restart homelab-runner@1.service", &["homelab-runner-1"]))
        .collect::<Result<Vec<_>>>()?;
    Ok(vec![Row::new("systemctl restart of one runner, online again", time(median(&samples)))])
}
