//! What a call has to be allowed to do, in the words of each kind of credential.

use crate::config::RunnerScope;

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Permission {
    /// Look at runners.
    ReadRunners,
    /// Make tokens, change and remove runners.
    WriteRunners,
    /// Look at workflow runs and their jobs.
    ReadActions,
}

impl Permission {
    /// Name and value as a GitHub App asks for them.
    pub(super) fn of_app(self, scope: RunnerScope) -> (&'static str, &'static str) {
        let access = if self == Self::WriteRunners { "write" } else { "read" };
        match (self, scope) {
            (Self::ReadActions, _) => ("actions", access),
            (_, RunnerScope::Repository) => ("administration", access),
            (_, RunnerScope::Organisation | RunnerScope::Enterprise) => {
                ("organization_self_hosted_runners", access)
            }
        }
    }

    /// What to give the credential, as people find it in GitHub's settings.
    pub(super) fn in_words(self, scope: RunnerScope) -> String {
        let access = if self == Self::WriteRunners { "read and write" } else { "read" };
        match (self, scope) {
            (Self::ReadActions, _) => {
                format!(
                    "an App or fine-grained token needs the repository permission Actions: {access}, a classic token the scope repo"
                )
            }
            (_, RunnerScope::Repository) => format!(
                "an App or fine-grained token needs the repository permission Administration: {access}, a classic token the scope repo and an owner who administers the repository"
            ),
            (_, RunnerScope::Organisation) => format!(
                "an App or fine-grained token needs the organisation permission Self-hosted runners: {access}, a classic token the scope admin:org"
            ),
            (_, RunnerScope::Enterprise) => {
                "it takes a classic token with the scope manage_runners:enterprise".to_owned()
            }
        }
    }
}
