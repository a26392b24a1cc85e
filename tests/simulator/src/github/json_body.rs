//! A JSON request body. Like GitHub, it does not insist on a content type.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// The body of a request, read as `T`.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        // The connection has already limited the size.
        let body = to_bytes(request.into_body(), usize::MAX).await;
        let body = body.map_err(|error| Refusal::BadRequest(error.to_string()))?;
        match serde_json::from_slice(&body) {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(Refusal::BadRequest(format!("Problems parsing JSON: {error}"))),
        }
    }
}
