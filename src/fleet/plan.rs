//! From what should be and what is to the steps between them, in the order that leaves the host whole at any cut.
//!
//! Removed units are stopped before systemd forgets them; scripts and slices are written before the runners that need
//! them; running runners are touched last. A runner with a workflow job is never ended.

mod permissions;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub use permissions::{MayEnd, Permissions};

use super::ids::Account;
use super::names;
use super::observed::{FoundFile, Observed};
use crate::units::{UnitFile, digest_of};

/// One step on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make the account of a private engine, or complete it.
    AddAccount(Account),
    /// Remove the account of a private engine, and the images that it alone could use.
    RemoveAccount(Account),
    /// Stop a unit.
    Stop(String),
    /// Delete a file of ours.
    Remove(PathBuf),
    /// Write a file: temp, fsync, rename.
    Write(UnitFile),
    /// systemd reads all unit files again and runs its generators.
    Reload,
    /// Start the unit at boot.
    Enable(String),
    /// No longer start the unit at boot.
    Disable(String),
    /// Start units, all at once.
    Start(Vec<String>),
    /// Restart units, all at once.
    Restart(Vec<String>),
}

/// Why a runner was left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBack {
    /// Its new text waits for its next start.
    Restart,
    /// It should go, or its files should, but they stay as long as it may not be ended.
    Removal,
}

/// The steps from what is to what should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// Runners that are left alone because they may not be ended.
    pub held_back: Vec<(u16, HeldBack)>,
}

/// Files that stand in the way and are not ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} not written by runnerctl", list(.0))]
pub struct ForeignFiles(pub Vec<PathBuf>);

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    format!("{} {}", names.join(", "), if names.len() == 1 { "exists and was" } else { "exist and were" })
}

/// Accounts that have the names of ours and other ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the account {} exists and is not made for a private engine", .0.join(", "))]
pub struct ForeignAccounts(pub Vec<String>);

impl Plan {
    /// Is there nothing to do?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Without the steps that need a systemd: below a `--root` there are files alone.
    #[must_use]
    pub fn files_only(mut self) -> Self {
        self.steps.retain(|step| matches!(step, Step::Write(_) | Step::Remove(_)));
        self
    }

    /// The steps that make `observed` the fleet whose files are `desired`.
    ///
    /// # Errors
    /// Files of somebody else in the places of ours; then nothing may be done at all.
    pub fn install(
        desired: &[UnitFile],
        observed: &Observed,
        allowed: Permissions,
    ) -> Result<Self, ForeignFiles> {
        let foreign: Vec<PathBuf> = desired
            .iter()
            .filter(|file| observed.files.get(&file.path) == Some(&FoundFile::Foreign))
            .map(|file| file.path.clone())
            .collect();
        if !foreign.is_empty() {
            return Err(ForeignFiles(foreign));
        }
        let mut plan = Self::default();
        let wanted: BTreeSet<u16> =
            desired.iter().filter_map(|file| names::runner_of(&file.name())).collect();
        let paths: BTreeSet<&PathBuf> = desired.iter().map(|file| &file.path).collect();
        let stopped = plan.remove_obsolete(&wanted, &paths, observed, allowed);
        if allowed.may_end == MayEnd::Stopped {
            plan.hold_outdated(desired, observed);
        }
        plan.write_changed(desired, observed);
        // Enabling works on the files alone, and outdates what systemd has read as much as a changed file does.
        if !observed.enabled {
            plan.steps.push(Step::Enable(names::TARGET.to_owned()));
        }
        let outdates = |step: &Step| matches!(step, Step::Remove(_) | Step::Write(_) | Step::Enable(_));
        if plan.steps.iter().any(outdates) || observed.interrupted {
            plan.steps.push(Step::Reload);
        }
        plan.start_and_restart(desired, observed, &stopped, allowed);
        Ok(plan)
    }

    /// With the steps that leave the host with exactly the accounts that `wanted` names: made before anything needs them, removed when nothing does any more.
    ///
    /// # Errors
    /// Accounts of somebody else with the names of ours; then nothing may be done at all.
    pub fn with_accounts(self, wanted: &[Account], observed: &Observed) -> Result<Self, ForeignAccounts> {
        let is_foreign = |account: &&Account| {
            observed.accounts.get(&account.number).is_some_and(|found| found.range != Some(account.range))
        };
        let foreign: Vec<String> = wanted.iter().filter(is_foreign).map(|account| account.name()).collect();
        if foreign.is_empty() {
            Ok(self.with_own_accounts(wanted, observed))
        } else {
            Err(ForeignAccounts(foreign))
        }
    }

