//! The client of GitHub's REST API, against a server in this process that says what the test tells it to say, or breaks off in the middle.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what is missing fails the test"
)]

mod apps;
pub(crate) mod bed;
mod calls;
mod connections;
mod faults;
mod redirections;
