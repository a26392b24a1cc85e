//! Who asks (the `Authorization` header) and about what (the scope in the path).

use std::collections::HashMap;
use std::convert::Infallible;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;

use crate::github::credential::Presented;
use crate::github::refusal::Refusal;
use crate::github::scope::Scope;

/// `Authorization: RemoteAuth <registration token>`, as `config.sh` sends it.
pub(super) struct RemoteAuth(pub(super) String);

/// Whatever the `Authorization` header holds, for routes that take more than one kind.
pub(super) struct Caller(pub(super) Presented);

/// `Authorization: Bearer <access token>`, as a listening runner sends it.
pub(super) struct Bearer(pub(super) String);

/// The scheme, host and port under which the client reached the simulator; other services are announced below it.
pub(super) struct Origin(pub(super) String);

impl<S: Sync> FromRequestParts<S> for RemoteAuth {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        credentials(parts, "RemoteAuth").map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        credentials(parts, "Bearer").map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        Ok(Self(Presented::read(value.unwrap_or_default())))
    }
}

fn credentials(parts: &Parts, wanted: &str) -> Result<String, Refusal> {
    let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match value.and_then(|value| value.split_once(' ')) {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case(wanted) => Ok(secret.trim().to_owned()),
        _ => Err(Refusal::BadCredentials),
    }
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        Ok(Self(format!("http://{host}")))
    }
}

/// The repository, organization or enterprise in the path, and what else it names.
pub(super) struct Place {
    pub(super) scope: Scope,
    id: Option<String>,
    /// A label of a runner.
    pub(super) label: Option<String>,
}

impl Place {
    /// The number of the runner, workflow run or workflow job.
    pub(super) fn id(&self) -> Result<u64, Refusal> {
        self.id.as_ref().and_then(|id| id.parse().ok()).ok_or(Refusal::NotFound)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found: Result<Path<HashMap<String, String>>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let Path(mut names) = found.map_err(|_| Refusal::NotFound)?;
        let scope = match (names.remove("owner"), names.remove("repo")) {
            (Some(owner), Some(name)) => Scope::Repository { owner, name },
            _ => match (names.remove("organization"), names.remove("enterprise")) {
                (Some(organization), _) => Scope::Organization(organization),
                (_, Some(enterprise)) => Scope::Enterprise(enterprise),
                _ => return Err(Refusal::NotFound),
            },
        };
        Ok(Self { scope, id: names.remove("id"), label: names.remove("label") })
    }
}
