//! systemd's word on the runners' units: at first of each, then of those that it announces.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::Host;
use crate::fleet::{Runner, names};
use crate::health::{Activity, Unit};
use crate::systemd::{ActiveState, Changes, Systemd, UnitState};

/// A connection on which changes are announced.
pub(super) struct Watched {
    pub(super) host: Arc<Host>,
    systemd: Systemd,
    changes: Changes,
    numbers: Vec<u16>,
    /// Who was not asked about yet on this connection.
    unasked: VecDeque<u16>,
}

impl Watched {
    pub(super) async fn begin(host: Host, runners: &[Runner]) -> Result<Self, String> {
        let systemd = host.systemd.clone().ok_or("this host has no systemd to ask")?;
        let numbers: Vec<u16> = runners.iter().map(|runner| runner.number).collect();
        let units: Vec<String> = numbers.iter().map(|number| names::service(*number)).collect();
        // Before anything is read: what changes meanwhile is announced.
        let changes = systemd.changes(&units.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let changes = changes.map_err(|error| error.to_string())?;
        Ok(Self {
            host: Arc::new(host),
            systemd,
            changes,
            unasked: numbers.iter().copied().collect(),
            numbers,
        })
    }

    async fn next(&mut self) -> Result<(u16, Unit), String> {
        let number = if let Some(number) = self.unasked.front() {
            *number
        } else {
            let place = self.changes.next().await.ok_or("the connection to the bus is lost")?;
            let number = self.numbers.get(place).copied().ok_or("systemd announced an unknown unit")?;
            // Stays there until it is read: whoever waits here may be called away meanwhile.
            self.unasked.push_back(number);
            number
        };
        let unit = names::service(number);
        let states = self.systemd.observe(&[unit.as_str()]).await.map_err(|error| error.to_string())?;
        self.unasked.pop_front();
        let state = states.first().ok_or("systemd told nothing")?;
        Ok((number, word(state)))
    }
}

/// The next word on a unit; an error when the connection is no good any more. Waits for ever without one.
pub(super) async fn next(watched: &mut Option<Watched>) -> Result<(u16, Unit), String> {
    match watched {
        Some(watched) => watched.next().await,
        None => std::future::pending().await,
    }
}

fn word(state: &UnitState) -> Unit {
    let active_state = match &state.active_state {
        ActiveState::Active | ActiveState::Reloading | ActiveState::Refreshing => Activity::Active,
        ActiveState::Activating => Activity::Activating,
        ActiveState::Failed => Activity::Failed,
        ActiveState::Inactive => Activity::Inactive,
        ActiveState::Deactivating | ActiveState::Maintenance | ActiveState::Other(_) => {
            Activity::Deactivating
        }
    };
    Unit {
        active_state,
        restarts: state.n_restarts.unwrap_or(0),
        exit_status: state.exec_main_status,
        active_since: state.active_enter.and_then(|time| Timestamp::try_from(time).ok()),
    }
}
