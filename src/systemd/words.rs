//! systemd's own words as types, so that a misspelt one does not compile.
//!
//! systemd adds words from release to release, so every enum keeps a word it does not know as
//! `Other` instead of failing.

use std::{convert::Infallible, fmt, str::FromStr};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A word unknown to this version, as systemd spelled it.
            Other(String),
        }

        impl $name {
            /// Returns the word as systemd spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }

            #[cfg(test)]
            const KNOWN: &[Self] = &[$(Self::$variant,)+];
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word.to_owned()),
                }
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(word: &str) -> Result<Self, Infallible> {
                Ok(Self::from(word))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // `pad` keeps a table's column width working.
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// Whether systemd could read the unit's files (`LoadState`).
    LoadState {
        /// Not loaded yet.
        Stub = "stub",
        /// Loaded.
        Loaded = "loaded",
        /// No unit file of this name exists.
        NotFound = "not-found",
        /// A setting in the unit file makes it unusable.
        BadSetting = "bad-setting",
        /// The unit file cannot be read.
        Error = "error",
        /// An alias that was merged into another unit.
        Merged = "merged",
        /// Linked to /dev/null, so that it cannot be started.
        Masked = "masked",
    }
}

words! {
    /// Whether the unit is started (`ActiveState`); the same words for every unit type.
    ActiveState {
        /// Started.
        Active = "active",
        /// Started, and reading its configuration again.
        Reloading = "reloading",
        /// Started, and its mounts are being refreshed.
        Refreshing = "refreshing",
        /// Stopped; the last run did not fail.
        Inactive = "inactive",
        /// Stopped, because it failed.
        Failed = "failed",
        /// Being started, or waiting for the next automatic restart.
        Activating = "activating",
        /// Being stopped.
        Deactivating = "deactivating",
        /// Stopped, and a clean-up of its directories runs.
        Maintenance = "maintenance",
    }
}

impl ActiveState {
    /// Is it started, or on its way? `activating` is also the wait between two automatic restarts.
    #[must_use]
    pub fn is_started(&self) -> bool {
        !matches!(self, Self::Inactive | Self::Failed)
    }
}

words! {
    /// Whether the unit file is enabled (`UnitFileState`); see `is-enabled` in systemctl(1).
    UnitFileState {
        /// Enabled.
        Enabled = "enabled",
        /// Enabled until the next boot.
        EnabledRuntime = "enabled-runtime",
        /// Linked from outside the unit search path.
        Linked = "linked",
        /// Linked from outside the unit search path, until the next boot.
        LinkedRuntime = "linked-runtime",
        /// A symlink to another unit file.
        Alias = "alias",
        /// Linked to /dev/null.
        Masked = "masked",
        /// Linked to /dev/null until the next boot.
        MaskedRuntime = "masked-runtime",
        /// Cannot be enabled: it has no `[Install]` section.
        Static = "static",
        /// Not enabled itself, but named by another unit file's `Also=`.
        Indirect = "indirect",
        /// Not enabled.
        Disabled = "disabled",
        /// Made by a generator, such as Quadlet's; enabled by its source file, not by systemctl.
        Generated = "generated",
        /// Made at run time through D-Bus.
        Transient = "transient",
        /// Cannot be read.
        Bad = "bad",
    }
}

words! {
    /// What a new systemd job does to jobs that are already queued; see `--job-mode=` in systemctl(1).
    JobMode {
        /// Replaces a conflicting job.
        Replace = "replace",
        /// Fails when a job conflicts.
        Fail = "fail",
        /// Replaces conflicting jobs, and cannot be replaced itself.
        ReplaceIrreversibly = "replace-irreversibly",
        /// Stops every other unit.
        Isolate = "isolate",
        /// Cancels all queued jobs first.
        Flush = "flush",
        /// Starts no dependency and waits for none.
        IgnoreDependencies = "ignore-dependencies",
        /// Starts no required dependency, but keeps the order.
        IgnoreRequirements = "ignore-requirements",
        /// Stops the units that trigger the unit, too.
        Triggering = "triggering",
        /// Restarts the units that depend on the unit, too.
        RestartDependencies = "restart-dependencies",
    }
}

