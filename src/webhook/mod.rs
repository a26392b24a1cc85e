//! The edge to a server that takes notifications: one POST each, as JSON or in the manner of ntfy.
//!
//! The client comes from whoever knows the way out (proxies, certificates) and follows no redirection: a token goes to the host of the config alone. No text that
//! leaves this module holds the token, or more of the address than its origin.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode};

use crate::config::{NotifyToken, WebhookFormat, WebhookUrl};
use crate::health::Message;

/// A server that takes notifications.
pub struct Webhook {
    client: Client,
    url: WebhookUrl,
    format: WebhookFormat,
    authorization: Option<HeaderValue>,
    limit: Duration,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There is no such answer within the time.
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    /// No connection, or one that broke.
    #[error("it cannot be reached ({0})")]
    Unreachable(String),
    /// 3xx
    #[error("it redirects elsewhere ({0}), which is not followed")]
    Redirected(u16),
    /// 4xx or 5xx
    #[error("it answers {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// How long it asks to be left alone, by `Retry-After`.
        retry_after: Option<Duration>,
    },
}

impl PostError {
    /// The next step.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::TimedOut(_) | Self::Unreachable(_) => {
                "see that this host reaches it; [proxy] is for messages too"
            }
            Self::Redirected(_) => "set notify.webhook to the address that it redirects to",
            Self::Refused { status: 401 | 403, .. } => {
                "see that the token in notify.token_file may publish there"
            }
            Self::Refused { status: 404 | 405 | 410, .. } => {
                "see that notify.webhook is the address that takes messages"
            }
            Self::Refused { .. } => return None,
        })
    }

    /// How long the server wants to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Webhook {
    /// The server at `url`, reached by `client`, which must not follow redirections. `limit`: for one message and its answer.
    #[must_use]
    pub fn new(
        client: Client,
        url: WebhookUrl,
        format: WebhookFormat,
        token: Option<&NotifyToken>,
        limit: Duration,
    ) -> Self {
        let authorization = token.and_then(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Self { client, url, format, authorization, limit }
    }

    /// Scheme, host and port, for messages.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.url.origin()
    }

    /// Posts `message` of this `host`, once.
    ///
    /// # Errors
    /// It was not taken, or nobody knows.
    pub async fn post(&self, message: &Message, host: &str) -> Result<(), PostError> {
        let (mut headers, body) = match self.format {
            WebhookFormat::Json => (json_headers(), message.json(host)),
            WebhookFormat::Ntfy => (ntfy_headers(message, host), message.text()),
        };
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        let request = self.client.post(self.url.as_str()).headers(headers).body(body).timeout(self.limit);
        let response = request.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status();
        match status {
            _ if status.is_success() => Ok(()),
            _ if status.is_redirection() => Err(PostError::Redirected(status.as_u16())),
            _ => Err(PostError::Refused {
                status: status.as_u16(),
                retry_after: retry_after(status, response.headers()),
            }),
        }
    }

    /// In words without the address.
    fn failure(&self, error: &reqwest::Error) -> PostError {
        if error.is_timeout() {
            return PostError::TimedOut(self.limit);
        }
        let innermost = std::iter::successors(error.source(), |error| (*error).source()).last();
        PostError::Unreachable(
            innermost.map_or_else(|| "the request cannot be made".to_owned(), ToString::to_string),
        )
    }
}

fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

fn ntfy_headers(message: &Message, host: &str) -> HeaderMap {
    let (priority, tags) = message.ntfy();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("title", header(&format!("{host}: {}", message.title())));
    headers.insert("priority", HeaderValue::from_static(priority));
    headers.insert("tags", HeaderValue::from_static(tags));
    headers
}

/// Of ASCII alone: what else a header may hold is read differently by everybody.
fn header(text: &str) -> HeaderValue {
    let plain: String =
        text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
    HeaderValue::from_str(&plain).unwrap_or_else(|_| HeaderValue::from_static("runnerctl"))
}

fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let asks = status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE;
    let seconds = headers.get(RETRY_AFTER).filter(|_| asks)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_title_is_a_header(text in any::<String>()) {
            let value = super::header(&text);
            prop_assert_eq!(value.len(), text.chars().count());
            prop_assert!(value.to_str().is_ok());
        }
    }
}
