//! The signature of a GitHub App: a JSON Web Token, RS256 (RFC 7515, RFC 7518 §3.3), good for nine minutes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::SecretString;
use secrecy::zeroize::Zeroize;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::error::Cause;
use crate::config::AppKey;

/// GitHub refuses what was issued in its future: clocks differ.
const ISSUED_BEFORE_SECS: i64 = 60;

/// GitHub refuses more than ten minutes.
const GOOD_FOR_SECS: i64 = 540;

/// The key of an App, ready to sign.
pub(super) struct Signer {
    key: RsaKeyPair,
    client_id: String,
}

impl Signer {
    /// Reads the key, PKCS#1 or PKCS#8.
    pub(super) fn new(key: &AppKey, client_id: &str) -> Result<Self, Cause> {
        let bad = |reason: &str| Cause::BadKey { reason: reason.to_owned() };
        let mut der =
            PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| bad("it is no PEM"))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            _ => return Err(bad("it is no RSA key")),
        };
        der.zeroize();
        // ring's word for what is wrong, such as `TooSmall`; it holds nothing of the key.
        let key = key.map_err(|rejected| bad(&rejected.to_string()))?;
        Ok(Self { key, client_id: client_id.to_owned() })
    }

    /// A token that says who this is, as of `now`.
    pub(super) fn sign(&self, now: Timestamp) -> Result<SecretString, Cause> {
        let claims = serde_json::json!({
            "iat": now.as_second() - ISSUED_BEFORE_SECS,
            "exp": now.as_second() + GOOD_FOR_SECS,
            "iss": self.client_id,
        });
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"), part(&claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Cause::BadKey { reason: "it does not sign".to_owned() })?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature)).into())
    }
}
