//! How a runner is ended without ending a workflow job. Pure.
//!
//! Where this host may, it removes the runner at GitHub first: GitHub does that only while no workflow job is given to it, and gives it none after that. Without
//! such a credential the runner has to be idle for a while before it is told to stop; a workflow job that GitHub gives it in the very moment between the last look
//! and the stop is cancelled. GitHub's own documentation names that race for all runners that are not ephemeral.

use std::time::Duration;

/// Between two workflow jobs of a busy queue a runner is idle for less.
const SETTLED: Duration = Duration::from_secs(5);

/// Between two tries to remove a runner that GitHub calls busy.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// A runner that is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draining {
    /// Its unit is up, or on its way.
    pub running: bool,
    /// A workflow job runs on it.
    pub busy: bool,
    /// How long none has.
    pub idle: Duration,
    /// What GitHub has said of its removal.
    pub at_github: AtGithub,
}

/// The runner at GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtGithub {
    /// This host has no credential for asking, or is not the one that registered it.
    Unasked,
    /// It is to be removed there.
    Untried,
    /// GitHub called it busy, so long ago.
    Busy(Duration),
    /// It is removed there.
    Gone,
}

/// What to do with it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainStep {
    /// Look again.
    Wait,
    /// Ask GitHub to remove it.
    Remove,
    /// Stop its unit.
    Stop,
    /// It has ended.
    Done,
}

impl Draining {
    /// The next step.
    #[must_use]
    pub fn step(&self) -> DrainStep {
        if !self.running {
            return DrainStep::Done;
        }
        if self.busy {
            return DrainStep::Wait;
        }
        match self.at_github {
            // GitHub gives it no more workflow jobs.
            AtGithub::Gone => DrainStep::Stop,
            AtGithub::Untried => DrainStep::Remove,
            AtGithub::Busy(ago) if ago >= TRY_AGAIN => DrainStep::Remove,
            AtGithub::Unasked if self.idle >= SETTLED => DrainStep::Stop,
            AtGithub::Busy(_) | AtGithub::Unasked => DrainStep::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IDLE: Draining =
        Draining { running: true, busy: false, idle: Duration::ZERO, at_github: AtGithub::Untried };

    #[test]
    fn an_idle_runner_is_removed_at_github_and_stopped_after_that() {
        assert_eq!(IDLE.step(), DrainStep::Remove);
        assert_eq!(Draining { at_github: AtGithub::Gone, ..IDLE }.step(), DrainStep::Stop);
    }

    #[test]
    fn what_github_calls_busy_is_asked_for_again_a_while_later() {
        let called_busy =
            |seconds| Draining { at_github: AtGithub::Busy(Duration::from_secs(seconds)), ..IDLE };
        assert_eq!(called_busy(9).step(), DrainStep::Wait);
        assert_eq!(called_busy(10).step(), DrainStep::Remove);
    }

    #[test]
    fn without_a_credential_it_has_to_be_idle_for_a_while() {
        let idle =
            |seconds| Draining { at_github: AtGithub::Unasked, idle: Duration::from_secs(seconds), ..IDLE };
        assert_eq!(idle(4).step(), DrainStep::Wait);
        assert_eq!(idle(5).step(), DrainStep::Stop);
    }

    proptest! {
        #[test]
        fn nothing_is_asked_of_a_runner_with_a_workflow_job_nor_of_one_that_has_ended(
            running: bool,
            busy: bool,
            idle in 0_u64..100,
            at_github in prop_oneof![
                Just(AtGithub::Unasked), Just(AtGithub::Untried), Just(AtGithub::Gone),
                (0_u64..100).prop_map(|ago| AtGithub::Busy(Duration::from_secs(ago)))
            ],
        ) {
            let step = Draining { running, busy, idle: Duration::from_secs(idle), at_github }.step();
            prop_assert_eq!(step == DrainStep::Done, !running);
            prop_assert!(!(running && busy) || step == DrainStep::Wait);
        }
    }
}
