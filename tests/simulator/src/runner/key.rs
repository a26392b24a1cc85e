//! The runner's key: a parameter set that looks like RSA-2048 and is only random numbers.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::identifier;

const MODULUS_LENGTH: usize = 256;
const PRIME_LENGTH: usize = 128;
/// How many characters of the modulus name the key to the simulator.
const KEY_NAME_LENGTH: usize = 43;
const ASSERTION_SECONDS: i64 = 300;

/// The content of `.credentials_rsaparams`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RsaParameters {
    d: String,
    dp: String,
    dq: String,
    exponent: String,
    inverse_q: String,
    modulus: String,
    p: String,
    q: String,
}

impl RsaParameters {
    pub(crate) fn generate() -> Self {
        let prime = || number(PRIME_LENGTH);
        Self {
            d: number(MODULUS_LENGTH),
            dp: prime(),
            dq: prime(),
            exponent: "AQAB".to_owned(),
            inverse_q: prime(),
            modulus: number(MODULUS_LENGTH),
            p: prime(),
            q: prime(),
        }
    }

    /// The public half in the XML form of .NET.
    pub(crate) fn public_key(&self) -> String {
        format!(
            "<RSAKeyValue><Modulus>{}</Modulus><Exponent>{}</Exponent></RSAKeyValue>",
            self.modulus, self.exponent
        )
    }

    /// A client assertion in the form of an RS256 JWT. Its signature is noise, and its header names the key.
    pub(crate) fn assertion(&self, client_id: &str, audience: &str) -> String {
        let now = Timestamp::now().as_second();
        let key_name: String = self.modulus.chars().take(KEY_NAME_LENGTH).collect();
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": key_name });
        let claims = json!({
            "sub": client_id,
            "jti": identifier::guid(),
            "iss": client_id,
            "aud": audience,
            "nbf": now,
            "exp": now + ASSERTION_SECONDS,
        });
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}.{}", part(&header), part(&claims), URL_SAFE_NO_PAD.encode(noise(MODULUS_LENGTH)))
    }
}

/// A number of this many bytes: its highest bit set, and odd.
fn number(length: usize) -> String {
    let mut bytes = noise(length);
    if let Some(first) = bytes.first_mut() {
        *first |= 0x80;
    }
    if let Some(last) = bytes.last_mut() {
        *last |= 1;
    }
    STANDARD.encode(bytes)
}

fn noise(length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(length).collect()
}
