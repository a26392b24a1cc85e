//! The labels of runners: those of the system stay, all others can be changed.

use super::ledger::Ledger;
use super::refusal::Refusal;
use super::runner::{Label, Runner};
use super::scope::Scope;

const MAXIMUM_COUNT: usize = 100;
const MAXIMUM_LENGTH: usize = 256;
/// The labels that GitHub itself gives to runners of this system.
const SYSTEM_LABELS: &[&str] = &["self-hosted", "linux", "x64", "arm64"];

/// Checks the names in a request.
pub(crate) fn check(names: &[String], minimum: usize) -> Result<(), Refusal> {
    if (minimum..=MAXIMUM_COUNT).contains(&names.len())
        && names.iter().all(|name| (1..=MAXIMUM_LENGTH).contains(&name.chars().count()))
    {
        return Ok(());
    }
    Err(Refusal::Unprocessable(format!(
        "Invalid request.\n\nlabels must have {minimum} to {MAXIMUM_COUNT} items of 1 to {MAXIMUM_LENGTH} characters."
    )))
}

impl Label {
    /// A label, of the system if it has the name of one.
    pub(crate) fn named(name: String, id: u64) -> Self {
        let is_system = SYSTEM_LABELS.iter().any(|system| name.eq_ignore_ascii_case(system));
        Self { id, name, kind: if is_system { "system" } else { "user" }.to_owned() }
    }

    /// Whether the label cannot be taken away.
    pub(crate) fn is_read_only(&self) -> bool {
        self.kind.eq_ignore_ascii_case("system")
    }
}

impl Ledger {
    /// Adds labels; those that are there stay as they are.
    pub(crate) fn add_labels(
        &mut self,
        id: u64,
        scope: &Scope,
        names: Vec<String>,
    ) -> Result<&Runner, Refusal> {
        self.runner_of(id, scope)?;
        for name in names {
            let label = Label { id: self.next_id(), name, kind: "user".to_owned() };
            if let Some(runner) = self.runners.get_mut(&id)
                && !runner.has_labels(std::slice::from_ref(&label.name))
            {
                runner.labels.push(label);
            }
        }
        self.runner_of(id, scope)
    }

    /// Takes all labels away that can be taken, and adds these.
    pub(crate) fn set_labels(
        &mut self,
        id: u64,
        scope: &Scope,
        names: Vec<String>,
    ) -> Result<&Runner, Refusal> {
        self.runner_of(id, scope)?;
        if let Some(runner) = self.runners.get_mut(&id) {
            runner.labels.retain(Label::is_read_only);
        }
        self.add_labels(id, scope, names)
    }

    /// Takes one label away.
    pub(crate) fn remove_label(&mut self, id: u64, scope: &Scope, name: &str) -> Result<&Runner, Refusal> {
        let is_it = |label: &Label| label.name.eq_ignore_ascii_case(name);
        let label =
            self.runner_of(id, scope)?.labels.iter().find(|label| is_it(label)).ok_or(Refusal::NotFound)?;
        if label.is_read_only() {
            return Err(Refusal::Unprocessable(format!(
                "Bad request - The label {} is read-only and cannot be removed.",
                label.name
            )));
        }
        if let Some(runner) = self.runners.get_mut(&id) {
            runner.labels.retain(|label| !is_it(label));
        }
        self.runner_of(id, scope)
    }
}
