//! A client of the control plane, with whatever credential a test wants.

use homelab_runners_simulator::http_client::{Answer, Outgoing};
use hyper::Method;
use serde_json::{Value, json};

use crate::bed::Bed;

/// An answer of GitHub, read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    answer: Answer,
}

impl Reply {
    fn read(answer: Answer) -> Self {
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Self { status: answer.status.as_u16(), body, answer }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl Bed {
    /// A classic token with these scopes.
    pub(crate) async fn classic_token(&self, scopes: &[&str]) -> String {
        let request = json!({ "scopes": scopes });
        let issued = self.ask(Method::POST, "/personal-access-tokens/classic", &request).await;
        issued["token"].as_str().unwrap().to_owned()
    }

    /// A fine-grained token for the account `acme`.
    pub(crate) async fn fine_grained_token(
        &self,
        permissions: Value,
        repositories: Option<&[&str]>,
    ) -> String {
        let request = json!({ "account": "acme", "permissions": permissions, "repositories": repositories });
        let issued = self.ask(Method::POST, "/personal-access-tokens/fine-grained", &request).await;
        issued["token"].as_str().unwrap().to_owned()
    }

    /// Makes `acme/<name>` private.
    pub(crate) async fn make_private(&self, name: &str) {
        let request = json!({ "url": format!("{}/acme/{name}", self.github), "private": true });
        self.ask(Method::PUT, "/repositories", &request).await;
    }

    /// Sends a request without a body.
    pub(crate) async fn call(&self, method: Method, path: &str, token: &str) -> Reply {
        self.call_with(method, path, token, Outgoing::default()).await
    }

    /// Sends a JSON body.
    pub(crate) async fn call_json(&self, method: Method, path: &str, token: &str, body: &Value) -> Reply {
        self.call_with(method, path, token, Outgoing::json(body)).await
    }

    /// Sends a request; an empty token is none at all.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        path: &str,
        token: &str,
        outgoing: Outgoing,
    ) -> Reply {
        let url =
            if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.github) };
        let outgoing =
            if token.is_empty() { outgoing } else { outgoing.authorized(format!("Bearer {token}")) };
        Reply::read(self.client.send(method, &url, outgoing).await.unwrap())
    }

    pub(crate) async fn call_get(&self, path: &str, token: &str) -> Reply {
        self.call(Method::GET, path, token).await
    }
}
