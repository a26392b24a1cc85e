//! Credentials of people and programs: personal access tokens and installation tokens, and whether they are enough.
//!
//! Registration tokens and the access tokens of runners are kept apart, in `registration` and `oauth`.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::ledger::Ledger;
use super::permission::{Need, Permissions, has_scope};
use super::refusal::Refusal;
use super::scope::Scope;
use crate::identifier;

/// The account of a token whose owner a test does not care about.
const SOMEBODY: &str = "octocat";

/// What a request was sent with.
pub(crate) enum Presented {
    Nothing,
    /// `RemoteAuth`, the scheme of `Runner.Listener`.
    RegistrationToken(String),
    /// `Bearer`, `token`, or the password of `Basic`.
    Token(String),
    /// A scheme that GitHub does not know.
    Unusable,
}

impl Presented {
    /// Reads an `Authorization` header.
    pub(crate) fn read(authorization: &str) -> Self {
        let Some((scheme, secret)) = authorization.trim().split_once(' ') else {
            return if authorization.trim().is_empty() { Self::Nothing } else { Self::Unusable };
        };
        let secret = secret.trim().to_owned();
        match scheme.to_ascii_lowercase().as_str() {
            "remoteauth" => Self::RegistrationToken(secret),
            "bearer" | "token" => Self::Token(secret),
            "basic" => basic_password(&secret).map_or(Self::Unusable, Self::Token),
            _ => Self::Unusable,
        }
    }
}

/// GitHub takes a token as the password, whatever the user's name.
fn basic_password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// The repositories of one account that a credential is good for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reach {
    pub(crate) account: String,
    /// Names without the account; absent: all of them.
    #[serde(default)]
    pub(crate) repositories: Option<BTreeSet<String>>,
}

/// What a credential is good for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grant {
    Classic { scopes: BTreeSet<String> },
    FineGrained { reach: Reach, permissions: Permissions },
    Installation { installation_id: u64, reach: Reach, permissions: Permissions },
}

/// A token that was issued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Credential {
    pub(crate) id: u64,
    /// Whose it is.
    pub(crate) login: String,
    pub(crate) grant: Grant,
    pub(crate) expires_at: Option<Moment>,
}

impl Reach {
    /// Whether the place is one of those that were chosen.
    pub(crate) fn includes(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Repository { owner, name } => {
                owner.eq_ignore_ascii_case(&self.account)
                    && self
                        .repositories
                        .as_ref()
                        .is_none_or(|chosen| chosen.iter().any(|one| one.eq_ignore_ascii_case(name)))
            }
            Scope::Organization(name) => name.eq_ignore_ascii_case(&self.account),
            Scope::Enterprise(_) => false,
        }
    }

    /// The REST API's word for how repositories were chosen.
    pub(crate) fn selection(&self) -> &'static str {
        if self.repositories.is_some() { "selected" } else { "all" }
    }
}

impl Ledger {
    /// Issues a personal access token and returns it with its id.
    pub(crate) fn issue_personal_access_token(
        &mut self,
        grant: Grant,
        login: Option<String>,
        lifetime_seconds: Option<i64>,
    ) -> (String, u64) {
        let token = match grant {
            Grant::Classic { .. } => identifier::classic_token(),
            Grant::FineGrained { .. } | Grant::Installation { .. } => identifier::fine_grained_token(),
        };
        let id = self.next_id();
        let expires_at = lifetime_seconds.map(|seconds| self.now() + seconds);
        let login = login.unwrap_or_else(|| SOMEBODY.to_owned());
        self.credentials.insert(token.clone(), Credential { id, login, grant, expires_at });
        (token, id)
    }

    /// Takes a credential back.
    pub(crate) fn revoke_credential(&mut self, id: u64) -> Result<(), Refusal> {
        let before = self.credentials.len();
        self.credentials.retain(|_, credential| credential.id != id);
        if self.credentials.len() == before { Err(Refusal::NotFound) } else { Ok(()) }
    }

