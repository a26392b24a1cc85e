//! A GitHub App as a test has it: a key, and the tokens that it signs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::Method;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::client::Reply;

/// A key that guards nothing, in the form in which GitHub hands out the keys of apps.
const PRIVATE_KEY: &str = include_str!("app-key.pem");

/// A GitHub App that the simulator knows.
pub(crate) struct GitHubApp {
    key: KeyPair,
    pub(crate) id: u64,
    pub(crate) client_id: String,
}

impl GitHubApp {
    /// Creates the app at the simulated GitHub.
    pub(crate) async fn create(bed: &Bed) -> Self {
        let text: String = PRIVATE_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
        let key = KeyPair::from_der(&STANDARD.decode(text).unwrap()).unwrap();
        let public_key = format!(
            "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
            STANDARD.encode(key.public())
        );
        let app = bed.ask(Method::POST, "/apps", &json!({ "public_key": public_key })).await;
        let client_id = app["client_id"].as_str().unwrap().to_owned();
        Self { key, id: app["id"].as_u64().unwrap(), client_id }
    }

    /// Installs the app on the organization `acme` and returns the installation's number.
    pub(crate) async fn install(&self, bed: &Bed, permissions: Value, repositories: Option<&[&str]>) -> u64 {
        self.install_on(bed, "acme", permissions, repositories).await
    }

    pub(crate) async fn install_on(
        &self,
        bed: &Bed,
        account: &str,
        permissions: Value,
        repositories: Option<&[&str]>,
    ) -> u64 {
        let request = json!({ "account": account, "permissions": permissions, "repositories": repositories });
        let path = format!("/apps/{}/installations", self.id);
        bed.ask(Method::POST, &path, &request).await["id"].as_u64().unwrap()
    }

    /// A token as GitHub's documentation has it: a minute old, and good for nine more.
    pub(crate) fn web_token(&self) -> String {
        self.web_token_at(Timestamp::now().as_second())
    }

    /// The same, by another clock.
    pub(crate) fn web_token_at(&self, now: i64) -> String {
        self.sign(&json!({ "iat": now - 60, "exp": now + 540, "iss": self.client_id }))
    }

    /// Signs any claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Asks for an installation token.
    pub(crate) async fn access_token(&self, bed: &Bed, installation: u64, body: &Value) -> Reply {
        let path = format!("/app/installations/{installation}/access_tokens");
        bed.call_json(Method::POST, &path, &self.web_token(), body).await
    }
}
