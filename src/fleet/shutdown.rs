//! What becomes of a workflow job when its runner's unit is stopped: a shutdown of the host waits for it, a person does not. Pure.

use std::time::Duration;

/// A runner whose unit is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopping {
    /// The host itself is going down. Whoever stops the unit alone wants it stopped now.
    pub host_is_stopping: bool,
    /// A workflow job runs on it.
    pub busy: bool,
    /// How long it has been waited for.
    pub waited: Duration,
    /// How long it may be waited for.
    pub limit: Duration,
}

/// What to do with it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopStep {
    /// Go on: the engine stops the container.
    Stop,
    /// Wait for the end of the workflow job, at most so long.
    Wait(Duration),
    /// Tell the listener to end, this very moment: it has no workflow job, and must not take another.
    Interrupt,
    /// Go on: the workflow job is cancelled.
    GiveUp,
}

impl Stopping {
    /// The next step.
    #[must_use]
    pub fn step(&self) -> StopStep {
        match self.limit.saturating_sub(self.waited) {
            _ if !self.host_is_stopping => StopStep::Stop,
            _ if !self.busy => StopStep::Interrupt,
            Duration::ZERO => StopStep::GiveUp,
            left => StopStep::Wait(left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const BUSY: Stopping =
        Stopping { host_is_stopping: true, busy: true, waited: Duration::ZERO, limit: MINUTE };

    #[test]
    fn a_shutdown_waits_for_a_workflow_job_until_the_limit() {
        assert_eq!(BUSY.step(), StopStep::Wait(MINUTE));
        let later = |seconds| Stopping { waited: Duration::from_secs(seconds), ..BUSY }.step();
        assert_eq!(later(59), StopStep::Wait(Duration::from_secs(1)));
        assert_eq!((later(60), later(61)), (StopStep::GiveUp, StopStep::GiveUp));
    }

    #[test]
    fn a_listener_without_a_workflow_job_is_told_to_take_none_however_late_it_is() {
        for waited in [Duration::ZERO, MINUTE, 2 * MINUTE] {
            assert_eq!(Stopping { busy: false, waited, ..BUSY }.step(), StopStep::Interrupt);
        }
    }

    #[test]
    fn whoever_stops_the_unit_alone_waits_for_nothing() {
        for busy in [false, true] {
            assert_eq!(Stopping { host_is_stopping: false, busy, ..BUSY }.step(), StopStep::Stop);
        }
    }
}
