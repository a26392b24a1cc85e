//! Faults that the admin orders: for a method and a path prefix, a number of times or until they are taken back.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::{Html, IntoResponse};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;

/// The pause between two bytes of a slow answer.
const DRIP: Duration = Duration::from_secs(1);
/// Time enough for bytes to leave over loopback.
const FLUSH: Duration = Duration::from_millis(50);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Another status, with `body` or an error of GitHub's form.
    Status,
    /// A page instead of JSON, as from a captive portal (200) or a load balancer (502).
    Html,
    /// The real answer, broken off half-way.
    Truncate,
    /// The connection is reset before any answer.
    Reset,
    /// The request is accepted and never answered.
    Hang,
    /// The real answer, one byte a second.
    Slow,
}

/// A fault, as ordered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Absent or `*`: any method.
    #[serde(default)]
    method: Option<String>,
    path_prefix: String,
    /// Absent or `null`: for ever.
    #[serde(default)]
    times: Option<u64>,
    pub(crate) kind: Kind,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    body: Option<Value>,
    /// Seconds for a `retry-after` header.
    #[serde(default)]
    retry_after: Option<u64>,
}

/// The ordered faults; the first that fits a request strikes.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn order(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that strikes this request, if any; the path counts with and without `/api/v3`.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Fault> {
        let short = path.strip_prefix("/api/v3").unwrap_or(path);
        let fault = self.0.iter_mut().find(|fault| {
            fault.times != Some(0)
                && fault.method.as_deref().is_none_or(|own| own == "*" || own.eq_ignore_ascii_case(method))
                && (path.starts_with(&fault.path_prefix) || short.starts_with(&fault.path_prefix))
        })?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.clone())
    }
}

impl Fault {
    /// The answer of a fault that does not need the real one.
    pub(crate) fn answer(&self) -> Response<Body> {
        let status =
            |default| self.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(default);
        let mut response = if self.kind == Kind::Html {
            let page = match &self.body {
                Some(Value::String(page)) => page.clone(),
                _ => "<!DOCTYPE html><html><body><h1>Unicorn!</h1></body></html>".to_owned(),
            };
            (status(StatusCode::OK), Html(page)).into_response()
        } else {
            let status = status(StatusCode::SERVICE_UNAVAILABLE);
            let body = self.body.clone().unwrap_or_else(|| {
                serde_json::json!({
                    "message": status.canonical_reason(),
                    "documentation_url": "https://docs.github.com/rest",
                    "status": status.as_u16().to_string(),
                })
            });
            match body {
                Value::String(text) => (status, text).into_response(),
                json => (status, Json(json)).into_response(),
            }
        };
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Promises the whole body and ends the connection in its middle.
pub(crate) fn truncate(response: Response<Body>, whole: &Bytes) -> Response<Body> {
    let half = whole.slice(..whole.len() / 2);
    let broken = stream::unfold(Some(half), |half| async move {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        // The first half must have left before the connection breaks, or nothing at all would arrive.
        tokio::time::sleep(FLUSH).await;
        Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)), None))
    });
    with_stream(response, whole.len(), Body::from_stream(broken))
}

/// Sends the body one byte at a time.
pub(crate) fn slow(response: Response<Body>, whole: Bytes) -> Response<Body> {
    let length = whole.len();
    let drip = stream::unfold(whole, |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(DRIP).await;
        let byte = rest.split_to(1);
        Some((Ok::<_, Infallible>(byte), rest))
    });
    with_stream(response, length, Body::from_stream(drip))
}

fn with_stream(response: Response<Body>, length: usize, body: Body) -> Response<Body> {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(CONTENT_LENGTH, length.into());
    Response::from_parts(parts, body)
}
