//! What faults make of an answer.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::{Html, IntoResponse};
use bytes::Bytes;
use futures_util::stream;
use rustix::net::sockopt::set_socket_linger;
use serde_json::{Value, json};

use super::clock::Moment;
use super::fault::{Fault, Kind};

/// The pause between two bytes of a slow answer.
const DRIP: Duration = Duration::from_secs(1);
/// Time enough for bytes to leave over loopback.
const FLUSH: Duration = Duration::from_millis(50);
/// When a primary rate limit is over, unless ordered otherwise.
const RESET_SECONDS: i64 = 3600;

const UNICORN: &str = "<!DOCTYPE html><html><body><h1>Unicorn!</h1></body></html>";
const SECONDARY_LIMIT: &str = "You have exceeded a secondary rate limit. Please wait a few minutes before you try \
     again. If you reach out to GitHub Support for help, please include the request ID.";

/// The answer of a fault that does not need the real one.
pub(crate) fn instead(fault: &Fault, path_and_query: &str, now: Moment) -> Response<Body> {
    let location = fault.location.as_ref().map(|origin| format!("{origin}{path_and_query}"));
    let (default_status, default_body) = match fault.kind {
        Kind::Html => (StatusCode::OK, None),
        Kind::PrimaryLimit => {
            (StatusCode::FORBIDDEN, Some("API rate limit exceeded for user ID 1.".to_owned()))
        }
        Kind::SecondaryLimit => (StatusCode::FORBIDDEN, Some(SECONDARY_LIMIT.to_owned())),
        Kind::Redirect => (StatusCode::MOVED_PERMANENTLY, Some("Moved Permanently".to_owned())),
        _ => (StatusCode::SERVICE_UNAVAILABLE, None),
    };
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(default_status);
    let message = default_body.or_else(|| status.canonical_reason().map(ToOwned::to_owned));
    let mut response = match &fault.body {
        Some(Value::String(page)) if fault.kind == Kind::Html => (status, Html(page.clone())).into_response(),
        Some(Value::String(text)) => (status, text.clone()).into_response(),
        Some(json) => (status, Json(json.clone())).into_response(),
        None if fault.kind == Kind::Html => (status, Html(UNICORN)).into_response(),
        None => {
            let body = json!({
                "url": location,
                "message": message,
                "documentation_url": "https://docs.github.com/rest",
                "status": status.as_u16().to_string(),
            });
            (status, Json(body)).into_response()
        }
    };
    let mut headers: Vec<(HeaderName, String)> = Vec::new();
    headers.extend(fault.retry_after.map(|seconds| (RETRY_AFTER, seconds.to_string())));
    headers.extend(location.map(|location| (LOCATION, location)));
    if fault.kind == Kind::PrimaryLimit {
        let reset = (now + fault.seconds.unwrap_or(RESET_SECONDS)).unix_seconds();
        headers.push((HeaderName::from_static("x-ratelimit-remaining"), "0".to_owned()));
        headers.push((HeaderName::from_static("x-ratelimit-reset"), reset.to_string()));
    }
    let ordered = fault.headers.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.clone())));
    for (name, value) in headers.into_iter().chain(ordered) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Promises the whole body and ends the connection in its middle: by an end, or by a reset of the socket.
pub(crate) fn truncate(
    response: Response<Body>,
    whole: &Bytes,
    reset: Option<Arc<OwnedFd>>,
) -> Response<Body> {
    let half = whole.slice(..whole.len() / 2);
    let broken = stream::unfold((Some(half), reset), |(half, reset)| async move {
        if let Some(half) = half {
            return Some((Ok(half), (None, reset)));
        }
        // The first half must have left before the connection breaks, or nothing at all would arrive.
        tokio::time::sleep(FLUSH).await;
        if let Some(socket) = &reset {
            reset_at_close(socket);
        }
        Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)), (None, reset)))
    });
    with_stream(response, whole.len(), Body::from_stream(broken))
}

/// Makes the end of a connection a reset.
pub(crate) fn reset_at_close(socket: &OwnedFd) {
    // Without a linger time the kernel sends RST instead of FIN.
    if let Err(error) = set_socket_linger(socket, Some(Duration::ZERO)) {
        eprintln!("github simulator: a connection is closed instead of reset: {error}");
    }
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
