//! A GitHub App: from its key to a token of its installation that may do what one call needs, and no more.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::{Cause, Error};
use super::jwt::Signer;
use super::nulls;
use super::permission::Permission;
use super::{Ask, Client, Shown, ShownKind};
use crate::config::InstallationToken;

/// A token is not used for the last of its sixty minutes.
const SPARE: SignedDuration = SignedDuration::from_mins(5);

/// An App, and what GitHub has told it so far.
pub(super) struct App {
    signer: Signer,
    /// As the config has it.
    configured: Option<u64>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    installation: Option<u64>,
    tokens: BTreeMap<Permission, Kept>,
}

struct Kept {
    token: InstallationToken,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Minted {
    #[serde(deserialize_with = "nulls::secret")]
    token: SecretString,
    #[serde(default, deserialize_with = "nulls::time")]
    expires_at: Option<Timestamp>,
}

impl App {
    pub(super) fn new(signer: Signer, installation: Option<u64>) -> Self {
        Self { signer, configured: installation, known: Mutex::default() }
    }

    /// Everything that GitHub has told is asked for again.
    pub(super) async fn forget(&self) {
        *self.known.lock().await = Known::default();
    }

    /// A token for `ask`. Calls at the same time wait for one another here, so that one token is made for all.
    pub(super) async fn token(&self, client: &Client, ask: &Ask, until: Instant) -> Result<Shown, Error> {
        let mut known = self.known.lock().await;
        let is_fresh = |kept: &&Kept| kept.expires_at.duration_since(Timestamp::now()) > SPARE;
        if let Some(kept) = known.tokens.get(&ask.needs).filter(is_fresh) {
            return shown(kept.token.expose(), ShownKind::Installation).map_err(|cause| ask.error(cause));
        }
        let installation = match self.configured.or(known.installation) {
            Some(id) => id,
            None => self.find(client, until).await?,
        };
        let made = self.mint(client, installation, ask.needs, until).await;
        // An App that was installed anew has another number.
        let is_gone = matches!(&made, Err(error) if matches!(error.cause(), Cause::NotInstalled));
        known.installation = (!is_gone).then_some(installation);
        let kept = made?;
        let result = shown(kept.token.expose(), ShownKind::Installation).map_err(|cause| ask.error(cause));
        known.tokens.insert(ask.needs, kept);
        result
    }

    /// Which installation the target has.
    async fn find(&self, client: &Client, until: Instant) -> Result<u64, Error> {
        let action = format!("find the GitHub App's installation at {}", client.target);
        let ask = Ask::get(action, client.target.installation(), Permission::ReadRunners);
        let answer =
            client.send(&ask, &self.signed(&ask)?, until).await.map_err(|error| missing(&ask, error))?;
        Ok(answer.read::<Installation>().map_err(|cause| ask.error(cause))?.id)
    }

    async fn mint(
        &self,
        client: &Client,
        installation: u64,
        needs: Permission,
        until: Instant,
    ) -> Result<Kept, Error> {
        let (name, access) = needs.of_app(client.target.scope);
        let mut body = json!({ "permissions": { name: access } });
        if let (Some(repository), Some(fields)) = (client.target.repository_name(), body.as_object_mut()) {
            fields.insert("repositories".to_owned(), json!([repository]));
        }
        let action = format!("get a token of the GitHub App's installation {installation}");
        let path = format!("/app/installations/{installation}/access_tokens");
        let ask = Ask::post(action, path, Some(&body), needs);
        let answer = client.send(&ask, &self.signed(&ask)?, until).await;
        let answer = answer.map_err(|error| not_granted(&ask, missing(&ask, error), client))?;
        let minted: Minted = answer.read().map_err(|cause| ask.error(cause))?;
        let no_token = || ask.error(answer.not_github("a token that is none".to_owned()));
        let token = InstallationToken::from_github(minted.token).ok_or_else(no_token)?;
        // Without a time it is used for this one call.
        Ok(Kept { token, expires_at: minted.expires_at.unwrap_or_else(Timestamp::now) })
    }

    fn signed(&self, ask: &Ask) -> Result<Shown, Error> {
        self.signer
            .sign(Timestamp::now())
            .and_then(|secret| Shown::new(secret, ShownKind::Jwt))
            .map_err(|cause| ask.error(cause))
    }
}

fn shown(secret: &str, kind: ShownKind) -> Result<Shown, Cause> {
    Shown::new(secret.into(), kind)
}

/// To an App "not found" means that it is not installed.
fn missing(ask: &Ask, error: Error) -> Error {
    match error.cause() {
        Cause::NotFound { .. } => ask.error(Cause::NotInstalled),
        _ => error,
    }
}

/// Permissions that an installation does not have are refused as a value that is wrong.
fn not_granted(ask: &Ask, error: Error, client: &Client) -> Error {
    match error.cause() {
        Cause::Refused { status: 422, said } => {
            let needed = ask.needs.in_words(client.target.scope);
            ask.error(Cause::Forbidden { said: said.clone(), needed, accepted: None })
        }
        _ => error,
    }
}
