//! What [`Roll`](crate::fleet::Roll) has to know of the host, and what is left of runners that the fleet has no more.

use std::path::Path;

use super::{Error, Host, busy};
use crate::files::{self, FileError, Root};
use crate::fleet::{Fleet, FleetNow, Runner, RunnerNow, names};
use crate::programs;
use crate::systemd::{ActiveState, Systemd, UnitState};
use crate::units::{UnitFile, digest_of};

/// The digest in the unit that systemd has read; `None` where there is none.
///
/// # Errors
/// The unit's file could not be read.
pub fn digest_in_use(root: &Root, unit: &UnitState) -> Result<Option<String>, FileError> {
    let Some(path) = &unit.fragment_path else { return Ok(None) };
    Ok(files::read(&root.at(path))?.and_then(|text| digest_of(&text).map(str::to_owned)))
}

/// Reads the state of `fleet`.
///
/// # Errors
/// systemd, a file or a control group could not be read.
pub async fn fleet_now(host: &Host, systemd: &Systemd, fleet: &Fleet) -> Result<FleetNow, Error> {
    let mut now = FleetNow::default();
    if let Some(target) = systemd.observe(&[names::TARGET]).await?.pop() {
        now.target_active = target.active_state == ActiveState::Active;
        for unit in &target.wants {
            if !is_started(systemd, unit).await? {
                now.inactive_wants.push(unit.clone());
            }
        }
    }
    for runner in &fleet.runners {
        let states = systemd.observe(&[names::service(runner.number).as_str()]).await?;
        let Some(state) = states.first() else { continue };
        now.runners.push(runner_now(host, runner, state)?);
    }
    Ok(now)
}

/// What there is to know of `runner`, whose unit is in `state`.
///
/// # Errors
/// A file could not be read.
pub fn runner_now(host: &Host, runner: &Runner, state: &UnitState) -> Result<RunnerNow, Error> {
    let started_with = files::read(&host.root.at(&runner.paths.started_with))?;
    Ok(RunnerNow {
        number: runner.number,
        running: state.active_state.is_started(),
        failed: state.active_state == ActiveState::Failed,
        has_been_started: started_with.is_some(),
        outdated: started_with != digest_in_use(&host.root, state)?,
        drained: super::drain::is_marked(&host.root, &runner.paths),
    })
}

async fn is_started(systemd: &Systemd, unit: &str) -> Result<bool, Error> {
    let states = systemd.observe(&[unit]).await?;
    Ok(states.iter().any(|state| state.active_state.is_started()))
}

/// Writes those of `desired` that are missing or differ; returns their names. Somebody else's file is never overwritten.
///
/// # Errors
/// A file could not be read or written, or is somebody else's.
pub fn write_files(host: &Host, desired: &[&UnitFile]) -> Result<Vec<String>, Error> {
    let mut written = Vec::new();
    for file in desired {
        let path = host.root.at(&file.path);
        match files::found(&path)? {
            Some(crate::fleet::FoundFile::Ours { text, mode }) if text == file.text && mode == file.mode => {}
            Some(crate::fleet::FoundFile::Foreign) => return Err(Error::Foreign(path)),
            _ => {
                files::write(&path, file.text.as_bytes(), file.mode)?;
                written.push(file.name());
            }
        }
    }
    Ok(written)
}

/// Numbers of started runners that are not of `fleet` and on which a workflow job runs.
///
/// # Errors
/// systemd or a control group could not be read.
pub async fn busy_leftovers(host: &Host, systemd: &Systemd, fleet: &Fleet) -> Result<Vec<u16>, Error> {
    let numbers: Vec<u16> = started(systemd).await?;
    let left: Vec<u16> = numbers.into_iter().filter(|number| fleet.runner(*number).is_none()).collect();
    busy(host, &left)
}

/// Removes the network and the images of engines that no runner of `fleet` has any more, and that do not run; returns the numbers. Identities and work folders stay.
///
/// # Errors
/// systemd could not be read, or something could not be removed.
pub async fn remove_leftovers(
    host: &Host,
    systemd: &Systemd,
    fleet: &Fleet,
    podman: &Path,
) -> Result<Vec<u16>, Error> {
    let started = started(systemd).await?;
    let mut removed = Vec::new();
    for name in files::names(&host.root.at(&fleet.layout.state))? {
        let Some(number) = names::plain_number(&name) else { continue };
        let storage = host.root.at(&fleet.layout.runner(number).engine_storage);
        let is_used = fleet.runner(number).is_some_and(|runner| runner.ids.is_some());
        if is_used || started.contains(&number) || !files::exists(&storage) {
            continue;
        }
        programs::remove_network(podman, &names::network(number))?;
        files::remove_tree(&storage)?;
        removed.push(number);
    }
    Ok(removed)
}

async fn started(systemd: &Systemd) -> Result<Vec<u16>, Error> {
    let listed = systemd.list_units(&["homelab-runner@*.service"]).await?;
    let listed = listed.iter().filter(|unit| unit.active_state.is_started());
    Ok(listed.filter_map(|unit| names::runner_of(&unit.unit)).collect())
}
