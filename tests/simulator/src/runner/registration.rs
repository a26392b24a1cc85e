//! Calls of the registration API, with the runner's own way of retrying and of reporting failure.

use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api::GitHubUrl;
use super::host::Host;
use crate::http_client::{Answer, HttpClient, Outgoing};

/// How often a call is tried; a 404 is believed at once.
const TRIES: u32 = 3;
const BACKOFF_SECONDS: [f64; 2] = [1.0, 5.0];

/// The registration API of one URL, with one registration token.
#[derive(Debug)]
pub(crate) struct RegistrationApi<'a> {
    host: &'a Host,
    client: HttpClient,
    base: String,
    entity: String,
    url: &'a str,
    token: &'a str,
}

/// A runner group.
#[derive(Debug, Deserialize)]
pub(crate) struct RunnerGroup {
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(default, rename = "default")]
    pub(crate) is_default: bool,
    #[serde(default)]
    pub(crate) is_hosted: bool,
}

#[derive(Debug, Deserialize)]
struct RunnerGroups {
    runner_groups: Vec<RunnerGroup>,
}

/// A registered runner.
#[derive(Debug, Deserialize)]
pub(crate) struct RegisteredRunner {
    pub(crate) id: u64,
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
struct RegisteredRunners {
    runners: Vec<RegisteredRunner>,
}

/// The answer to a registration.
#[derive(Debug, Deserialize)]
pub(crate) struct Registration {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) authorization: Authorization,
}

/// Where and as whom the registered runner gets its access tokens.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "these are the API's names")]
pub(crate) struct Authorization {
    pub(crate) authorization_url: String,
    pub(crate) server_url: String,
    pub(crate) client_id: String,
}

impl<'a> RegistrationApi<'a> {
    /// Nothing when `url` is not one of a repository, organization or enterprise.
    pub(crate) fn new(host: &'a Host, url: &'a str, token: &'a str) -> Option<Self> {
        let parsed = GitHubUrl::parse(url)?;
        let is_set = |name| host.environment.get(name).is_some_and(|value| value == "1");
        let base = parsed.api(is_set("STANDIN_KEEP_PORT"), is_set("GITHUB_ACTIONS_RUNNER_FORCE_GHES"));
        Some(Self { host, client: host.http_client(), base, entity: parsed.entity(), url, token })
    }

    /// Shows the registration token to GitHub.
    pub(crate) async fn exchange_token(&self, event: &str) -> Result<(), String> {
        let body = json!({ "url": self.url, "runner_event": event });
        let answer: Value = self.call(Method::POST, "actions/runner-registration", Some(&body)).await?;
        if answer.get("use_v2_flow").and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        Err("Only the V2 registration flow is supported by this stand-in.".to_owned())
    }

    pub(crate) async fn runner_groups(&self) -> Result<Vec<RunnerGroup>, String> {
        let groups: RunnerGroups =
            self.call(Method::GET, &format!("{}/actions/runner-groups", self.entity), None).await?;
        Ok(groups.runner_groups)
    }

    /// The runner of this name, if there is one.
    pub(crate) async fn runner_named(&self, name: &str) -> Result<Option<RegisteredRunner>, String> {
        let query: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = format!("{}/actions/runners?name={query}", self.entity);
        let found: RegisteredRunners = self.call(Method::GET, &path, None).await?;
        Ok(found.runners.into_iter().find(|runner| runner.name.eq_ignore_ascii_case(name)))
    }

    pub(crate) async fn register(&self, body: &Value) -> Result<Registration, String> {
        self.call(Method::POST, "actions/runners/register", Some(body)).await
    }

    pub(crate) async fn remove(&self, id: u64) -> Result<(), String> {
        let path = format!("{}/actions/runners/{id}", self.entity);
        self.send(Method::DELETE, &path, None).await.map(|_| ())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, String> {
        let answer = self.send(method, path, body).await?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            // What the real runner's JSON reader says of a page of HTML.
            format!("Unexpected character encountered while parsing value. Path '', {error}.")
        })
    }

    /// Sends a request until it succeeds, tries run out, or GitHub says 404.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let url = format!("{}/{path}", self.base);
        let mut tries = 1;
        loop {
            let outgoing = body.map_or_else(Outgoing::default, Outgoing::json);
            let outgoing = outgoing.authorized(format!("RemoteAuth {}", self.token));
            let failure = match self.client.send(method.clone(), &url, outgoing).await {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => {
                    self.report(&method, &url, &answer);
                    let message = status_message(answer.status);
                    if answer.status == StatusCode::NOT_FOUND {
                        return Err(message);
                    }
                    message
                }
                Err(failure) => failure.to_string(),
            };
            if tries == TRIES {
                return Err(failure);
            }
            tries += 1;
            let [shortest, longest] = BACKOFF_SECONDS;
            let pause = shortest + (longest - shortest) * fastrand::f64();
            tokio::time::sleep(self.host.scaled(pause)).await;
        }
    }

    /// Two lines on the standard error: the status, and what GitHub said.
    fn report(&self, method: &Method, url: &str, answer: &Answer) {
        let reason = answer.status.canonical_reason().unwrap_or_default().replace(' ', "");
        let request_id = answer.request_id.as_deref().unwrap_or_default();
        self.host.console.write_error(&format!(
            "Http response code: {reason} from '{method} {url}' (Request Id: {request_id})"
        ));
        self.host.console.write_error(&String::from_utf8_lossy(&answer.body));
    }
}

/// The platform's sentence about a status that is no success.
pub(crate) fn status_message(status: StatusCode) -> String {
    format!(
        "Response status code does not indicate success: {} ({}).",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    )
}