words! {
    /// How a systemd job ended, as `JobRemoved` tells it.
    JobResult {
        /// The job did what it was to do. A start is also done when a `Condition…=` or `ExecCondition=` kept
        /// the unit from running, so only its `ActiveState` says that it runs.
        Done = "done",
        /// Cancelled before it ended, mostly by a newer job for the same unit.
        Canceled = "canceled",
        /// Ran into the job's own time limit (`JobTimeoutSec=`).
        Timeout = "timeout",
        /// The unit failed.
        Failed = "failed",
        /// A job that this one waited for failed.
        Dependency = "dependency",
        /// There was nothing to do for the unit in its state.
        Skipped = "skipped",
        /// The unit cannot do what the job asked, such as reloading.
        Invalid = "invalid",
        /// An `Assert…=` of the unit did not hold.
        Assert = "assert",
        /// The unit type does not work on this host.
        Unsupported = "unsupported",
        /// The unit was removed from memory first.
        Collected = "collected",
        /// The unit starts only once per boot, and has.
        Once = "once",
        /// The unit is frozen.
        Frozen = "frozen",
        /// The slice has as many units as `ConcurrencyHardMax=` allows.
        Concurrency = "concurrency",
    }
}

words! {
    /// How the last run of a service ended (`Result`), or `success` while nothing went wrong.
    ServiceResult {
        /// Ended well, or still runs.
        Success = "success",
        /// systemd lacked something to start it: a user, a directory, memory.
        Resources = "resources",
        /// It did not follow the protocol of its `Type=`, such as ending before `READY=1`.
        Protocol = "protocol",
        /// It took longer than `TimeoutStartSec=`, `TimeoutStopSec=` or `RuntimeMaxSec=`.
        Timeout = "timeout",
        /// It ended with an exit code other than 0.
        ExitCode = "exit-code",
        /// It was ended by a signal.
        Signal = "signal",
        /// It was ended by a signal and left a core dump.
        CoreDump = "core-dump",
        /// It missed its watchdog's time.
        Watchdog = "watchdog",
        /// It was started too often within `StartLimitIntervalSec=`.
        StartLimitHit = "start-limit-hit",
        /// The kernel or systemd-oomd killed it for want of memory.
        OomKill = "oom-kill",
        /// `ExecCondition=` said no.
        ExecCondition = "exec-condition",
    }
}

impl JobResult {
    /// Tells whether systemctl(1) would call the job a success: it is done, or there was nothing to do.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Done | Self::Skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::{ActiveState, JobMode, JobResult, LoadState, ServiceResult, UnitFileState};

    macro_rules! round_trip {
        ($($name:ident),+) => {
            $(
                for known in $name::KNOWN {
                    assert!(!matches!($name::from(known.as_str()), $name::Other(_)), "{known}");
                    assert_eq!(known.to_string().parse(), Ok(known.clone()));
                }
                let other = $name::Other("of-tomorrow".to_owned());
                assert_eq!("of-tomorrow".parse(), Ok(other.clone()));
                assert_eq!(other.to_string(), "of-tomorrow");
            )+
        };
    }

    #[test]
    fn every_word_survives_a_round_trip_and_an_unknown_one_is_kept() {
        round_trip!(ActiveState, JobMode, JobResult, LoadState, ServiceResult, UnitFileState);
    }

    #[test]
    fn only_done_and_skipped_are_a_success() {
        let successes: Vec<_> =
            JobResult::KNOWN.iter().filter(|result| result.is_success()).map(JobResult::as_str).collect();

        assert_eq!(successes, ["done", "skipped"]);
    }
}
