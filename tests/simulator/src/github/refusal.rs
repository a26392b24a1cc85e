//! How GitHub says no: one form for its REST API, one for the broker, one for OAuth.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The versions of the REST API, the newest first.
pub(crate) const SUPPORTED_VERSIONS: &[&str] = &["2026-03-10", "2022-11-28"];

/// A refused request.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No or unusable credentials.
    BadCredentials,
    /// Other reasons for a 401, in GitHub's words.
    Unauthorized(&'static str),
    /// The primary rate limit is used up.
    RateLimited(String),
    /// No GitHub App of this issuer.
    NoIntegration,
    /// Known, and not allowed to; the headers tell what would be needed.
    Forbidden { message: String, headers: Vec<(&'static str, String)> },
    /// GitHub answers nobody who does not say who they are.
    NoUserAgent,
    /// Absent, or not for these credentials; GitHub does not tell which.
    NotFound,
    /// The request cannot be read.
    BadRequest(String),
    /// The request contradicts what is there.
    Conflict(String),
    /// The request has the right form but cannot be granted.
    Unprocessable(String),
    /// The broker's own form, by which `Runner.Listener` tells cases apart.
    Broker { status: StatusCode, kind: &'static str, message: String },
    /// The OAuth token endpoint's form.
    OAuth { error: &'static str, description: &'static str },
}

impl Refusal {
    /// The client chose a version of the API that is not there.
    pub(crate) fn unsupported_version(version: &str) -> Self {
        Self::BadRequest(format!(
            "The version you specified in the \"X-GitHub-API-Version\" request header, \"{version}\", is not a \
             supported version. The following versions are currently supported: \"{}\".",
            SUPPORTED_VERSIONS.join("\", \"")
        ))
    }

    /// The registration of the asking runner is gone.
    pub(crate) fn runner_not_found(id: u64) -> Self {
        Self::Broker {
            status: StatusCode::NOT_FOUND,
            kind: "RunnerNotFound",
            message: format!("Runner {id} not found."),
        }
    }

    /// The session ended, or never was.
    pub(crate) fn session_invalid() -> Self {
        Self::Broker {
            status: StatusCode::BAD_REQUEST,
            kind: "RunnerSessionInvalid",
            message: "The session is not valid.".to_owned(),
        }
    }

    /// Another session of this runner lives.
    pub(crate) fn session_conflict(owner: &str) -> Self {
        Self::Broker {
            status: StatusCode::CONFLICT,
            kind: "RunnerSessionConflict",
            message: format!("A session for this runner already exists, owned by {owner}."),
        }
    }

    /// The runner's version is below the minimum.
    pub(crate) fn version_too_old(version: &str) -> Self {
        Self::Broker {
            status: StatusCode::FORBIDDEN,
            kind: "RunnerVersionTooOld",
            message: format!("Runner version v{version} is deprecated and cannot receive messages."),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::BadCredentials => rest(StatusCode::UNAUTHORIZED, "Bad credentials"),
            Self::Unauthorized(message) => rest(StatusCode::UNAUTHORIZED, message),
            Self::Forbidden { message, headers } => {
                with_headers(rest(StatusCode::FORBIDDEN, &message), headers)
            }
            Self::NoUserAgent => rest(
                StatusCode::FORBIDDEN,
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
            ),
            Self::RateLimited(message) => rest(StatusCode::FORBIDDEN, &message),
            Self::NoIntegration => rest(StatusCode::NOT_FOUND, "Integration not found"),
            Self::NotFound => rest(StatusCode::NOT_FOUND, "Not Found"),
            Self::BadRequest(message) => rest(StatusCode::BAD_REQUEST, &message),
            Self::Conflict(message) => rest(StatusCode::CONFLICT, &message),
            Self::Unprocessable(message) => rest(StatusCode::UNPROCESSABLE_ENTITY, &message),
            Self::Broker { status, kind, message } => {
                let body = json!({
                    "source": "actions-broker-listener",
                    "errorKind": kind,
                    "statusCode": status.as_u16(),
                    "errorMessage": message,
                    "traceId": null,
                });
                (status, Json(body)).into_response()
            }
            Self::OAuth { error, description } => {
                let body = json!({ "error": error, "error_description": description, "error_uri": null });
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
        }
    }
}

fn with_headers(mut response: Response, headers: Vec<(&'static str, String)>) -> Response {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn rest(status: StatusCode, message: &str) -> Response {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.as_u16().to_string(),
    });
    (status, Json(body)).into_response()
}
