//! Access tokens for the runner's key.

use std::time::{Duration, Instant};

use hyper::Method;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::broker::BrokerError;
use super::files::Credentials;
use super::key::RsaParameters;
use super::registration::status_message;
use crate::http_client::{HttpClient, Outgoing};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A token is renewed this long before it ends.
const MARGIN: Duration = Duration::from_secs(60);

/// Gets access tokens and keeps the last one.
#[derive(Debug)]
pub(crate) struct AccessTokens {
    client: HttpClient,
    credentials: Credentials,
    key: RsaParameters,
    current: Mutex<Option<(String, Instant)>>,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Denial {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl AccessTokens {
    pub(crate) fn new(client: HttpClient, credentials: Credentials, key: RsaParameters) -> Self {
        Self { client, credentials, key, current: Mutex::new(None) }
    }

    /// A token that still lives for a while.
    pub(crate) async fn get(&self) -> Result<String, BrokerError> {
        let mut current = self.current.lock().await;
        if let Some((token, end)) = &*current
            && *end > Instant::now()
        {
            return Ok(token.clone());
        }
        let grant = self.fetch().await?;
        let lifetime = Duration::from_secs(grant.expires_in).saturating_sub(MARGIN);
        *current = Some((grant.access_token.clone(), Instant::now() + lifetime));
        Ok(grant.access_token)
    }

    /// Forgets the token, because it was refused or GitHub asked for it.
    pub(crate) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    async fn fetch(&self) -> Result<Grant, BrokerError> {
        let data = &self.credentials.data;
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_assertion_type", ASSERTION_TYPE)
            .append_pair("client_assertion", &self.key.assertion(&data.client_id, &data.authorization_url))
            .finish();
        let outgoing = Outgoing {
            content_type: Some("application/x-www-form-urlencoded"),
            body: body.into(),
            ..Outgoing::default()
        };
        let answer = self
            .client
            .send(Method::POST, &data.authorization_url, outgoing)
            .await
            .map_err(|failure| BrokerError::Temporary(failure.to_string()))?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body)
                .map_err(|error| BrokerError::Temporary(error.to_string()));
        }
        match serde_json::from_slice::<Denial>(&answer.body) {
            Ok(denial) if denial.error == "invalid_client" => Err(BrokerError::RegistrationDeleted),
            Ok(denial) => {
                Err(BrokerError::Denied(format!("{} ({})", denial.error_description, denial.error)))
            }
            Err(_) => Err(BrokerError::Temporary(status_message(answer.status))),
        }
    }
}
