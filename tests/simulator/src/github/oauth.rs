//! Access tokens of runners: a signed assertion in, a bearer token out.
//!
//! The signature itself is not computed over anything here. What counts for the tests is *which* key signed, so the
//! assertion's header must name the key by the start of its modulus; a replaced key is then refused as at GitHub.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::clock::Moment;
use super::ledger::Ledger;
use super::refusal::Refusal;
use crate::identifier;

/// How long an access token lives.
pub(crate) const LIFETIME_SECONDS: i64 = 3000;
/// How many characters of the modulus name a key.
const KEY_NAME_LENGTH: usize = 43;
/// How far the runner's clock may be off.
const SKEW_SECONDS: i64 = 300;

/// Whom an access token was issued to.
#[derive(Debug)]
pub(crate) struct AccessToken {
    runner_id: u64,
    key: String,
    expires_at: Moment,
}

impl Ledger {
    /// Exchanges a client assertion for an access token.
    pub(crate) fn issue_access_token(&mut self, assertion: &str) -> Result<String, Refusal> {
        let refusal = |description| Err(Refusal::OAuth { error: "invalid_client", description });
        let Some((header, claims)) = read_assertion(assertion) else {
            return Err(Refusal::OAuth {
                error: "invalid_request",
                description: "The assertion is malformed.",
            });
        };
        let client_id = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let Some(runner) = self.runners.values().find(|runner| runner.client_id == client_id) else {
            return refusal("The client is not known.");
        };
        if claims.get("sub") != claims.get("iss") {
            return refusal("The assertion's subject is not its issuer.");
        }
        let key_name = header.get("kid").and_then(Value::as_str).unwrap_or_default();
        if key_name.len() != KEY_NAME_LENGTH || !runner.key.starts_with(key_name) {
            return refusal("The assertion is not signed with the client's key.");
        }
        let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
        let now = self.now();
        // The virtual clock may be far ahead of the runner's; only the real part of the difference is its fault.
        if expires + SKEW_SECONDS < now.unix_seconds() - self.clock.offset_seconds() {
            return refusal("The assertion has expired.");
        }
        let granted =
            AccessToken { runner_id: runner.id, key: runner.key.clone(), expires_at: now + LIFETIME_SECONDS };
        let token = identifier::web_token();
        self.access_tokens.insert(token.clone(), granted);
        Ok(token)
    }

    /// The id of the runner that an access token speaks for.
    pub(crate) fn authenticated_runner(&self, token: &str) -> Result<u64, Refusal> {
        let denied = || Refusal::Broker {
            status: StatusCode::UNAUTHORIZED,
            kind: "Unauthorized",
            message: "The access token is not valid.".to_owned(),
        };
        let known = self.access_tokens.get(token).ok_or_else(denied)?;
        if known.expires_at <= self.now() {
            return Err(denied());
        }
        match self.runners.get(&known.runner_id) {
            None => Err(Refusal::runner_not_found(known.runner_id)),
            Some(runner) if runner.key != known.key => Err(denied()),
            Some(runner) => Ok(runner.id),
        }
    }
}

/// The header and the claims of a JWT.
fn read_assertion(assertion: &str) -> Option<(Value, Value)> {
    let mut parts = assertion.split('.');
    let mut json = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok();
    let header: Value = json()?;
    let claims: Value = json()?;
    let is_rs256 = header.get("alg").and_then(Value::as_str) == Some("RS256");
    (is_rs256 && parts.next().is_some_and(|signature| !signature.is_empty())).then_some((header, claims))
}
