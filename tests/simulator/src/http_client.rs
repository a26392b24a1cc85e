//! An HTTP/1.1 client for plain `http://`. One connection per request keeps it small, and dropping a request closes
//! its connection, so that the other side notices at once.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

const HTTP_PORT: u16 = 80;

/// A client with a name and a patience.
#[derive(Debug, Clone)]
pub struct HttpClient {
    /// The `User-Agent`; without one if it is empty.
    pub user_agent: String,
    /// How long to wait for a whole answer.
    pub timeout: Duration,
}

/// What is sent besides method and URL.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// The whole `Authorization` header.
    pub authorization: Option<String>,
    /// The body's media type.
    pub content_type: Option<&'static str>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

impl Outgoing {
    /// A JSON body.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self {
            content_type: Some("application/json; charset=utf-8"),
            body: value.to_string().into(),
            ..Self::default()
        }
    }

    /// Adds the `Authorization` header.
    #[must_use]
    pub fn authorized(self, authorization: String) -> Self {
        Self { authorization: Some(authorization), ..self }
    }
}

/// An answer of any status.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The `x-github-request-id` header.
    pub request_id: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// No answer. The texts are those that the real runner's platform would show.
#[derive(Debug)]
pub enum Failure {
    /// Not an `http://` URL.
    Url(String),
    /// No connection.
    Connect {
        /// `HOST:PORT`
        authority: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke, or what came was not HTTP.
    Exchange(hyper::Error),
    /// The request could not be formed.
    Form(hyper::http::Error),
    /// The answer took too long.
    Timeout(Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(formatter, "Invalid URI: '{url}' is not an http:// URL."),
            Self::Connect { authority, source } => {
                let reason = match source.kind() {
                    io::ErrorKind::ConnectionRefused => "Connection refused".to_owned(),
                    io::ErrorKind::HostUnreachable => "No route to host".to_owned(),
                    io::ErrorKind::NetworkUnreachable => "Network is unreachable".to_owned(),
                    // What is left is name resolution, whose failures have no kind of their own.
                    _ => "Name or service not known".to_owned(),
                };
                write!(formatter, "{reason} ({authority})")
            }
            Self::Exchange(_) | Self::Form(_) => {
                formatter.write_str("An error occurred while sending the request.")
            }
            Self::Timeout(limit) => write!(
                formatter,
                "The request was canceled due to the configured HttpClient.Timeout of {} seconds elapsing.",
                limit.as_secs()
            ),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { source, .. } => Some(source),
            Self::Exchange(source) => Some(source),
            Self::Form(source) => Some(source),
            Self::Url(_) | Self::Timeout(_) => None,
        }
    }
}

impl HttpClient {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When no answer came; an answer of any status is `Ok`.
    pub async fn send(&self, method: Method, url: &str, outgoing: Outgoing) -> Result<Answer, Failure> {
        let exchange = self.exchange(method, url, outgoing);
        timeout(self.timeout, exchange).await.unwrap_or(Err(Failure::Timeout(self.timeout)))
    }

    async fn exchange(&self, method: Method, url: &str, outgoing: Outgoing) -> Result<Answer, Failure> {
        let rest = url.strip_prefix("http://").ok_or_else(|| Failure::Url(url.to_owned()))?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = if host.contains(':') { host.to_owned() } else { format!("{host}:{HTTP_PORT}") };
        let mut request = Request::builder()
            .method(method)
            .uri(if path.is_empty() { "/" } else { path })
            .header(HOST, host)
            .header(ACCEPT, "application/json");
        if !self.user_agent.is_empty() {
            request = request.header(USER_AGENT, &self.user_agent);
        }
        if let Some(authorization) = outgoing.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(content_type) = outgoing.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(outgoing.body)).map_err(Failure::Form)?;
        let stream = TcpStream::connect(&authority)
            .await
            .map_err(|source| Failure::Connect { authority: authority.clone(), source })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(Failure::Exchange)?;
        let answer = async move { read(sender.send_request(request).await?).await };
        tokio::pin!(answer, connection);
        // The connection may end first, with the answer already in memory.
        let outcome = tokio::select! {
            outcome = &mut answer => outcome,
            _ = &mut connection => answer.await,
        };
        outcome.map_err(Failure::Exchange)
    }
}

async fn read(response: Response<hyper::body::Incoming>) -> Result<Answer, hyper::Error> {
    let request_id = response.headers().get("x-github-request-id").and_then(|id| id.to_str().ok());
    let request_id = request_id.map(ToOwned::to_owned);
    let status = response.status();
    let headers = response.headers().clone();
    let body = response.into_body().collect().await?.to_bytes();
    Ok(Answer { status, request_id, headers, body })
}
