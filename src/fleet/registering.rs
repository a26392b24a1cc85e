//! May a runner be registered, and has it to be? Pure.

/// A runner that `register` is asked to register, as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is the answer to a question of its own")]
pub struct Registering {
    /// systemd knows its unit.
    pub installed: bool,
    /// It has an identity, made with what the config says.
    pub registered: bool,
    /// It is out of service: its unit does not start.
    pub drained: bool,
    /// A workflow job runs on it.
    pub busy: bool,
    /// It is to be registered although it has an identity.
    pub again: bool,
    /// Its workflow job may be cancelled.
    pub force: bool,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its unit has to be installed first.
    NotInstalled,
    /// It has to be taken back into service first.
    Drained,
    /// It needs no registration.
    NeedsNone,
    /// Its workflow job has to end first.
    Busy,
    /// Register it.
    Register,
}

impl Registering {
    /// The answer.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self { installed: false, .. } => Verdict::NotInstalled,
            Self { registered: true, again: false, .. } => Verdict::NeedsNone,
            Self { drained: true, .. } => Verdict::Drained,
            Self { busy: true, force: false, .. } => Verdict::Busy,
            _ => Verdict::Register,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Registering = Registering {
        installed: true,
        registered: false,
        drained: false,
        busy: false,
        again: false,
        force: false,
    };

    #[test]
    fn a_runner_without_an_identity_is_registered_and_one_with_it_only_when_asked_again() {
        assert_eq!(FAILED.verdict(), Verdict::Register);
        let working = Registering { registered: true, ..FAILED };
        assert_eq!(working.verdict(), Verdict::NeedsNone);
        assert_eq!(Registering { again: true, ..working }.verdict(), Verdict::Register);
    }

    #[test]
    fn a_workflow_job_is_cancelled_by_force_alone() {
        let busy = Registering { busy: true, ..FAILED };
        assert_eq!(busy.verdict(), Verdict::Busy);
        assert_eq!(Registering { force: true, ..busy }.verdict(), Verdict::Register);
        // Nothing is to be done to a working one, so nothing is refused.
        assert_eq!(Registering { registered: true, ..busy }.verdict(), Verdict::NeedsNone);
    }

    #[test]
    fn what_could_not_start_is_not_registered() {
        assert_eq!(Registering { installed: false, ..FAILED }.verdict(), Verdict::NotInstalled);
        assert_eq!(Registering { drained: true, ..FAILED }.verdict(), Verdict::Drained);
    }
}
