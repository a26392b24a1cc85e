//! One HTTP connection: every request passes the journal, then the faults, then the routes, and every answer gets
//! the headers that GitHub always sends.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::set_socket_linger;
use tokio::net::TcpStream;
use tower_service::Service;

use super::fault::{self, Fault, Kind};
use super::journal::Observed;
use super::ledger::GitHub;
use super::refusal::{Refusal, SUPPORTED_VERSIONS};
use crate::identifier;

/// Larger requests are not read.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The header with which a client chooses a version of the API.
const API_VERSION: &str = "x-github-api-version";
const RATE_LIMIT: u64 = 5000;
const RATE_LIMIT_SECONDS: i64 = 3600;

/// A request that gets no answer: the connection ends.
#[derive(Debug)]
enum Unanswered {
    /// A fault wants it so.
    Reset,
    /// The request itself broke off or is too large.
    UnreadableRequest,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Reset => "the connection is reset, as ordered",
            Self::UnreadableRequest => "the request could not be read",
        })
    }
}

impl std::error::Error for Unanswered {}

/// Serves one connection until it ends.
pub(crate) async fn serve(github: Arc<GitHub>, router: Router, stream: TcpStream) {
    // A second handle on the socket, through which a fault can turn the end of the connection into a reset.
    let handle = stream.into_std().and_then(|stream| Ok((stream.try_clone()?, TcpStream::from_std(stream)?)));
    let Ok((socket, stream)) = handle else { return };
    let socket = Arc::new(OwnedFd::from(socket));
    let exchange = service_fn(move |request| {
        exchange(Arc::clone(&github), router.clone(), Arc::clone(&socket), request)
    });
    let outcome = http1::Builder::new().serve_connection(TokioIo::new(stream), exchange).await;
    // Clients that go away in the middle are the normal case of a test bed.
    drop(outcome);
}

async fn exchange(
    github: Arc<GitHub>,
    router: Router,
    socket: Arc<OwnedFd>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Unanswered> {
    let (parts, body) = request.into_parts();
    let body =
        axum::body::to_bytes(Body::new(body), BODY_LIMIT).await.map_err(|_| Unanswered::UnreadableRequest)?;
    let (number, fault) = observe(&github, &parts, &body);
    let request = Request::from_parts(parts, Body::from(body));
    let mut response = answer(router, &socket, fault, request).await?;
    let mut ledger = github.ledger();
    ledger.journal.note_status(number, response.status().as_u16());
    let now = ledger.now();
    let reset = (now + RATE_LIMIT_SECONDS).unix_seconds();
    add_headers(response.headers_mut(), &now.http_date(), number, reset);
    Ok(response)
}

/// Enters the request in the journal, and finds the fault that strikes it.
fn observe(github: &GitHub, parts: &Parts, body: &[u8]) -> (u64, Option<Fault>) {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let observed = Observed {
        method: parts.method.as_str(),
        path_and_query: parts.uri.path_and_query().map_or("", |path| path.as_str()),
        authorization: header("authorization"),
        user_agent: header("user-agent"),
        body,
    };
    let mut ledger = github.ledger();
    let now = ledger.now();
    let number = ledger.journal.enter(now, &observed);
    (number, ledger.faults.strike(observed.method, parts.uri.path()))
}

/// The routes' answer, or what a fault makes of it.
async fn answer(
    router: Router,
    socket: &OwnedFd,
    fault: Option<Fault>,
    request: Request<Body>,
) -> Result<Response<Body>, Unanswered> {
    let Some(fault) = fault else { return Ok(route(router, request).await) };
    match fault.kind {
        Kind::Status | Kind::Html => Ok(fault.answer()),
        Kind::Hang => std::future::pending().await,
        Kind::Reset => {
            // Without a linger time the kernel sends RST instead of FIN.
            if let Err(error) = set_socket_linger(socket, Some(Duration::ZERO)) {
                eprintln!("github simulator: a connection is closed instead of reset: {error}");
            }
            Err(Unanswered::Reset)
        }
        Kind::Truncate | Kind::Slow => {
            let (parts, body) = route(router, request).await.into_parts();
            let whole = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
            let empty = Response::from_parts(parts, Body::empty());
            let is_slow = fault.kind == Kind::Slow;
            Ok(if is_slow { fault::slow(empty, whole) } else { fault::truncate(empty, &whole) })
        }
    }
}

async fn route(mut router: Router, request: Request<Body>) -> Response<Body> {
    if !request.headers().contains_key(USER_AGENT) {
        return Refusal::NoUserAgent.into_response();
    }
    let version = request.headers().get(API_VERSION).map(|version| version.to_str().unwrap_or_default());
    if let Some(version) = version.filter(|version| !SUPPORTED_VERSIONS.contains(version)) {
        return Refusal::unsupported_version(version).into_response();
    }
    router.call(request).await.unwrap_or_else(|never| match never {})
}

/// Adds the headers of every answer of GitHub. The date is the virtual one, so that a skewed clock shows.
fn add_headers(headers: &mut HeaderMap, date: &str, number: u64, reset: i64) {
    let used = number % RATE_LIMIT;
    let values = [
        ("date", date.to_owned()),
        ("x-github-request-id", identifier::request_id()),
        ("x-ratelimit-limit", RATE_LIMIT.to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-remaining", (RATE_LIMIT - used).to_string()),
        ("x-ratelimit-reset", reset.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
