//! A JSON request body. Like GitHub, it does not insist on a content type.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::refusal::Refusal;

/// The body of a request, read as `T`.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        // The connection has already limited the size.
        let body = to_bytes(request.into_body(), usize::MAX).await;
        let body = body.map_err(|error| Refusal::BadRequest(error.to_string()))?;
        read(&body).map(Self)
    }
}

/// Reads a body: what is no JSON is a 400, what does not fit is a 422.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Refusal::Unprocessable(format!("Invalid request.\n\n{error}")),
        Category::Io | Category::Syntax | Category::Eof => {
            Refusal::BadRequest(format!("Problems parsing JSON: {error}"))
        }
    })
}
