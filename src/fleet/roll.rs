//! What is left to do after somebody else has put the units into place: a switch of NixOS, or a package.
//!
//! The difference to [`super::Plan`]: no unit file is written, systemd has read the new ones already, and what was removed is stopped already. Left are the runners:
//! what is new starts, what runs with an old text is restarted once no workflow job runs on it, and what somebody has stopped stays stopped.

use super::names;

/// A runner of the fleet, as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is the answer to a question of its own")]
pub struct RunnerNow {
    /// From 1.
    pub number: u16,
    /// Started or starting.
    pub running: bool,
    /// Its last run failed.
    pub failed: bool,
    /// It was started since the host booted.
    pub has_been_started: bool,
    /// Its unit has another text than the one that it was last started with.
    pub outdated: bool,
    /// It is out of service: its unit does not start.
    pub drained: bool,
}

/// The fleet, as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetNow {
    /// Is the target started?
    pub target_active: bool,
    /// Units that the target wants, and that are not started.
    pub inactive_wants: Vec<String>,
    /// The runners.
    pub runners: Vec<RunnerNow>,
}

/// What to do about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    /// Units to start.
    pub start: Vec<String>,
    /// Runners to restart, each as soon as no workflow job runs on it.
    pub restart: Vec<u16>,
}

impl Roll {
    /// What `now` asks for.
    #[must_use]
    pub fn of(now: &FleetNow) -> Self {
        let mut roll = Self::default();
        let is_first = now.runners.iter().all(|runner| !runner.has_been_started);
        if !now.target_active && is_first {
            // The host has just booted, or has got the fleet just now.
            roll.start.push(names::TARGET.to_owned());
            return roll;
        }
        if now.target_active {
            let others = now.inactive_wants.iter().filter(|unit| names::runner_of(unit).is_none());
            roll.start.extend(others.cloned());
        }
        for runner in &now.runners {
            match runner {
                RunnerNow { drained: true, .. } => {}
                RunnerNow { running: true, outdated: true, .. } => roll.restart.push(runner.number),
                RunnerNow { running: false, failed: true, outdated: true, .. } if now.target_active => {
                    roll.restart.push(runner.number);
                }
                RunnerNow { running: false, has_been_started: false, .. } if now.target_active => {
                    roll.start.push(names::service(runner.number));
                }
                _ => {}
            }
        }
        roll
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: RunnerNow = RunnerNow {
        number: 1,
        running: true,
        failed: false,
        has_been_started: true,
        outdated: false,
        drained: false,
    };
    const NEW: RunnerNow = RunnerNow { running: false, has_been_started: false, outdated: true, ..RUNNING };
    const STOPPED: RunnerNow = RunnerNow { running: false, outdated: true, ..RUNNING };

    fn roll(runners: &[RunnerNow]) -> Roll {
        Roll::of(&FleetNow { target_active: true, inactive_wants: Vec::new(), runners: runners.to_vec() })
    }

    #[test]
    fn after_a_boot_the_target_starts_everything() {
        let now = FleetNow { runners: vec![NEW, RunnerNow { number: 2, ..NEW }], ..FleetNow::default() };
        assert_eq!(Roll::of(&now), Roll { start: vec![names::TARGET.to_owned()], ..Roll::default() });
    }

    #[test]
    fn a_fleet_that_was_stopped_stays_stopped() {
        let now = FleetNow {
            target_active: false,
            inactive_wants: vec!["homelab-runner@1.service".to_owned(), names::PRUNE_TIMER.to_owned()],
            runners: vec![STOPPED, RunnerNow { number: 2, ..NEW }],
        };
        assert_eq!(Roll::of(&now), Roll::default());
    }

    #[test]
    fn a_runner_that_was_stopped_stays_stopped_and_a_new_one_starts() {
        let rolled = roll(&[RUNNING, RunnerNow { number: 2, ..STOPPED }, RunnerNow { number: 3, ..NEW }]);
        assert_eq!(rolled, Roll { start: vec![names::service(3)], ..Roll::default() });
    }

    #[test]
    fn what_runs_with_an_old_text_is_restarted_and_nothing_else() {
        let rolled = roll(&[RUNNING, RunnerNow { number: 2, outdated: true, ..RUNNING }]);
        assert_eq!(rolled, Roll { start: Vec::new(), restart: vec![2] });
    }

    #[test]
    fn a_drained_runner_is_left_alone() {
        let drained = |runner| RunnerNow { drained: true, ..runner };
        let outdated = RunnerNow { outdated: true, ..RUNNING };
        assert_eq!(roll(&[drained(NEW), drained(outdated), drained(STOPPED)]), Roll::default());
    }

    #[test]
    fn a_failed_runner_is_tried_again_with_a_new_text_alone() {
        let failed = RunnerNow { failed: true, ..STOPPED };
        assert_eq!(roll(&[failed]).restart, [1]);
        assert_eq!(roll(&[RunnerNow { outdated: false, ..failed }]), Roll::default());
    }

    #[test]
    fn what_the_target_newly_wants_is_started_beside_the_runners() {
        let now = FleetNow {
            target_active: true,
            inactive_wants: vec!["homelab-runner@1.service".to_owned(), names::PRUNE_TIMER.to_owned()],
            runners: vec![STOPPED],
        };
        assert_eq!(Roll::of(&now).start, [names::PRUNE_TIMER]);
    }
}