    fn with_own_accounts(mut self, wanted: &[Account], observed: &Observed) -> Self {
        let complete = |account: &Account| {
            observed
                .accounts
                .get(&account.number)
                .is_some_and(|found| found.complete && found.range == Some(account.range))
        };
        let missing = wanted.iter().filter(|account| !complete(account)).copied().map(Step::AddAccount);
        self.steps.splice(0..0, missing);
        for (&number, found) in &observed.accounts {
            let stays = wanted.iter().any(|account| account.number == number)
                || self.held_back.iter().any(|(held, _)| *held == number);
            if let (true, false, Some(range)) = (found.ours, stays, found.range) {
                self.steps.push(Step::RemoveAccount(Account { number, range }));
            }
        }
        self
    }

    /// The steps that remove everything of ours.
    #[must_use]
    pub fn uninstall(observed: &Observed, allowed: Permissions) -> Self {
        let mut plan = Self::default();
        let stay = runners_to_stay(observed, allowed);
        if !stay.is_empty() {
            plan.held_back = stay.into_iter().map(|number| (number, HeldBack::Removal)).collect();
            return plan;
        }
        let ours: Vec<&PathBuf> = ours(observed).collect();
        if ours.is_empty() && !observed.enabled {
            if observed.interrupted {
                plan.steps.push(Step::Reload);
            }
            return plan.with_own_accounts(&[], observed);
        }
        let companions = names::COMPANIONS.iter().filter(|name| observed.companions_active.contains(*name));
        plan.steps.extend(companions.map(|name| Step::Stop((*name).to_owned())));
        let running = observed.runners.iter().filter(|(_, runner)| runner.running);
        plan.steps.extend(running.map(|(number, _)| Step::Stop(names::service(*number))));
        if observed.enabled {
            plan.steps.push(Step::Disable(names::TARGET.to_owned()));
        }
        plan.steps.push(Step::Stop(names::TARGET.to_owned()));
        plan.steps.push(Step::Stop(names::FLEET_SLICE.to_owned()));
        plan.steps.extend(ours.into_iter().cloned().map(Step::Remove));
        plan.steps.push(Step::Reload);
        plan.with_own_accounts(&[], observed)
    }

