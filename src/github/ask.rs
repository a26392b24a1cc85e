//! One call, and what it shows to GitHub.

use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::error::{Cause, Error};
use super::permission::Permission;
use super::retry::Repeat;

/// What one request shows: a header, and what is in it, for finding it in answers that repeat it.
pub(super) struct Shown {
    pub header: HeaderValue,
    pub secret: SecretString,
    pub kind: ShownKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownKind {
    Pat,
    Jwt,
    Installation,
}

impl ShownKind {
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Pat => "the personal access token",
            Self::Jwt => "the GitHub App's signature",
            Self::Installation => "the installation token of the GitHub App",
        }
    }
}

/// One call, as the attempts to make it need it.
pub(super) struct Ask {
    /// For errors, behind "cannot": `list the runners of acme/shop`.
    pub action: String,
    pub method: Method,
    /// Below the API's URL.
    pub path: String,
    pub body: Option<Vec<u8>>,
    pub needs: Permission,
    pub repeat: Repeat,
    /// Is there JSON in an answer that says yes?
    pub has_answer: bool,
}

impl Ask {
    pub(super) fn get(action: String, path: String, needs: Permission) -> Self {
        let (method, repeat) = (Method::GET, Repeat::Harmless);
        Self { action, method, path, body: None, needs, repeat, has_answer: true }
    }

    pub(super) fn post(
        action: String,
        path: String,
        body: Option<&serde_json::Value>,
        needs: Permission,
    ) -> Self {
        let body = body.map(|body| body.to_string().into_bytes());
        Self { method: Method::POST, body, ..Self::get(action, path, needs) }
    }

    pub(super) fn error(&self, cause: Cause) -> Error {
        Error::new(self.action.clone(), cause)
    }
}

impl Shown {
    pub(super) fn new(secret: SecretString, kind: ShownKind) -> Result<Self, Cause> {
        // Cannot happen: the types of secrets hold no such characters.
        let unfit = |_| Cause::Setup {
            what: "github.credential_file",
            reason: "it has characters that no header may have".to_owned(),
            hint: "copy the token again",
        };
        let text = Zeroizing::new(format!("Bearer {}", secret.expose_secret()));
        let mut header = HeaderValue::from_str(&text).map_err(unfit)?;
        header.set_sensitive(true);
        Ok(Self { header, secret, kind })
    }
}
