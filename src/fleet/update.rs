//! Which runner gets a new image next. Pure.
//!
//! One after the other: the first is the canary, and the next is touched only while every runner that has the new image is online. A runner with a workflow job is
//! never ended, unless people ask for it; of those that wait, whichever is idle first comes next.

use super::RunnerNow;

/// A runner, as far as an update has to know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is the answer to a question of its own")]
pub struct OnImage {
    /// Its state.
    pub now: RunnerNow,
    /// A workflow job runs on it.
    pub busy: bool,
    /// The id of the image that its container runs; `None` where it has none.
    pub image: Option<String>,
    /// Its unit, as systemd has read it, names the reference that is being updated.
    pub named: bool,
    /// Its unit is active, and it has a session at GitHub.
    pub online: bool,
    /// It has got the new image, and was online with it.
    pub replaced: bool,
}

/// One reference, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The id of the image that it meant before.
    pub before: Option<String>,
    /// The id of the image that it means now.
    pub new: String,
    /// End runners although a workflow job runs on them.
    pub force: bool,
}

/// How a runner stands to an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It runs the new image.
    Current,
    /// It is to get it.
    Outdated,
    /// It does not run, and takes the new image when it is started.
    Stopped,
    /// It is out of service, and takes the new image when it comes back.
    Drained,
    /// What it was started with is not what the config or its unit says now: that is `install-units`' affair.
    Changed,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateStep {
    /// Start this runner on the new image.
    Replace(u16),
    /// These run workflow jobs.
    Wait(Vec<u16>),
    /// This runner has the new image and is not online: nothing else is to be touched.
    Hold(u16),
    /// Every runner that should have the new image has it.
    Done,
}

impl Update {
    /// How `runner` stands to it.
    #[must_use]
    pub fn standing(&self, runner: &OnImage) -> Standing {
        let now = &runner.now;
        if now.drained {
            return Standing::Drained;
        }
        if !now.running && !now.failed {
            return Standing::Stopped;
        }
        // One that failed, or is between two starts, has no container: what it tried to run is what the reference meant.
        let image = runner.image.as_ref().or(self.before.as_ref());
        if runner.replaced || image == Some(&self.new) {
            Standing::Current
        } else if now.outdated || !runner.named {
            Standing::Changed
        } else {
            Standing::Outdated
        }
    }

    /// What to do, given all runners of the reference. `passed_over` was called busy by GitHub just now: others come first.
    #[must_use]
    pub fn step(&self, runners: &[OnImage], passed_over: Option<u16>) -> UpdateStep {
        let of = |standing| runners.iter().filter(move |runner| self.standing(runner) == standing);
        let mut outdated: Vec<&OnImage> = of(Standing::Outdated).collect();
        // Without a container it is not the new image that keeps it.
        let has_it = |runner: &OnImage| runner.replaced || !outdated.is_empty() && runner.image.is_some();
        if let Some(unwell) = of(Standing::Current).find(|runner| has_it(runner) && !runner.online) {
            return UpdateStep::Hold(unwell.now.number);
        }
        if outdated.is_empty() {
            return UpdateStep::Done;
        }
        outdated.sort_by_key(|runner| (Some(runner.now.number) == passed_over, runner.now.number));
        match outdated.iter().find(|runner| self.force || !runner.busy) {
            Some(next) => UpdateStep::Replace(next.now.number),
            None => UpdateStep::Wait(outdated.iter().map(|runner| runner.now.number).collect()),
        }
    }
}

#[cfg(test)]
mod tests;
