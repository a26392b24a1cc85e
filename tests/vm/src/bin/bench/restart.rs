//! One start and one restart of a registered runner: from before the command, over the end of the old session, to the new one; beside a bare `podman run` of the same
//! image with the same identity and mounts.

use std::time::Duration;

use homelab_runners_vm::Result;

use crate::bare_podman;
use crate::fleet::{FIRST, Fleet};
use crate::sample::median;
use crate::table::{Row, time};

const REPETITIONS: usize = 3;

const START: &str = "systemctl start homelab-runner@1.service";
const RESTART: &str = "systemctl restart homelab-runner@1.service";

/// The fleet is up, before and afterwards.
pub(crate) fn samples(fleet: &Fleet) -> Result<Vec<Duration>> {
    (0..REPETITIONS).map(|_| fleet.time_to_online(RESTART, &[FIRST])).collect()
}

/// The row of these samples.
pub(crate) fn row(samples: &[Duration]) -> Vec<Row> {
    vec![Row::new("systemctl restart of one runner, online again", time(median(samples)))]
}

/// Ours and the peer in turns; all runners are stopped, before and afterwards.
pub(crate) fn beside_bare_podman(fleet: &Fleet) -> Result<Vec<Row>> {
    let bare = bare_podman::way_of_one(fleet)?;
    let bare_restart = format!("{{ {} && {}; }}", bare.stop, bare.start);
    let ways = [(START, RESTART, "runnerctl down 1"), (&bare.start, &bare_restart, &bare.stop)];
    let (mut starts, mut restarts): ([Vec<Duration>; 2], [Vec<Duration>; 2]) = Default::default();
    for repetition in 1..=REPETITIONS {
        for ((start, restart, stop), (starts, restarts)) in
            ways.into_iter().zip(starts.iter_mut().zip(&mut restarts))
        {
            eprintln!("{start}, then {restart}, {repetition} of {REPETITIONS}");
            starts.push(fleet.time_to_online(start, &[FIRST])?);
            restarts.push(fleet.time_to_online(restart, &[FIRST])?);
            fleet.stop(stop)?;
        }
    }
    let [ours, peer] = starts.map(|samples| median(&samples));
    let [ours_again, peer_again] = restarts.map(|samples| median(&samples));
    Ok(vec![
        Row::compared("systemctl start of one registered runner", ours, "bare podman run", peer).aim(1.1),
        Row::compared("systemctl restart of one runner", ours_again, "podman stop and run", peer_again)
            .aim(1.1),
    ])
}
