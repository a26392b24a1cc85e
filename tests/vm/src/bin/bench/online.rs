//! Four stopped runners until all four are online: `runnerctl up`, bare `podman run` in parallel, `podman-compose up -d`.

use std::time::Duration;

use homelab_runners_vm::Result;

use crate::fleet::{Fleet, NAMES};
use crate::sample::median;
use crate::table::Row;
use crate::{bare_podman, compose};

const REPETITIONS: usize = 3;

/// A way to start and stop the four.
pub(crate) struct Way {
    /// For people.
    pub(crate) name: &'static str,
    /// Returns when started, not necessarily when online.
    pub(crate) start: String,
    /// Ends sessions and removes containers.
    pub(crate) stop: String,
}

pub(crate) fn measure(fleet: &Fleet) -> Result<Vec<Row>> {
    let ways = [
        Way { name: "runnerctl up", start: "runnerctl up".to_owned(), stop: "runnerctl down".to_owned() },
        bare_podman::way(fleet)?,
        compose::way(fleet)?,
    ];
    let mut samples: [Vec<Duration>; 3] = Default::default();
    for repetition in 1..=REPETITIONS {
        for (way, samples) in ways.iter().zip(&mut samples) {
            eprintln!("{} until all four are online, {repetition} of {REPETITIONS}", way.name);
            samples.push(fleet.time_to_online(&way.start, &NAMES)?);
            fleet.stop(&way.stop)?;
        }
    }
    let [ours, bare, compose] = samples.map(|samples| median(&samples));
    let row = |peer: &str, time| Row::compared("runnerctl up, all four online", ours, peer, time);
    Ok(vec![row("bare podman run", bare).aim(1.15), row("podman-compose", compose).aim(0.65)])
}
