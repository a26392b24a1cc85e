//! All that the simulated GitHub knows, behind one lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::app::{App, Installation};
use super::clock::{Clock, Moment};
use super::credential::Credential;
use super::fault::Faults;
use super::journal::Journal;
use super::oauth::AccessToken;
use super::rate_limit::RateLimits;
use super::registration::RegistrationToken;
use super::runner::Runner;
use super::runner_group::RunnerGroup;
use super::settings::Settings;
use super::state::StateFile;
use super::workflow_job::WorkflowJob;

/// The first number of each kind; GitHub's numbers are not small either.
const FIRST_ID: u64 = 1001;

/// The simulated GitHub, shared by all requests.
#[derive(Debug)]
pub(crate) struct GitHub {
    guarded: Mutex<Guarded>,
    /// Wakes message polls when something happened that may concern them.
    changed: Notify,
}

impl GitHub {
    /// Starts with what the state file holds, if one is given.
    pub(crate) fn new(settings: Settings, state: Option<&Path>) -> io::Result<Self> {
        let mut ledger = Ledger::new(settings);
        let state_file = state.map(|path| StateFile::open(path, &mut ledger)).transpose()?;
        Ok(Self { guarded: Mutex::new(Guarded { ledger, state_file }), changed: Notify::new() })
    }

    /// Locks the ledger, with all that time alone has changed brought up to date.
    pub(crate) fn ledger(&self) -> LockedLedger<'_> {
        let mut guarded = self.guarded.lock().unwrap_or_else(PoisonError::into_inner);
        guarded.ledger.let_time_pass();
        LockedLedger(guarded)
    }

    pub(crate) fn announce_change(&self) {
        self.changed.notify_waiters();
    }

    /// Completes at the next announced change; take it before looking at the ledger, so that none is missed.
    pub(crate) fn change(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}

#[derive(Debug)]
struct Guarded {
    ledger: Ledger,
    state_file: Option<StateFile>,
}

/// The ledger while it is locked. Unlocking writes the state file where that is due: so no answer tells of a change
/// that a restart would undo, and no rule has to think of the file.
#[derive(Debug)]
pub(crate) struct LockedLedger<'a>(MutexGuard<'a, Guarded>);

impl Deref for LockedLedger<'_> {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.0.ledger
    }
}

impl DerefMut for LockedLedger<'_> {
    fn deref_mut(&mut self) -> &mut Ledger {
        &mut self.0.ledger
    }
}

impl Drop for LockedLedger<'_> {
    fn drop(&mut self) {
        let Guarded { ledger, state_file } = &mut *self.0;
        if let Some(state_file) = state_file {
            state_file.keep(ledger);
        }
    }
}

/// The knowledge itself. Rules live in the modules that extend it.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) registration_tokens: BTreeMap<String, RegistrationToken>,
    /// Personal access tokens and installation tokens, by themselves.
    pub(crate) credentials: BTreeMap<String, Credential>,
    pub(crate) apps: BTreeMap<u64, App>,
    pub(crate) installations: BTreeMap<u64, Installation>,
    /// Their full names in lower case; all others are public.
    pub(crate) private_repositories: BTreeSet<String>,
    pub(crate) access_tokens: HashMap<String, AccessToken>,
    /// Those beside the default one.
    pub(crate) own_runner_groups: BTreeMap<u64, RunnerGroup>,
    pub(crate) runners: BTreeMap<u64, Runner>,
    /// In order of arrival, since ids only grow.
    pub(crate) workflow_jobs: BTreeMap<u64, WorkflowJob>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) rate_limits: RateLimits,
    pub(crate) last_id: u64,
}

impl Ledger {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            clock: Clock::default(),
            settings,
            registration_tokens: BTreeMap::new(),
            credentials: BTreeMap::new(),
            apps: BTreeMap::new(),
            installations: BTreeMap::new(),
            private_repositories: BTreeSet::new(),
            access_tokens: HashMap::new(),
            own_runner_groups: BTreeMap::new(),
            runners: BTreeMap::new(),
            workflow_jobs: BTreeMap::new(),
            faults: Faults::default(),
            journal: Journal::default(),
            rate_limits: RateLimits::default(),
            last_id: FIRST_ID - 1,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn let_time_pass(&mut self) {
        self.remove_long_offline_runners();
        self.give_up_late_workflow_jobs();
    }
}
