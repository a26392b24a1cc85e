//! The test bed's two halves: a simulator of GitHub, and a stand-in for the programs of GitHub's runner.
//!
//! Both follow what GitHub and its runner do, not what `runnerctl` happens to send or expect, so that each is a
//! judge and not an accomplice.
//!
//! Architecture invariants: the halves share no types and talk over HTTP only; no state outlives a process except
//! the runner's own files; no token is ever printed or kept in clear in the request journal.

/// The simulator: registration, sessions, scheduling, faults and the request journal.
pub mod github;
/// An HTTP/1.1 client for plain `http://` that opens one connection per request.
pub mod http_client;
/// Identifiers in GitHub's forms: tokens, GUIDs, request ids.
mod identifier;
/// The stand-in for `bin/Runner.Listener`: configure, remove and run.
pub mod runner;
/// The stand-in for `bin/Runner.Worker`: runs one workflow job.
pub mod worker;
