//! What a fleet needs of its host, and what the host has of that. Pure: the facts are gathered elsewhere.
//!
//! `(HostFacts, Needs) → [Finding]`. What is not known is never `missing`: a refusal needs a fact.

mod distribution;
mod examine;
mod facts;
mod finding;
mod needs;
mod software;
mod subordinate_ids;
mod table;
mod version;

pub use distribution::{Distribution, OsRelease};
pub use examine::examine;
pub use facts::{
    Certificate, ControlGroups, Disk, HostFacts, IdMapper, ListenAddress, Program, SeLinux, UserNamespaces,
};
pub use finding::{Break, Finding, Verdict};
pub use needs::{Needs, Server};
pub use software::Software;
pub use subordinate_ids::{SubordinateRange, free_start, ranges};
pub use table::table;
pub use version::Version;

#[cfg(test)]
mod tests;
