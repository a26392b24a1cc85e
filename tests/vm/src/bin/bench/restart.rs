//! One restart of a registered runner: from `systemctl restart` over the end of the old session to the new one.

use std::time::Duration;

use homelab_runners_vm::Result;

use crate::fleet::Fleet;
use crate::sample::median;
use crate::table::{Row, time};

const REPETITIONS: usize = 3;

/// The fleet is up, before and afterwards.
pub(crate) fn samples(fleet: &Fleet) -> Result<Vec<Duration>> {
    (0..REPETITIONS)
        .map(|_| fleet.time_to_online("systemctl restart homelab-runner@1.service", &["homelab-runner-1"]))
        .collect()
}

/// The row of these samples.
pub(crate) fn row(samples: &[Duration]) -> Vec<Row> {
    vec![Row::new("systemctl restart of one runner, online again", time(median(samples)))]
}
