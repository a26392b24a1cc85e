//! What a request needs, and what a credential grants: the permissions of fine-grained tokens and GitHub Apps, and
//! the scopes of classic tokens.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::scope::Scope;

/// Permissions by the names of GitHub's REST API, such as `administration`.
pub(crate) type Permissions = BTreeMap<String, Access>;

/// How much a permission allows; more includes less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    Read,
    Write,
    Admin,
}

impl Access {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Scopes of classic tokens that include others.
const PARENT_SCOPES: &[(&str, &[&str])] = &[
    ("repo", &["public_repo", "repo:status", "repo_deployment", "repo:invite", "security_events"]),
    ("admin:org", &["write:org", "read:org", "manage_runners:org"]),
    ("admin:enterprise", &["manage_runners:enterprise", "manage_billing:enterprise", "read:enterprise"]),
];

/// What an endpoint asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// Nothing where neither fine-grained tokens nor GitHub Apps are let in.
    permission: Option<(&'static str, Access)>,
    classic_scope: &'static str,
    /// Whether everybody may ask as long as the repository is public.
    pub(crate) is_open: bool,
    /// Whether `Runner.Listener` asks this with its registration token.
    pub(crate) takes_registration_tokens: bool,
}

impl Need {
    /// To see or to change the self-hosted runners of a place.
    pub(crate) fn runners(scope: &Scope, access: Access) -> Self {
        let (permission, classic_scope) = match scope {
            Scope::Repository { .. } => (Some(("administration", access)), "repo"),
            Scope::Organization(_) => (Some(("organization_self_hosted_runners", access)), "admin:org"),
            Scope::Enterprise(_) => (None, "manage_runners:enterprise"),
        };
        Self { permission, classic_scope, is_open: false, takes_registration_tokens: false }
    }

    /// The same for what `config.sh` does as well.
    pub(crate) fn runners_or_registration_token(scope: &Scope, access: Access) -> Self {
        Self { takes_registration_tokens: true, ..Self::runners(scope, access) }
    }

    /// To see the workflow runs of a repository.
    pub(crate) const fn workflow_runs() -> Self {
        Self {
            permission: Some(("actions", Access::Read)),
            classic_scope: "repo",
            is_open: true,
            takes_registration_tokens: false,
        }
    }

    /// To see a repository itself.
    pub(crate) const fn repository() -> Self {
        Self { permission: Some(("metadata", Access::Read)), ..Self::workflow_runs() }
    }

    /// Whether scopes of a classic token are enough.
    pub(crate) fn is_met_by_scopes(&self, scopes: &BTreeSet<String>) -> bool {
        has_scope(scopes, self.classic_scope)
    }

    /// Whether permissions are enough.
    pub(crate) fn is_met_by_permissions(&self, permissions: &Permissions) -> bool {
        self.permission.is_some_and(|(name, access)| {
            // GitHub gives this one with every other.
            name == "metadata" || permissions.get(name).is_some_and(|granted| *granted >= access)
        })
    }

    /// The `X-Accepted-GitHub-Permissions` header.
    pub(crate) fn accepted_permissions(&self) -> Option<String> {
        self.permission.map(|(name, access)| format!("{name}={}", access.name()))
    }

    /// The `X-Accepted-OAuth-Scopes` header.
    pub(crate) fn accepted_scopes(&self) -> &'static str {
        self.classic_scope
    }
}

/// Whether a scope is there, by itself or in another one.
pub(crate) fn has_scope(scopes: &BTreeSet<String>, wanted: &str) -> bool {
    scopes.contains(wanted)
        || PARENT_SCOPES
            .iter()
            .any(|(parent, included)| scopes.contains(*parent) && included.contains(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_its_children_and_not_its_parents() {
        let scopes = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert!(has_scope(&scopes(&["admin:enterprise"]), "manage_runners:enterprise"));
        assert!(!has_scope(&scopes(&["manage_runners:org", "read:org"]), "admin:org"));
        assert!(!has_scope(&scopes(&["public_repo"]), "repo"));
    }

    #[test]
    fn write_includes_read_and_not_the_other_way_round() {
        let scope = Scope::Organization("acme".to_owned());
        let granted = |access| [("organization_self_hosted_runners".to_owned(), access)].into();
        assert!(Need::runners(&scope, Access::Read).is_met_by_permissions(&granted(Access::Write)));
        assert!(!Need::runners(&scope, Access::Write).is_met_by_permissions(&granted(Access::Read)));
        assert!(!Need::workflow_runs().is_met_by_permissions(&granted(Access::Write)));
    }
}