    /// The credential that a token is, as long as it lives.
    pub(crate) fn credential(&self, token: &str) -> Option<&Credential> {
        let known = self.credentials.get(token)?;
        known.expires_at.is_none_or(|expires_at| self.now() < expires_at).then_some(known)
    }

    /// Whether strangers are not even told that this place exists.
    fn is_hidden(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Repository { .. } => self.is_private(scope),
            Scope::Organization(_) => false,
            Scope::Enterprise(_) => true,
        }
    }

    /// Checks that what was presented is enough for what is asked.
    pub(crate) fn authorize(&self, presented: &Presented, need: &Need, scope: &Scope) -> Result<(), Refusal> {
        let is_hidden = self.is_hidden(scope);
        match presented {
            Presented::RegistrationToken(token) if need.takes_registration_tokens => {
                self.check_registration_token(token, scope)
            }
            Presented::Nothing if need.is_open && !is_hidden => Ok(()),
            Presented::Nothing if is_hidden => Err(Refusal::NotFound),
            Presented::Nothing => Err(Refusal::Unauthorized("Requires authentication")),
            Presented::RegistrationToken(_) | Presented::Unusable => Err(Refusal::BadCredentials),
            Presented::Token(token) => {
                let credential = self.credential(token).ok_or(Refusal::BadCredentials)?;
                self.check_installation(&credential.grant)?;
                judge(&credential.grant, need, scope, is_hidden)
            }
        }
    }

    /// Checks that the installation of an installation token is not suspended.
    fn check_installation(&self, grant: &Grant) -> Result<(), Refusal> {
        let Grant::Installation { installation_id, .. } = grant else { return Ok(()) };
        let installation = self.installations.get(installation_id).ok_or(Refusal::BadCredentials)?;
        installation.check_suspension()
    }
}

/// What is seen but may not be used is a 403 that says what would be needed; what is not seen does not exist.
fn judge(grant: &Grant, need: &Need, scope: &Scope, is_hidden: bool) -> Result<(), Refusal> {
    let (is_met, is_seen) = match grant {
        Grant::Classic { scopes } => {
            (need.is_met_by_scopes(scopes), !is_hidden || is_repository_seen(scopes, scope))
        }
        Grant::FineGrained { reach, permissions } | Grant::Installation { reach, permissions, .. } => {
            let is_chosen = reach.includes(scope);
            (is_chosen && need.is_met_by_permissions(permissions), !is_hidden || is_chosen)
        }
    };
    let is_closed_to_programs =
        matches!(scope, Scope::Enterprise(_)) && !matches!(grant, Grant::Classic { .. });
    if is_met || (need.is_open && !is_hidden) {
        Ok(())
    } else if is_seen || is_closed_to_programs {
        Err(forbidden(grant, need))
    } else {
        Err(Refusal::NotFound)
    }
}

fn is_repository_seen(scopes: &BTreeSet<String>, scope: &Scope) -> bool {
    matches!(scope, Scope::Repository { .. }) && has_scope(scopes, "repo")
}

fn forbidden(grant: &Grant, need: &Need) -> Refusal {
    let (message, headers) = match grant {
        Grant::Classic { scopes } => {
            let granted = scopes.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let accepted = need.accepted_scopes().to_owned();
            let headers = vec![("x-oauth-scopes", granted), ("x-accepted-oauth-scopes", accepted)];
            ("Must have admin rights to Repository.", headers)
        }
        Grant::FineGrained { .. } => {
            ("Resource not accessible by personal access token", accepted_permissions(need))
        }
        Grant::Installation { .. } => ("Resource not accessible by integration", accepted_permissions(need)),
    };
    Refusal::Forbidden { message: message.to_owned(), headers }
}

fn accepted_permissions(need: &Need) -> Vec<(&'static str, String)> {
    need.accepted_permissions()
        .map(|accepted| ("x-accepted-github-permissions", accepted))
        .into_iter()
        .collect()
}
