//! One request and its answer: redirections within GitHub's API, a body of bounded size, limits of time.

use std::error::Error as StdError;
use std::io;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Method, Request, Response, StatusCode, Url};
use secrecy::zeroize::Zeroizing;
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls;
use tokio_rustls::rustls::CertificateError;

use super::answer::Answer;
use super::connection::{TimeLimits, in_words};
use super::error::Cause;

/// More than any answer of GitHub's has.
const LARGEST_BODY: usize = 16 << 20;

/// Redirections that are followed, one after the other.
const MOST_REDIRECTIONS: usize = 3;

const API_VERSION: &str = "2022-11-28";

/// Why there is no whole answer.
pub(super) enum Failure {
    /// Nothing was sent; it may be tried again.
    NotSent(Cause),
    /// It was sent, and nobody knows what became of it.
    Lost(Cause),
    /// It would end the same way again.
    Final(Cause),
}

/// What is sent.
pub(super) struct Outgoing<'a> {
    pub method: &'a Method,
    pub url: Url,
    pub body: Option<&'a [u8]>,
    pub authorization: &'a HeaderValue,
    /// What `authorization` holds: some servers repeat what they are sent.
    pub secret: &'a str,
}

/// Who sends it.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub client: &'a reqwest::Client,
    pub has_proxy: bool,
}

impl Line<'_> {
    /// Sends it and reads the answer, whatever its status, within the limit of a request and until `until`.
    pub(super) async fn exchange(
        self,
        outgoing: Outgoing<'_>,
        limits: TimeLimits,
        until: Instant,
    ) -> Result<Answer, Failure> {
        let address = address(&outgoing.url);
        let left = until.saturating_duration_since(Instant::now());
        let exchanged = timeout(left.min(limits.request), self.follow(outgoing)).await;
        exchanged.unwrap_or_else(|_| {
            let limit = if left < limits.request { limits.call } else { limits.request };
            Err(Failure::Lost(Cause::TimedOut { address, limit }))
        })
    }

    /// Never to another host, scheme or port: the credential goes with it.
    async fn follow(self, mut outgoing: Outgoing<'_>) -> Result<Answer, Failure> {
        for left in (0..=MOST_REDIRECTIONS).rev() {
            let response = self.send(&outgoing).await?;
            let Some(target) = redirection(&response, &outgoing.url) else {
                return whole(response, &outgoing.url).await;
            };
            if left == 0 || target.origin() != outgoing.url.origin() {
                let to = without_query(&target).replace(outgoing.secret, "[credential]");
                return Err(Failure::Final(Cause::Redirected { to }));
            }
            outgoing.url = target;
        }
        // The last round returns.
        Err(Failure::Final(Cause::Redirected { to: without_query(&outgoing.url) }))
    }

    async fn send(self, outgoing: &Outgoing<'_>) -> Result<Response, Failure> {
        let mut request = Request::new(outgoing.method.clone(), outgoing.url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static(API_VERSION));
        headers.insert(AUTHORIZATION, outgoing.authorization.clone());
        if let Some(body) = outgoing.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_vec().into());
        }
        self.client.execute(request).await.map_err(|error| self.failure(&outgoing.url, &error))
    }

    fn failure(self, url: &Url, error: &reqwest::Error) -> Failure {
        let (address, reason) = (address(url), in_words(error));
        if let Some(tls) = tls_error(error) {
            use rustls::Error::InvalidCertificate;
            let is_unknown_issuer = matches!(tls, InvalidCertificate(CertificateError::UnknownIssuer));
            return Failure::Final(Cause::Tls { address, reason: tls.to_string(), is_unknown_issuer });
        }
        if error.is_dns() && !self.has_proxy {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Failure::NotSent(Cause::UnknownHost { host });
        }
        if error.is_connect() {
            return Failure::NotSent(Cause::Unreachable { address, reason, has_proxy: self.has_proxy });
        }
        Failure::Lost(Cause::Broken { address, reason })
    }
}

/// Where a redirection leads.
fn redirection(response: &Response, from: &Url) -> Option<Url> {
    let follows = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(LOCATION).filter(|_| follows)?;
    from.join(location.to_str().ok()?).ok()
}

/// The answer with its body, which may not be larger than any that GitHub sends.
async fn whole(mut response: Response, url: &Url) -> Result<Answer, Failure> {
    let address = address(url);
    let lost = |error: &reqwest::Error| {
        Failure::Lost(Cause::Broken { address: address.clone(), reason: in_words(error) })
    };
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(Failure::Final(Cause::TooLarge { limit: LARGEST_BODY }));
        }
        body.extend_from_slice(&chunk);
    }
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer { status: response.status(), headers, body, address, at: Timestamp::now() })
}

/// Host and port, as people write them.
pub(super) fn address(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn without_query(url: &Url) -> String {
    let host = address(url);
    format!("{}://{host}{}", url.scheme(), url.path())
}

/// rustls' own error, wherever in the chain it is.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // The source of such an error is the source of what it wraps: what it wraps would be left out.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
