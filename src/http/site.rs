//! What is answered to which URL.

use std::io::ErrorKind;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use tower_http::services::fs::{Backend, Metadata as _, ServeDir};

use super::once::Once;
use super::origin::{Scheme, origin};
use super::shelf::Shelf;
use crate::page::{ICON, STYLE};
use crate::reports::page::{self, Moment};
use crate::reports::{Index, Location, Source, media};

/// Our own pages have no script, and nothing from elsewhere.
const OWN_PAGES: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What Playwright's report and trace viewer need, and no more: measured with Chromium.
const REPORTS: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self' data: blob:; \
    worker-src 'self' blob:; frame-src 'self' blob: data:; frame-ancestors 'self'; object-src 'none'; base-uri 'self'; \
    form-action 'none'";

/// Of a file: what fits well into a processor's cache, and times the number of connections into the memory of the server.
const MOST_AT_A_TIME: usize = 256 * 1024;

struct Site<S: Source> {
    source: S,
    scheme: Scheme,
    shelf: Shelf<S>,
}

/// The index at `/`, and below `/r/` the files and directories of `source`, for visitors who come by `scheme`.
pub fn site<S: Source + Backend>(source: S, scheme: Scheme) -> Router {
    let site = Arc::new(Site { shelf: Shelf::of(source.clone()), source, scheme });
    let files = Router::new().fallback(below_reports::<S>);
    Router::new()
        .route("/", get(index::<S>))
        .route("/style.css", get(style))
        .route("/favicon.ico", get(icon))
        .nest("/r", files)
        .fallback(async || missing())
        .with_state(site)
}

async fn index<S: Source + Clone>(
    State(site): State<Arc<Site<S>>>,
    query: Result<Query<page::Query>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Query(query) = match query {
        Ok(query) => query,
        Err(error) => return guarded(error.into_response()),
    };
    let shown = site.shown(&headers, |index, moment| Some(page::index(index, &query, moment))).await;
    shown.unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn below_reports<S: Source + Backend>(State(site): State<Arc<Site<S>>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET,HEAD")]).into_response();
    }
    let Some(location) = Location::of_url_path(request.uri().path()) else {
        return missing();
    };
    if let Some(page) = names_page(&site, &location, request.headers()).await {
        return page;
    }
    let files = Once::of(site.source.clone());
    let bytes = bytes(&files, &location).await;
    if location.has_slash() && bytes.is_none() {
        return listing(&site.source, location).await;
    }
    let files = ServeDir::with_backend("", files).with_buf_chunk_size(chunk(bytes));
    let mut files = files.redirect_path_prefix("/r").ignore_multi_range_requests(true);
    match files.try_call(request).await {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => missing(),
        Ok(response) => of_report(response.map(Body::new), &location),
        Err(error) if error.kind() == ErrorKind::NotFound => missing(),
        Err(error) => {
            tracing::warn!(%error, path = location.path(), "cannot read a file");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A workflow's directory and a run's have pages of ours, whatever lies in them.
async fn names_page<S: Source + Clone>(
    site: &Site<S>,
    location: &Location,
    headers: &HeaderMap,
) -> Option<Response> {
    match location.names() {
        [workflow] if location.has_slash() => {
            let query = page::Query { workflow: workflow.clone(), ..page::Query::default() };
            let has_any = |index: &Index| index.runs.iter().any(|run| run.workflow == *workflow);
            site.shown(headers, |index, moment| has_any(index).then(|| page::index(index, &query, moment)))
                .await
        }
        [workflow, run_id] if location.has_slash() => {
            site.shown(headers, |index, moment| Some(page::run(index.run(workflow, run_id)?, moment))).await
        }
        _ => None,
    }
}

/// How large the file is that `location` shows, `index.html` for a directory; `None` where there is none.
async fn bytes<B: Backend>(files: &Once<B>, location: &Location) -> Option<u64> {
    let index = if location.has_slash() { "/index.html" } else { "" };
    // Spelled as the file server does, which will ask for it next.
    let path = format!("./{}{index}", location.path());
    files.metadata(path.into()).await.ok().map(|found| found.len())
}

/// Bytes that are read at a time of a file of so many.
fn chunk(bytes: Option<u64>) -> usize {
    bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX).clamp(1, MOST_AT_A_TIME)
}

async fn listing<S: Source + Clone>(source: &S, location: Location) -> Response {
    let source = source.clone();
    let listed = tokio::task::spawn_blocking(move || {
        source.list(&location).map(|listing| page::listing(&location, &listing))
    });
    match listed.await {
        Ok(Some(page)) => own("text/html; charset=utf-8", page),
        _ => missing(),
    }
}

async fn style() -> Response {
    own("text/css; charset=utf-8", STYLE.to_owned())
}

pub(super) async fn icon() -> Response {
    own("image/svg+xml", ICON.to_owned())
}

pub(super) fn own(content_type: &'static str, content: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, OWN_PAGES),
        (header::CACHE_CONTROL, "no-cache"),
        // A report that opens one of our pages gets no hold of its window, though it is of the same origin.
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    guarded((headers, content).into_response())
}

fn missing() -> Response {
    let mut response = own("text/html; charset=utf-8", page::missing());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn of_report(mut response: Response, location: &Location) -> Response {
    let name = if location.has_slash() { "index.html" } else { location.name() };
    let media = media(name);
    let is_data = location.names().iter().rev().skip(1).take(2).eq(["data", "html"]);
    // Playwright names these by their content.
    let cache = if is_data { "private, max-age=31536000, immutable" } else { "no-cache" };
    let is_file = matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT);
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, REPORTS);
    if is_file {
        set(header::CONTENT_TYPE, media.content_type);
        set(header::CACHE_CONTROL, cache);
        if media.is_attachment {
            set(header::CONTENT_DISPOSITION, "attachment");
        }
    }
    guarded(response)
}

pub(super) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

impl<S: Source + Clone> Site<S> {
    /// A page of ours from the index; `None` if that cannot be read, or has nothing for the page.
    async fn shown(
        &self,
        headers: &HeaderMap,
        page: impl FnOnce(&Index, Moment<'_>) -> Option<String>,
    ) -> Option<Response> {
        let copy = self.shelf.copy().await?;
        let origin = origin(headers, self.scheme);
        let moment = Moment { now: Timestamp::now(), read: copy.read, origin: origin.as_deref() };
        page(&copy.index, moment).map(|page| own("text/html; charset=utf-8", page))
    }
}