    /// Stops and removes files that are ours and no longer wanted; returns the runners that were stopped and are still wanted.
    fn remove_obsolete(
        &mut self,
        wanted: &BTreeSet<u16>,
        paths: &BTreeSet<&PathBuf>,
        observed: &Observed,
        allowed: Permissions,
    ) -> BTreeSet<u16> {
        let mut stopped = BTreeSet::new();
        let mut removals = Vec::new();
        for path in ours(observed).filter(|path| !paths.contains(path)) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let number = names::runner_of(&name);
            let runner = number.and_then(|number| observed.runners.get(&number));
            let stays = runner.is_some_and(|runner| !allowed.allows_end(runner));
            if let (Some(number), true) = (number, stays) {
                if !self.holds_back(number) {
                    self.held_back.push((number, HeldBack::Removal));
                }
                continue;
            }
            if observed.companions_active.contains(name.as_str()) {
                self.steps.push(Step::Stop(name.clone()));
            }
            let running = runner.is_some_and(|runner| runner.running);
            // These may be started while the runner is not.
            let is_own = path.extension().is_some_and(|end| end == "socket" || end == "slice");
            if let (Some(number), true) = (number, running || is_own) {
                let stop = Step::Stop(unit_to_stop(path, name, number));
                if !self.steps.contains(&stop) {
                    self.steps.push(stop);
                }
                if running && wanted.contains(&number) {
                    stopped.insert(number);
                }
            }
            removals.push(Step::Remove(path.clone()));
        }
        self.steps.extend(removals);
        stopped
    }

    fn holds_back(&self, number: u16) -> bool {
        self.held_back.iter().any(|(held, _)| *held == number)
    }

    /// Holds back what runs with another text: it keeps it until it has ended.
    fn hold_outdated(&mut self, desired: &[UnitFile], observed: &Observed) {
        for (number, digest) in desired.iter().filter_map(runner_text) {
            let is_outdated = observed
                .runners
                .get(&number)
                .is_some_and(|runner| runner.running && !runner.drained && runner.is_outdated(digest));
            if is_outdated && !self.holds_back(number) {
                self.held_back.push((number, HeldBack::Restart));
            }
        }
    }

    fn write_changed(&mut self, desired: &[UnitFile], observed: &Observed) {
        for file in desired {
            let same = matches!(observed.files.get(&file.path), Some(FoundFile::Ours { text, mode }) if *text == file.text && *mode == file.mode);
            // A runner whose old file has to stay keeps its old text altogether.
            let held = names::runner_of(&file.name()).is_some_and(|number| self.holds_back(number));
            if !same && !held {
                self.steps.push(Step::Write(file.clone()));
            }
        }
    }

    fn start_and_restart(
        &mut self,
        desired: &[UnitFile],
        observed: &Observed,
        stopped: &BTreeSet<u16>,
        allowed: Permissions,
    ) {
        let (mut start, mut restart) = (Vec::new(), Vec::new());
        for (number, digest) in desired.iter().filter_map(runner_text) {
            if self.holds_back(number) {
                continue;
            }
            let runner = observed.runners.get(&number).cloned().unwrap_or_default();
            if runner.drained {
                // It takes its new text when it comes back; until then its unit cannot start.
                continue;
            }
            if !runner.running || stopped.contains(&number) {
                if !allowed.no_start || stopped.contains(&number) {
                    start.push(names::service(number));
                }
            } else if runner.is_outdated(digest) {
                if allowed.allows_end(&runner) {
                    restart.push(names::service(number));
                } else {
                    self.held_back.push((number, HeldBack::Restart));
                }
            }
        }
        for unit in companions(desired) {
            if observed.companions_active.contains(unit) {
                restart.extend(self.is_outdated(unit, observed).then(|| unit.to_owned()));
            } else if !allowed.no_start {
                // The target wants it, but one that is started already would not look for it again.
                start.push(unit.to_owned());
            }
        }
        // Last, so that the others' own systemd jobs are there already and none is started twice.
        if !observed.target_active && !allowed.no_start {
            start.push(names::TARGET.to_owned());
        }
        if !restart.is_empty() {
            self.steps.push(Step::Restart(restart));
        }
        if !start.is_empty() {
            self.steps.push(Step::Start(start));
        }
    }

    /// A socket listens, and its service runs, as their files said when they were started. What a run that was cut off wrote may not have been followed by a restart.
    /// A timer takes a new file by itself when systemd reloads, and so does a helper that starts for each question.
    fn is_outdated(&self, unit: &str, observed: &Observed) -> bool {
        // The report server itself may not be started; one that is follows its socket.
        let files: &[&str] = match unit {
            names::REPORTS_SOCKET => &[names::REPORTS_SERVICE, names::REPORTS_SOCKET],
            names::MONITOR_SERVICE => &[names::MONITOR_SERVICE],
            names::MONITOR_SOCKET => &[names::MONITOR_SOCKET],
            names::HEAL_SOCKET => &[names::HEAL_SOCKET],
            _ => &[],
        };
        let is_written =
            |step: &Step| matches!(step, Step::Write(file) if files.contains(&file.name().as_str()));
        !files.is_empty() && (observed.interrupted || self.steps.iter().any(is_written))
    }
}

/// A slice goes after its service has left it, and the socket of an engine takes engine and runner with it; a unit whose file merely moves
/// (Quadlet to service) is stopped by the old text.
fn unit_to_stop(path: &Path, name: String, number: u16) -> String {
    match path.extension().and_then(OsStr::to_str) {
        Some("slice" | "socket") => name,
        _ => names::service(number),
    }
}

fn companions(desired: &[UnitFile]) -> impl Iterator<Item = &'static str> {
    names::COMPANIONS.into_iter().filter(|name| desired.iter().any(|file| file.name() == *name))
}

fn ours(observed: &Observed) -> impl Iterator<Item = &PathBuf> {
    observed.files.iter().filter(|(_, file)| matches!(file, FoundFile::Ours { .. })).map(|(path, _)| path)
}

fn runners_to_stay(observed: &Observed, allowed: Permissions) -> Vec<u16> {
    let stay = observed.runners.iter().filter(|(_, runner)| !allowed.allows_end(runner));
    stay.map(|(number, _)| *number).collect()
}

/// The runner that is started with this file, and the digest of its text.
fn runner_text(file: &UnitFile) -> Option<(u16, &str)> {
    names::runner_of(&file.name()).zip(digest_of(&file.text))
}

#[cfg(test)]
mod tests;
