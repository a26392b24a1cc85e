//! GitHub Apps, their installations, and the tokens of those.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::Moment;
use super::credential::{Credential, Grant, Reach};
use super::ledger::Ledger;
use super::permission::{Access, Permissions};
use super::refusal::Refusal;
use super::repository::{account, number_of};
use super::scope::Scope;
use crate::identifier;

/// Installation tokens live for one hour.
const TOKEN_LIFETIME_SECONDS: i64 = 3600;

/// A GitHub App.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) client_id: String,
    pub(crate) slug: String,
    /// The public key, as PKCS #1 DER.
    pub(crate) key: Vec<u8>,
    pub(crate) created_at: Moment,
}

/// A GitHub App on an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Installation {
    pub(crate) id: u64,
    pub(crate) app_id: u64,
    /// `Organization` or `User`.
    pub(crate) account_type: String,
    pub(crate) reach: Reach,
    pub(crate) permissions: Permissions,
    pub(crate) suspended_at: Option<Moment>,
    pub(crate) created_at: Moment,
}

/// How an installation token is to be narrowed down.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Restriction {
    /// Names without the account.
    pub(crate) repositories: Option<BTreeSet<String>>,
    pub(crate) repository_ids: Option<BTreeSet<u64>>,
    pub(crate) permissions: Option<Permissions>,
}

impl App {
    /// The GitHub App of the REST API.
    pub(crate) fn rest(&self, installations: usize, origin: &str) -> Value {
        json!({
            "installations_count": installations,
            "permissions": { "metadata": "read" },
            "events": [],
            "owner": account("octocat", "User", origin),
            "description": null,
            "external_url": origin,
            "html_url": format!("{origin}/apps/{}", self.slug),
            "name": self.slug,
            "slug": self.slug,
            "client_id": self.client_id,
            "node_id": format!("A_{}", self.id),
            "id": self.id,
            "created_at": self.created_at.in_seconds(),
            "updated_at": self.created_at.in_seconds(),
        })
    }
}

impl Installation {
    /// A suspended installation gets no tokens, and those that it has are of no use.
    pub(crate) fn check_suspension(&self) -> Result<(), Refusal> {
        match self.suspended_at {
            None => Ok(()),
            Some(_) => Err(Refusal::Forbidden {
                message: "This installation has been suspended".to_owned(),
                headers: Vec::new(),
            }),
        }
    }

    /// The installation of the REST API.
    pub(crate) fn rest(&self, app: &App, origin: &str) -> Value {
        let url = format!("{origin}/app/installations/{}", self.id);
        json!({
            "permissions": with_metadata(&self.permissions),
            "events": [],
            "account": account(&self.reach.account, &self.account_type, origin),
            "repository_selection": self.reach.selection(),
            "access_tokens_url": format!("{url}/access_tokens"),
            "repositories_url": format!("{origin}/installation/repositories"),
            "html_url": format!("{origin}/organizations/{}/settings/installations/{}", self.reach.account, self.id),
            "app_slug": app.slug,
            "app_id": app.id,
            "client_id": app.client_id,
            "target_id": number_of(&self.reach.account),
            "target_type": self.account_type,
            "single_file_name": null,
            "suspended_by": null,
            "suspended_at": self.suspended_at.map(Moment::in_seconds),
            "created_at": self.created_at.in_seconds(),
            "updated_at": self.created_at.in_seconds(),
            "id": self.id,
        })
    }

    /// What a token of this installation reaches and may do once it is narrowed down.
    fn narrow(&self, restriction: Restriction) -> Result<(Reach, Permissions), Refusal> {
        let mut reach = self.reach.clone();
        let by_number = restriction.repository_ids.map(|ids| self.names_of(&ids)).transpose()?;
        if let Some(names) = restriction.repositories.or(by_number) {
            let owner = &self.reach.account;
            let is_reached = |name: &String| {
                self.reach.includes(&Scope::Repository { owner: owner.clone(), name: name.clone() })
            };
            if !names.iter().all(is_reached) {
                return Err(no_such_repository());
            }
            reach.repositories = Some(names);
        }
        let permissions = restriction.permissions.unwrap_or_else(|| self.permissions.clone());
        let is_granted = |(name, access): (&String, &Access)| {
            name == "metadata" || self.permissions.get(name).is_some_and(|granted| granted >= access)
        };
        if !permissions.iter().all(is_granted) {
            return Err(Refusal::Unprocessable(
                "The permissions requested are not granted to this installation.".to_owned(),
            ));
        }
        Ok((reach, permissions))
    }

    /// Numbers can only be told to names where the repositories were chosen one by one.
    fn names_of(&self, ids: &BTreeSet<u64>) -> Result<BTreeSet<String>, Refusal> {
        let chosen = self.reach.repositories.iter().flatten();
        let names: BTreeSet<String> = chosen
            .filter(|name| ids.contains(&number_of(&format!("{}/{name}", self.reach.account))))
            .cloned()
            .collect();
        if names.len() == ids.len() { Ok(names) } else { Err(no_such_repository()) }
    }
}

fn no_such_repository() -> Refusal {
    Refusal::Unprocessable(
        "There is at least one repository that does not exist or is not accessible to the parent installation."
            .to_owned(),
    )
}

/// GitHub gives this permission with every other.
fn with_metadata(permissions: &Permissions) -> Permissions {
    let mut permissions = permissions.clone();
    permissions.insert("metadata".to_owned(), Access::Read);
    permissions
}

impl Ledger {
    /// The installation of this number, if it is one of the app.
    pub(crate) fn installation_of(&self, id: u64, app: &App) -> Result<&Installation, Refusal> {
        let own = |installation: &&Installation| installation.app_id == app.id;
        self.installations.get(&id).filter(own).ok_or(Refusal::NotFound)
    }

    /// Issues an installation token and answers as the REST API does.
    pub(crate) fn issue_installation_token(
        &mut self,
        id: u64,
        restriction: Restriction,
        origin: &str,
    ) -> Result<Value, Refusal> {
        let installation = self.installations.get(&id).ok_or(Refusal::NotFound)?;
        installation.check_suspension()?;
        let is_chosen = restriction.repositories.is_some() || restriction.repository_ids.is_some();
        let (reach, permissions) = installation.narrow(restriction)?;
        let token = identifier::installation_token(installation.app_id);
        let expires_at = self.now() + TOKEN_LIFETIME_SECONDS;
        let mut answer = json!({
            "has_multiple_single_files": false,
            "permissions": with_metadata(&permissions),
            "repository_selection": reach.selection(),
            "expires_at": expires_at.in_seconds(),
            "token": token,
        });
        if is_chosen && let Some(fields) = answer.as_object_mut() {
            let owner = &reach.account;
            let view = |name: &String| {
                self.repository(&Scope::Repository { owner: owner.clone(), name: name.clone() }, origin)
            };
            let views: Vec<Value> = reach.repositories.iter().flatten().map(view).collect();
            fields.insert("repositories".to_owned(), views.into());
        }
        let login = format!("{owner}[bot]", owner = reach.account);
        let grant = Grant::Installation { installation_id: id, reach, permissions };
        let credential = Credential { id: self.next_id(), login, grant, expires_at: Some(expires_at) };
        self.credentials.insert(token, credential);
        Ok(answer)
    }
}
