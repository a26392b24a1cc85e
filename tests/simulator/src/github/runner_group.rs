//! Runner groups: the default one, which every place has, and those that the admin makes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::scope::Scope;

/// The number of the default group, in every place.
pub(crate) const DEFAULT_GROUP_ID: u64 = 1;
const DEFAULT_GROUP_NAME: &str = "Default";

/// A runner group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunnerGroup {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) scope: Scope,
}

impl RunnerGroup {
    /// The runner group of the REST API; `url` is the one of all groups.
    pub(crate) fn rest(&self, url: &str) -> Value {
        json!({
            "is_hosted": false,
            "inherited": false,
            "visibility": "all",
            "allows_public_repositories": false,
            "default": self.id == DEFAULT_GROUP_ID,
            "restricted_to_workflows": false,
            "selected_workflows": [],
            "workflow_restrictions_read_only": false,
            "runners_url": format!("{url}/{}/runners", self.id),
            "hosted_runners_url": format!("{url}/{}/hosted-runners", self.id),
            "name": self.name,
            "id": self.id,
        })
    }
}

impl Ledger {
    /// The groups of a place, the default one first.
    pub(crate) fn runner_groups(&self, scope: &Scope) -> Vec<RunnerGroup> {
        let name = DEFAULT_GROUP_NAME.to_owned();
        let default = RunnerGroup { id: DEFAULT_GROUP_ID, name, scope: scope.clone() };
        let own = self.own_runner_groups.values().filter(|group| group.scope.is(scope)).cloned();
        std::iter::once(default).chain(own).collect()
    }

    /// The name of a group of any place.
    pub(crate) fn runner_group_name(&self, id: u64) -> &str {
        self.own_runner_groups.get(&id).map_or(DEFAULT_GROUP_NAME, |group| &group.name)
    }

    /// Makes a group and returns its number.
    pub(crate) fn add_runner_group(&mut self, scope: Scope, name: String) -> u64 {
        let id = self.next_id();
        self.own_runner_groups.insert(id, RunnerGroup { id, name, scope });
        id
    }
}
