//! What is on the host now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Error, Host, drain};
use crate::control_group;
use crate::files::{self, FileError, Root};
use crate::fleet::{FoundFile, HostIds, Observed, ObservedRunner, Runner, RunnerPaths, Scope, names};
use crate::programs::RunnerImage;
use crate::runner::{HealthChecks, SCRIPTS, Session, WORKER};
use crate::status::ImageAge;
use crate::systemd::{ActiveState, UnitFileState, UnitState};

/// Reads files and units of ours.
///
/// # Errors
/// Something could not be read: then nothing is planned, since it might be overwritten.
pub async fn observe(host: &Host) -> Result<Observed, Error> {
    let found = found_files(host)?;
    let mut numbers: BTreeSet<u16> =
        found.keys().filter_map(|path| names::runner_of(&path.file_name()?.to_string_lossy())).collect();
    let mut observed = Observed {
        files: found,
        interrupted: files::read(&host.unfinished_mark())?.is_some(),
        ..Observed::default()
    };
    // Accounts belong to the host's fleet: a user's own has none, and must not take away those of the other.
    if host.layout.scope == Scope::System {
        observed.accounts = host_ids(&host.root)?.accounts;
    }
    let Some(systemd) = &host.systemd else {
        // Nothing runs below a --root, and there is no systemd that could be told to start something at boot.
        observed.enabled = true;
        observed.target_active = true;
        observed.companions_active = names::COMPANIONS.into();
        observed.interrupted = false;
        return Ok(observed);
    };
    let listed = systemd.list_units(&["homelab-runner@*.service"]).await?;
    numbers.extend(listed.iter().filter_map(|unit| names::runner_of(&unit.unit)));
    let services: Vec<String> = numbers.iter().map(|number| names::service(*number)).collect();
    let mut asked: Vec<&str> = services.iter().map(String::as_str).collect();
    asked.extend(names::COMPANIONS);
    asked.push(names::TARGET);
    let mut states = systemd.observe(&asked).await?;
    if let Some(target) = states.pop() {
        observed.enabled = target.unit_file_state == Some(UnitFileState::Enabled);
        observed.target_active = target.active_state == ActiveState::Active;
    }
    let companions = states.split_off(services.len());
    let started = names::COMPANIONS.into_iter().zip(companions);
    observed.companions_active = started
        .filter(|(_, state)| state.active_state == ActiveState::Active)
        .map(|(name, _)| name)
        .collect();
    for (number, state) in numbers.into_iter().zip(states) {
        observed.runners.insert(number, runner(host, number, &state)?);
    }
    Ok(observed)
}

/// Reads which user ids the host has given away.
///
/// # Errors
/// A file could not be read.
pub fn host_ids(root: &Root) -> Result<HostIds, FileError> {
    let read =
        |name: &str| files::read(&root.at(&Path::new("/etc").join(name))).map(Option::unwrap_or_default);
    Ok(HostIds::parse(&read("passwd")?, &read("group")?, &read("subuid")?, &read("subgid")?))
}

/// The runners among `numbers` on which a workflow job runs.
///
/// # Errors
/// A control group could not be read.
pub fn busy(host: &Host, numbers: &[u16]) -> Result<Vec<u16>, Error> {
    let mut busy = Vec::new();
    for number in numbers {
        let path = host.control_groups.join(names::slice_control_group(*number));
        let programs = control_group::programs(&path)
            .map_err(|source| Error::ControlGroup { path: path.clone(), source })?;
        if programs.contains(WORKER) {
            busy.push(*number);
        }
    }
    Ok(busy)
}

/// What the entrypoint of a runner has said last; `None` where that is nothing, or no word that is known.
#[must_use]
pub fn session(root: &Root, paths: &RunnerPaths) -> Option<Session> {
    files::read_untrusted(&root.at(&paths.session())).and_then(|text| text.parse().ok())
}

/// What the health checks in the container of a runner found last; the engine is not asked. `None` before the first one.
#[must_use]
pub fn health_checks(root: &Root, paths: &RunnerPaths) -> Option<HealthChecks> {
    files::read_untrusted(&root.at(&paths.health())).and_then(|text| text.parse().ok())
}

/// The image that the container of a runner runs, as `unit-step await-online` has noted it: the engine is not asked.
#[must_use]
pub fn image(root: &Root, runner: &Runner) -> Option<ImageAge> {
    let noted = files::read_untrusted(&root.at(&runner.paths.image()))?;
    let noted: RunnerImage = serde_json::from_str(&noted).ok()?;
    ImageAge::new(&runner.image, &noted.id, &noted.created, Timestamp::now())
}

/// Removes what a killed run left in our directories. Call it with the lock held.
///
/// # Errors
/// A file could not be removed.
pub fn sweep(host: &Host) -> Result<(), Error> {
    let layout = &host.layout;
    for directory in [&layout.quadlet_dir, &layout.unit_dir, &layout.scripts, &layout.state] {
        files::sweep(&host.root.at(directory))?;
    }
    if super::trial::sweep(host)? {
        // systemd has read what is gone now, and is to read again.
        files::write(&host.unfinished_mark(), b"an update was killed; run install-units\n", 0o644)?;
    }
    Ok(())
}

fn found_files(host: &Host) -> Result<BTreeMap<PathBuf, FoundFile>, Error> {
    let layout = &host.layout;
    let mut found = BTreeMap::new();
    let mut look_at = |path: PathBuf| -> Result<(), Error> {
        if let Some(file) = files::found(&host.root.at(&path))? {
            found.insert(path, file);
        }
        Ok(())
    };
    for directory in [&layout.quadlet_dir, &layout.unit_dir] {
        for name in files::names(&host.root.at(directory))?.iter().filter(|name| names::is_unit_file(name)) {
            look_at(directory.join(name))?;
        }
    }
    for name in
        SCRIPTS.map(|(name, _)| name).into_iter().chain([names::ENGINE_CONFIG, names::REPORT_SETTINGS])
    {
        look_at(layout.scripts.join(name))?;
    }
    Ok(found)
}

fn runner(host: &Host, number: u16, state: &UnitState) -> Result<ObservedRunner, Error> {
    let running = state.active_state.is_started();
    let started_with = host.root.at(&host.layout.runner(number).started_with);
    Ok(ObservedRunner {
        running,
        started_with: if running { files::read(&started_with)? } else { None },
        busy: !busy(host, &[number])?.is_empty(),
        drained: drain::is_marked(&host.root, &host.layout.runner(number)),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::fleet::{Layout, UserDirs};

    async fn accounts_seen_by(layout: Layout) -> usize {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::below(directory.path().to_owned());
        let passwd = "homelab-runner-1:x:900:900:GitHub Actions runner 1:/nonexistent:/usr/sbin/nologin\n";
        files::write(&root.at(Path::new("/etc/passwd")), passwd.as_bytes(), 0o644).unwrap();
        let host = Host { root, layout, systemd: None, control_groups: PathBuf::from("/nonexistent") };
        observe(&host).await.unwrap().accounts.len()
    }

    #[tokio::test]
    async fn a_users_own_fleet_leaves_the_accounts_of_the_hosts_fleet_alone() {
        let home = |name: &str| PathBuf::from("/home/alice").join(name);
        let dirs = UserDirs { config: home("config"), state: home("state"), runtime: home("run") };
        assert_eq!(accounts_seen_by(Layout::system()).await, 1);
        assert_eq!(accounts_seen_by(Layout::user(&dirs)).await, 0);
    }
}
