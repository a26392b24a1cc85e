//! One HTTP connection: every request passes the journal, then the faults, then the routes, and every answer gets
//! the headers that GitHub always sends.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::broken_answer;
use super::credential::Presented;
use super::fault::{Fault, Kind};
use super::journal::Observed;
use super::ledger::GitHub;
use super::rate_limit::{Allowance, Payer};
use super::refusal::{Refusal, SUPPORTED_VERSIONS};
use crate::identifier;

/// Larger requests are not read.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The header with which a client chooses a version of the API.
const API_VERSION: &str = "x-github-api-version";

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
    let Seen { number, fault, allowance } = observe(&github, &parts, &body);
    let date_skew =
        fault.as_ref().filter(|fault| fault.kind == Kind::SkewDate).and_then(|fault| fault.seconds);
    let request = Request::from_parts(parts, Body::from(body));
    let mut response = match (fault, &allowance) {
        (Some(fault), _) => answer(&github, router, &socket, &fault, request).await?,
        (None, Err((payer, _))) => Refusal::RateLimited(payer.exhausted()).into_response(),
        (None, Ok(_)) => route(router, request).await,
    };
    let mut ledger = github.ledger();
    ledger.journal.note_status(number, response.status().as_u16());
    let date = (ledger.now() + date_skew.unwrap_or_default()).http_date();
    let (Ok(allowance) | Err((_, allowance))) = allowance;
    add_headers(response.headers_mut(), date, &allowance);
    Ok(response)
}

/// What is known of a request before it is answered.
struct Seen {
    number: u64,
    fault: Option<Fault>,
    allowance: Result<Allowance, (Payer, Allowance)>,
}

/// Enters the request in the journal, finds the fault that strikes it, and counts it.
fn observe(github: &GitHub, parts: &Parts, body: &[u8]) -> Seen {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let observed = Observed {
        method: parts.method.as_str(),
        path_and_query: path_and_query(&parts.uri),
        authorization: header("authorization"),
        user_agent: header("user-agent"),
        api_version: header(API_VERSION),
        body,
    };
    let mut ledger = github.ledger();
    let now = ledger.now();
    let number = ledger.journal.enter(now, &observed);
    let fault = ledger.faults.strike(observed.method, observed.path_and_query);
    let presented = Presented::read(observed.authorization.unwrap_or_default());
    Seen { number, fault, allowance: ledger.spend(parts.uri.path(), &presented) }
}

fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or("", |path| path.as_str())
}

/// What a fault makes of the routes' answer.
async fn answer(
    github: &GitHub,
    router: Router,
    socket: &Arc<OwnedFd>,
    fault: &Fault,
    request: Request<Body>,
) -> Result<Response<Body>, Unanswered> {
    match fault.kind {
        Kind::Status | Kind::Html | Kind::PrimaryLimit | Kind::SecondaryLimit | Kind::Redirect => {
            Ok(broken_answer::instead(fault, path_and_query(request.uri()), github.ledger().now()))
        }
        Kind::Hang => std::future::pending().await,
        Kind::AnswerHeld => {
            drop(route(router, request).await);
            std::future::pending().await
        }
        Kind::SkewDate => Ok(route(router, request).await),
        Kind::Reset | Kind::AnswerLost => {
            if fault.kind == Kind::AnswerLost {
                drop(route(router, request).await);
            }
            broken_answer::reset_at_close(socket);
            Err(Unanswered::Reset)
        }
        Kind::Truncate | Kind::ResetInBody | Kind::Slow => {
            let (parts, body) = route(router, request).await.into_parts();
            let whole = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
            let empty = Response::from_parts(parts, Body::empty());
            let reset = (fault.kind == Kind::ResetInBody).then(|| Arc::clone(socket));
            Ok(if fault.kind == Kind::Slow {
                broken_answer::slow(empty, whole)
            } else {
                broken_answer::truncate(empty, &whole, reset)
            })
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

/// Adds the headers of every answer of GitHub. The date is the virtual one, so that a skewed clock shows. What a fault
/// says of the rate limit stays.
fn add_headers(headers: &mut HeaderMap, date: String, allowance: &Allowance) {
    let values = [
        ("date", date),
        ("x-github-request-id", identifier::request_id()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-ratelimit-limit", allowance.limit.to_string()),
        ("x-ratelimit-used", allowance.used.to_string()),
        ("x-ratelimit-remaining", allowance.remaining().to_string()),
        ("x-ratelimit-reset", allowance.reset.to_string()),
        ("x-ratelimit-resource", allowance.resource.to_owned()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.entry(HeaderName::from_static(name)).or_insert(value);
        }
    }
}
