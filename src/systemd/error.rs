//! What can go wrong at systemd's edge, said so that the reader knows what to do next.
//!
//! `Display` names the object and the cause in one line, the cause included: a printer need not walk
//! `source()`. The next step is kept apart in [`Error::hint`] (in `hint`), for a line of its own.

use std::time::Duration;

use super::{Scope, jobs::Verb, words::JobResult};

/// A failure to reach systemd, or its refusal, or the bad end of a systemd job.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens at the address of the bus, or the bus does not let this user in.
    #[error("cannot reach the {scope} bus at {address}: {reason}")]
    NoBus {
        /// Which bus.
        scope: Scope,
        /// The D-Bus address that was tried.
        address: String,
        /// The cause, in words.
        reason: String,
        /// Whether this host was booted with systemd, as `sd_booted(3)` tells it.
        is_booted: bool,
        /// The environment variable that the address came from, if it came from one.
        variable: Option<&'static str>,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// The bus took the connection but did not greet in time.
    #[error("the {scope} bus at {address} did not answer within {}", humantime::format_duration(*limit))]
    ConnectTimedOut {
        /// Which bus.
        scope: Scope,
        /// The D-Bus address that was tried.
        address: String,
        /// How long it was waited for.
        limit: Duration,
    },

    /// The bus is there, and systemd is not on it.
    #[error("systemd is not on the {scope} bus: {reason}")]
    NoSystemd {
        /// Which bus.
        scope: Scope,
        /// The cause, in words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// The caller may not do this.
    #[error("cannot {action}: access denied ({reason})")]
    AccessDenied {
        /// Which systemd.
        scope: Scope,
        /// What was tried, such as `start a.service`.
        action: String,
        /// The cause, in systemd's words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// No unit or unit file has this name.
    #[error("cannot {action}: {reason}")]
    UnitNotFound {
        /// Which systemd.
        scope: Scope,
        /// What was tried.
        action: String,
        /// The unit, or all units of the call with blanks between.
        units: String,
        /// The cause, in systemd's words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// The unit is masked.
    #[error("cannot {action}: {reason}")]
    UnitMasked {
        /// Which systemd.
        scope: Scope,
        /// What was tried.
        action: String,
        /// The unit, or all units of the call with blanks between.
        units: String,
        /// The cause, in systemd's words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// systemd read the unit file and cannot use it.
    #[error("cannot {action}: {reason}")]
    BadUnitFile {
        /// Which systemd.
        scope: Scope,
        /// What was tried.
        action: String,
        /// The unit, or all units of the call with blanks between.
        units: String,
        /// The cause, in systemd's words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// The unit file was made by a generator, and only the generator's source enables it.
    #[error("cannot {action}: {reason}")]
    UnitGenerated {
        /// What was tried.
        action: String,
        /// The cause, in systemd's words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// systemd could not make sense of a name.
    #[error("cannot {action}: {reason}")]
    InvalidArgument {
        /// What was tried.
        action: String,
        /// The cause, in systemd's words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// systemd refused for another reason.
    #[error("cannot {action}: {reason} ({name})")]
    Refused {
        /// Which systemd.
        scope: Scope,
        /// What was tried.
        action: String,
        /// The D-Bus error name, such as `org.freedesktop.systemd1.TransactionIsDestructive`.
        name: String,
        /// The cause, in systemd's words.
        reason: String,
        /// The error as zbus gave it.
        #[source]
        source: Box<zbus::Error>,
    },

    /// systemd did not reply to a call in time.
    #[error("cannot {action}: systemd did not answer within {}", humantime::format_duration(*limit))]
    NoReply {
        /// Which systemd.
        scope: Scope,
        /// What was tried.
        action: String,
        /// How long it was waited for.
        limit: Duration,
    },

    /// The connection to the bus ended while something was awaited.
    #[error("cannot {action}: the connection to the {scope} bus was lost")]
    ConnectionLost {
        /// Which bus.
        scope: Scope,
        /// What was tried.
        action: String,
        /// The error as zbus gave it, if there was more than the end.
        #[source]
        source: Option<Box<zbus::Error>>,
    },

    /// systemd replied with something that org.freedesktop.systemd1(5) does not describe.
    #[error("cannot {action}: unexpected reply ({reason})")]
    UnexpectedReply {
        /// What was tried.
        action: String,
        /// What was unexpected.
        reason: String,
        /// The error as zbus gave it, if it came from there.
        #[source]
        source: Option<Box<zbus::Error>>,
    },

    /// The limit passed before the systemd job ended, or before systemd took it.
    #[error("{unit}: {}", timed_out(*verb, *limit, *is_queued))]
    TimedOut {
        /// Which systemd.
        scope: Scope,
        /// The unit.
        unit: String,
        /// What the systemd job does.
        verb: Verb,
        /// How long it was waited for.
        limit: Duration,
        /// Whether systemd has the job and goes on with it.
        is_queued: bool,
    },

    /// The systemd job ended, and not well.
    #[error("{unit}: the {verb} job {}", bad_end(result))]
    JobNotDone {
        /// Which systemd.
        scope: Scope,
        /// The unit.
        unit: String,
        /// What the systemd job was to do.
        verb: Verb,
        /// How it ended.
        result: JobResult,
    },
}

fn timed_out(verb: Verb, limit: Duration, is_queued: bool) -> String {
    let limit = humantime::format_duration(limit);
    if is_queued {
        format!("the {verb} job has not ended within {limit} and is still queued")
    } else {
        format!("the {verb} job was not queued: systemd did not take it within {limit}")
    }
}

fn bad_end(result: &JobResult) -> String {
    match result {
        JobResult::Canceled => "was cancelled, mostly by a newer job for the same unit".to_owned(),
        JobResult::Timeout => "ran into its JobTimeoutSec=".to_owned(),
        JobResult::Dependency => "failed because a unit that it needs failed".to_owned(),
        JobResult::Failed => "failed".to_owned(),
        JobResult::Assert => "failed because an Assert…= of the unit does not hold".to_owned(),
        other => format!("ended with the result {other}"),
    }
}
