//! The edge to systemd over D-Bus: runs systemd jobs to their end, observes units, enables unit files.
//!
//! For: turning a list of unit jobs into each job's own result, and the properties of units into plain
//! data; both with a time limit, and with errors that say what to do next.
//!
//! Not for: deciding which units to start or in which order (`apply`), writing unit files (`files`), or
//! reading the journal. It starts no process and writes no file.
//!
//! Follows org.freedesktop.systemd1(5). Three of its rules shape this module:
//!
//! - A method such as `StartUnit` only *enqueues* a job. Whether the unit started is told later by the
//!   signal `JobRemoved`, so the signal is subscribed to before anything is enqueued, and it is matched by
//!   the job's object path, never by the unit's name.
//! - Properties that systemd announces as constant do change with a daemon-reload, and others change
//!   without a signal. So every read asks systemd; nothing comes from a cache.
//! - systemd forgets units that nothing needs. A unit that is not there is an answer, not an error.

mod changes;
mod client;
mod clock;
mod dbus_error;
mod error;
mod hint;
mod jobs;
mod observe;
mod properties;
mod proxy;
mod unit_files;
mod words;

pub use crate::fleet::Scope;
pub use changes::Changes;
pub use client::Systemd;
pub use error::Error;
pub use jobs::{JobOutcome, UnitJob, Verb};
pub use observe::UnitState;
pub use unit_files::{Enabled, ListedUnit, UnitFileChange};
pub use words::{ActiveState, JobMode, JobResult, LoadState, ServiceResult, UnitFileState};
