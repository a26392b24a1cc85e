//! Calls that hand out what a runner registers with.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::permission::Permission::WriteRunners;
use super::retry::Repeat;
use super::{Ask, Client, Runner, nulls};
use crate::config::{JitConfig, RegistrationToken, RemovalToken};

/// A token and the end of its hour.
pub struct Expiring<T> {
    /// The token.
    pub token: T,
    /// From then on GitHub refuses it.
    pub expires_at: Timestamp,
}

/// The one runner that a JIT config is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JitRequest {
    /// Its name, which no other runner may have.
    pub name: String,
    /// Its runner group; GitHub's default group is 1.
    pub runner_group_id: u64,
    /// All its labels, those that other runners get by themselves included.
    pub labels: Vec<String>,
    /// Its work folder, relative to where the runner is.
    pub work_folder: String,
}

/// A runner that GitHub has made, and what it starts with.
pub struct JitRunner {
    /// The runner, not connected yet.
    pub runner: Runner,
    /// What its program is started with.
    pub config: JitConfig,
}

#[derive(Deserialize)]
struct Token {
    #[serde(deserialize_with = "nulls::secret")]
    token: SecretString,
    #[serde(default, deserialize_with = "nulls::time")]
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Jit {
    runner: Runner,
    #[serde(deserialize_with = "nulls::secret")]
    encoded_jit_config: SecretString,
}

impl Client {
    /// A token with which any number of runners can register here for an hour.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn registration_token(&self) -> Result<Expiring<RegistrationToken>, Error> {
        self.token("registration", RegistrationToken::from_github).await
    }

    /// A token with which runners can be removed here for an hour.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn remove_token(&self) -> Result<Expiring<RemovalToken>, Error> {
        self.token("remove", RemovalToken::from_github).await
    }

    async fn token<T>(
        &self,
        kind: &str,
        from: impl FnOnce(SecretString) -> Option<T>,
    ) -> Result<Expiring<T>, Error> {
        let action = format!("get a {kind} token for {}", self.target);
        let path = self.target.runners(&format!("/{kind}-token"));
        let ask = Ask::post(action, path, None, WriteRunners);
        let answer = self.ask(&ask, self.until()).await?;
        let read: Token = answer.read().map_err(|cause| ask.error(cause))?;
        match (from(read.token), read.expires_at) {
            (Some(token), Some(expires_at)) => Ok(Expiring { token, expires_at }),
            _ => Err(ask.error(answer.not_github("a token that is none".to_owned()))),
        }
    }

    /// Makes a runner for one workflow job. An answer that is lost is told as such and the runner may be there: this is never tried twice.
    ///
    /// # Errors
    /// Why there is none, or why it is not known.
    pub async fn generate_jit_config(&self, request: &JitRequest) -> Result<JitRunner, Error> {
        let action = format!("make a JIT config for {} at {}", request.name, self.target);
        let path = self.target.runners("/generate-jitconfig");
        let ask =
            Ask { repeat: Repeat::Harmful, ..Ask::post(action, path, Some(&json!(request)), WriteRunners) };
        let answer = self.ask(&ask, self.until()).await?;
        let read: Jit = answer.read().map_err(|cause| ask.error(cause))?;
        match JitConfig::from_github(read.encoded_jit_config) {
            Some(config) => Ok(JitRunner { runner: read.runner, config }),
            None => Err(ask.error(answer.not_github("a JIT config that is none".to_owned()))),
        }
    }
}
