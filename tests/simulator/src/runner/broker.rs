//! Client of the broker and of the run service.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::host::Host;
use super::oauth::AccessTokens;
use super::registration::status_message;
use crate::http_client::{Answer, HttpClient, Outgoing};

/// Why the broker did not do what was asked, as far as the runner behaves differently.
#[derive(Debug)]
pub(crate) enum BrokerError {
    /// Another session of this runner lives.
    SessionConflict,
    /// The session is over; a new one may be opened.
    SessionInvalid,
    /// The registration was deleted while the access token still works.
    RunnerNotFound,
    /// The registration was deleted, or its key replaced: no more access tokens.
    RegistrationDeleted,
    /// This version may not take workflow jobs any more.
    VersionTooOld(String),
    /// 401 or 403.
    Denied(String),
    /// The request as such was refused, e.g. because somebody else was faster.
    Refused(String),
    /// Anything that may be better next time.
    Temporary(String),
}

/// The broker's own form of an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BrokerAnswer {
    error_kind: String,
    #[serde(default)]
    error_message: String,
}

/// A message to the runner.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) message_type: String,
    #[serde(default)]
    pub(crate) body: String,
}

/// The body of a `RunnerJobRequest`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct JobRequest {
    pub(crate) runner_request_id: String,
    pub(crate) run_service_url: String,
    #[serde(default)]
    pub(crate) billing_owner_id: Option<String>,
    #[serde(default)]
    pub(crate) should_acknowledge: bool,
}

/// The services that a registered runner talks to.
#[derive(Debug)]
pub(crate) struct Broker {
    client: HttpClient,
    server_url: String,
    tokens: AccessTokens,
    version: String,
}

impl Broker {
    pub(crate) fn new(host: &Host, server_url: String, tokens: AccessTokens) -> Arc<Self> {
        Arc::new(Self { client: host.http_client(), server_url, tokens, version: host.version.clone() })
    }

    /// Opens a session and returns its id.
    pub(crate) async fn open_session(&self, agent: &Value) -> Result<String, BrokerError> {
        let body = json!({
            "ownerName": format!("{} (PID: {})", Host::machine_name(), std::process::id()),
            "agent": agent,
            "useFipsEncryption": true,
        });
        let answer = self.send(Method::POST, &format!("{}session", self.server_url), Some(&body)).await?;
        let session: Value = read(&answer)?;
        let id = session.get("sessionId").and_then(Value::as_str);
        id.map(ToOwned::to_owned).ok_or_else(|| BrokerError::Temporary("The session has no id.".to_owned()))
    }

    pub(crate) async fn close_session(&self) -> Result<(), BrokerError> {
        self.send(Method::DELETE, &format!("{}session", self.server_url), None).await.map(|_| ())
    }

    /// Waits for a message; none after a while is no error.
    pub(crate) async fn poll(&self, session_id: &str, status: &str) -> Result<Option<Message>, BrokerError> {
        let query = self.query(session_id, status);
        let answer = self.send(Method::GET, &format!("{}message?{query}", self.server_url), None).await?;
        if answer.body.is_empty() { Ok(None) } else { read(&answer).map(Some) }
    }

    pub(crate) async fn acknowledge(
        &self,
        session_id: &str,
        request: &JobRequest,
    ) -> Result<(), BrokerError> {
        let query = self.query(session_id, "Online");
        let body = json!({ "runnerRequestId": request.runner_request_id });
        self.send(Method::POST, &format!("{}acknowledge?{query}", self.server_url), Some(&body))
            .await
            .map(|_| ())
    }

    /// Takes the workflow job of a request.
    pub(crate) async fn acquire(&self, request: &JobRequest) -> Result<Value, BrokerError> {
        let body = json!({
            "jobMessageId": request.runner_request_id,
            "runnerOS": "Linux",
            "billingOwnerId": request.billing_owner_id,
        });
        let answer =
            self.send(Method::POST, &format!("{}acquirejob", request.run_service_url), Some(&body)).await?;
        read(&answer)
    }

    /// A call with the workflow job's own token.
    pub(crate) async fn call_run_service(
        &self,
        url: &str,
        token: &str,
        body: &Value,
    ) -> Result<(), BrokerError> {
        let outgoing = Outgoing::json(body).authorized(format!("Bearer {token}"));
        let answer = self.client.send(Method::POST, url, outgoing).await;
        judge(answer.map_err(|failure| BrokerError::Temporary(failure.to_string()))?).map(|_| ())
    }

    pub(crate) async fn refresh_token(&self) {
        self.tokens.forget().await;
    }

    fn query(&self, session_id: &str, status: &str) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("sessionId", session_id)
            .append_pair("status", status)
            .append_pair("runnerVersion", &self.version)
            .append_pair("os", "Linux")
            .append_pair("architecture", "X64")
            .append_pair("disableUpdate", "true")
            .finish()
    }

    /// Sends a request with an access token; one that is refused is replaced once.
    async fn send(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Answer, BrokerError> {
        let mut is_second_try = false;
        loop {
            let token = self.tokens.get().await?;
            let outgoing = body.map_or_else(Outgoing::default, Outgoing::json);
            let outgoing = outgoing.authorized(format!("Bearer {token}"));
            let answer = self.client.send(method.clone(), url, outgoing).await;
            let answer = answer.map_err(|failure| BrokerError::Temporary(failure.to_string()))?;
            if answer.status != StatusCode::UNAUTHORIZED || is_second_try {
                return judge(answer);
            }
            self.tokens.forget().await;
            is_second_try = true;
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, BrokerError> {
    serde_json::from_slice(&answer.body).map_err(|error| BrokerError::Temporary(error.to_string()))
}

fn judge(answer: Answer) -> Result<Answer, BrokerError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let told = serde_json::from_slice::<BrokerAnswer>(&answer.body).ok();
    let (kind, message) = match told {
        Some(told) => (told.error_kind, told.error_message),
        None => (String::new(), status_message(answer.status)),
    };
    Err(match (kind.as_str(), answer.status) {
        ("RunnerNotFound", _) => BrokerError::RunnerNotFound,
        ("RunnerSessionInvalid", _) => BrokerError::SessionInvalid,
        ("RunnerVersionTooOld", _) => BrokerError::VersionTooOld(message),
        (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => BrokerError::Denied(message),
        ("RunnerSessionConflict", _) => BrokerError::SessionConflict,
        (_, StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) => {
            BrokerError::Refused(message)
        }
        _ => BrokerError::Temporary(message),
    })
}
