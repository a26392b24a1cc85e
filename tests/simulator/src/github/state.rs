//! What outlives the simulator's process, and the file that holds it.
//!
//! Kept is what GitHub would still know after the machine of the simulator was rebooted: registrations, credentials of
//! every kind, GitHub Apps, the ids given so far, the clock. Sessions, access tokens, workflow jobs, journal and faults are not: the
//! runners have to come back by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::app::{App, Installation};
use super::credential::Credential;
use super::ledger::Ledger;
use super::registration::RegistrationToken;
use super::runner::Runner;
use super::runner_group::RunnerGroup;

/// The kept part of the ledger.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    clock_offset_seconds: i64,
    #[serde(default)]
    clock_skew_seconds: i64,
    last_id: u64,
    registration_tokens: BTreeMap<String, RegistrationToken>,
    runners: Vec<KeptRunner>,
    #[serde(default)]
    credentials: BTreeMap<String, Credential>,
    #[serde(default)]
    apps: BTreeMap<u64, App>,
    #[serde(default)]
    installations: BTreeMap<u64, Installation>,
    #[serde(default)]
    private_repositories: BTreeSet<String>,
    #[serde(default)]
    own_runner_groups: BTreeMap<u64, RunnerGroup>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptRunner {
    /// Instead of the moment of the last contact, which moves all the time while a runner is online.
    was_online: bool,
    #[serde(flatten)]
    runner: Runner,
}

impl Kept {
    fn of(ledger: &Ledger) -> Self {
        let now = ledger.now();
        let keep = |runner: &Runner| {
            let mut runner = runner.clone();
            let was_online = runner.is_online(now);
            // A session that is only waiting to be replaced has seen its last contact.
            if let Some(session) = runner.session.take()
                && !was_online
            {
                runner.last_contact = Some(session.last_contact(now));
            }
            KeptRunner { was_online, runner }
        };
        Self {
            clock_offset_seconds: ledger.clock.offset_seconds(),
            clock_skew_seconds: ledger.clock.skew_seconds(),
            last_id: ledger.last_id,
            registration_tokens: ledger.registration_tokens.clone(),
            runners: ledger.runners.values().map(keep).collect(),
            credentials: ledger.credentials.clone(),
            apps: ledger.apps.clone(),
            installations: ledger.installations.clone(),
            private_repositories: ledger.private_repositories.clone(),
            own_runner_groups: ledger.own_runner_groups.clone(),
        }
    }

    fn restore(self, ledger: &mut Ledger) {
        ledger.clock.advance(self.clock_offset_seconds);
        ledger.clock.set_skew(self.clock_skew_seconds);
        ledger.last_id = self.last_id;
        ledger.registration_tokens = self.registration_tokens;
        ledger.credentials = self.credentials;
        ledger.apps = self.apps;
        ledger.installations = self.installations;
        ledger.private_repositories = self.private_repositories;
        ledger.own_runner_groups = self.own_runner_groups;
        let now = ledger.now();
        for KeptRunner { was_online, mut runner } in self.runners {
            if was_online {
                // The simulator was away, not the runner.
                runner.last_contact = Some(now);
            }
            ledger.runners.insert(runner.id, runner);
        }
    }
}

/// The file, and what it holds.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    written: Vec<u8>,
}

impl StateFile {
    /// Restores the ledger from the file, if it is there, and writes it, so that a place that cannot be written to
    /// is noticed at the start.
    pub(crate) fn open(path: &Path, ledger: &mut Ledger) -> io::Result<Self> {
        let mut file = Self { path: path.to_owned(), written: Vec::new() };
        let opened = match fs::read(path) {
            Ok(content) => serde_json::from_slice::<Kept>(&content)
                .map_err(io::Error::from)
                .map(|kept| kept.restore(ledger))
                .and_then(|()| file.write_if_changed(ledger)),
            Err(error) if error.kind() == ErrorKind::NotFound => file.write_if_changed(ledger),
            Err(error) => Err(error),
        };
        opened
            .map(|()| file)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Writes what is to be kept, if it changed. A failure is reported, and the next change tries again.
    pub(crate) fn keep(&mut self, ledger: &Ledger) {
        if let Err(error) = self.write_if_changed(ledger) {
            eprintln!("github simulator: {} is out of date: {error}", self.path.display());
        }
    }

    fn write_if_changed(&mut self, ledger: &Ledger) -> io::Result<()> {
        let content = serde_json::to_vec(&Kept::of(ledger))?;
        if content != self.written {
            replace(&self.path, &content)?;
            self.written = content;
        }
        Ok(())
    }
}

/// Replaces a file as a whole. It holds tokens, so only its owner may read it: that is how temporary files are made.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    // Tests also cut the power of the machine that the simulator runs on.
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(directory)?.sync_all()
}
