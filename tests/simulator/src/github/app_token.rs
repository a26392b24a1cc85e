//! The JSON web tokens with which a GitHub App says who it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::app::App;
use super::credential::Presented;
use super::ledger::Ledger;
use super::refusal::Refusal;

/// How far ahead a token may expire.
const MAXIMUM_LIFETIME_SECONDS: i64 = 600;
/// How far the clock of the app may be ahead.
const SKEW_SECONDS: i64 = 60;

const UNDECODABLE: &str = "A JSON web token could not be decoded";
const EXPIRED: &str = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which \
     the assertion expires";
const TOO_FAR: &str = "'Expiration time' claim ('exp') is too far in the future";
const FUTURE: &str =
    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";

impl Ledger {
    /// The app that signed what was presented.
    pub(crate) fn authenticated_app(&self, presented: &Presented) -> Result<&App, Refusal> {
        let undecodable = || Refusal::Unauthorized(UNDECODABLE);
        let Presented::Token(token) = presented else { return Err(undecodable()) };
        let (signed, signature) = token.rsplit_once('.').ok_or_else(undecodable)?;
        let claims = claims(signed).ok_or_else(undecodable)?;
        let app = self.app_of(claims.get("iss")).ok_or(Refusal::NoIntegration)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| undecodable())?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.key)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| undecodable())?;
        // Where a test has moved the time, the app may or may not have noticed: either is right.
        let [not_moved, moved] = self.clock.readings().map(|now| check_times(&claims, now.unix_seconds()));
        not_moved.or(moved).map(|()| app).map_err(Refusal::Unauthorized)
    }

    /// The issuer is a client id or an app id, which may be a number or a text.
    fn app_of(&self, issuer: Option<&Value>) -> Option<&App> {
        let issuer = match issuer? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        self.apps.values().find(|app| app.client_id == issuer || app.id.to_string() == issuer)
    }
}

/// The claims of a token with the only algorithm that GitHub takes.
fn claims(signed: &str) -> Option<Value> {
    let (header, claims) = signed.split_once('.')?;
    let json =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let is_rs256 = json(header)?.get("alg").and_then(Value::as_str) == Some("RS256");
    if is_rs256 { json(claims) } else { None }
}

fn check_times(claims: &Value, now: i64) -> Result<(), &'static str> {
    let claim = |name| claims.get(name).and_then(Value::as_i64);
    match (claim("iat"), claim("exp")) {
        (_, Some(expires)) if expires > now + MAXIMUM_LIFETIME_SECONDS => Err(TOO_FAR),
        (Some(issued), Some(expires)) if expires > now && issued <= now + SKEW_SECONDS => Ok(()),
        (_, Some(expires)) if expires > now => Err(FUTURE),
        _ => Err(EXPIRED),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_must_be_issued_by_now_and_expire_within_ten_minutes() {
        let check = |issued: i64, expires: i64| check_times(&json!({ "iat": issued, "exp": expires }), 1000);
        assert_eq!(check(940, 1600), Ok(()));
        assert_eq!(check(1060, 1001), Ok(()));
        assert_eq!(check(940, 1601), Err(TOO_FAR));
        assert_eq!(check(940, 1000), Err(EXPIRED));
        assert_eq!(check(1061, 1600), Err(FUTURE));
        assert_eq!(check_times(&json!({ "exp": 1500 }), 1000), Err(FUTURE));
        assert_eq!(check_times(&json!({ "iat": 940 }), 1000), Err(EXPIRED));
        assert_eq!(check_times(&json!({ "iat": 940, "exp": "1500" }), 1000), Err(EXPIRED));
    }
}
