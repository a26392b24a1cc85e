//! What the caller of a plan allows.

use crate::fleet::ObservedRunner;

/// Which runners a plan may end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MayEnd {
    /// Idle ones. One with a workflow job that is to restart has its new text written, and takes it at its next start.
    #[default]
    Idle,
    /// All, although workflow jobs run on them.
    All,
    /// None that runs: one that has to end keeps its old files, until somebody has ended it and plans again.
    Stopped,
}

/// What the caller allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Permissions {
    /// Which runners may be ended.
    pub may_end: MayEnd,
    /// Start nothing that is not running.
    pub no_start: bool,
}

impl Permissions {
    pub(super) fn allows_end(self, runner: &ObservedRunner) -> bool {
        match self.may_end {
            MayEnd::All => true,
            MayEnd::Idle => !runner.busy,
            MayEnd::Stopped => !runner.running && !runner.busy,
        }
    }
}
