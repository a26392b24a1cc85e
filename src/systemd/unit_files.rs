//! Enabling and disabling unit files, and listing the units that systemd has in memory.

use std::path::PathBuf;

use super::{
    client::Systemd,
    dbus_error::Call,
    error::Error,
    proxy::{ListedUnitReply, UnitFileChangeReply},
    words::{ActiveState, LoadState},
};

/// One change that systemd made to the links of unit files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFileChange {
    /// Kind of the change, in systemd's word: `symlink` (made) or `unlink` (removed).
    pub kind: String,
    /// The link.
    pub file: PathBuf,
    /// What a new link points to.
    pub target: Option<PathBuf>,
}

/// What enabling did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enabled {
    /// Whether the files have an `[Install]` section; without one nothing can be enabled.
    pub carries_install_info: bool,
    /// The links made; none if all were there.
    pub changes: Vec<UnitFileChange>,
}

/// A unit that systemd has in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUnit {
    /// Unit name.
    pub unit: String,
    /// `Description=`.
    pub description: String,
    /// Whether its file could be read.
    pub load_state: LoadState,
    /// Whether it is started.
    pub active_state: ActiveState,
    /// The state in the words of its type.
    pub sub_state: String,
    /// Type of the systemd job that is queued for it, such as `start`.
    pub queued_job: Option<String>,
}

impl Systemd {
    /// Makes the links that the `[Install]` sections of `unit_files` ask for (`systemctl enable`).
    ///
    /// A unit file is named by its name, or by its path. systemd sees the links only after [`Systemd::reload`],
    /// which systemctl does by itself and this does not.
    ///
    /// # Errors
    ///
    /// [`Error::UnitGenerated`] for a unit of a generator such as Quadlet's, [`Error::UnitNotFound`],
    /// [`Error::UnitMasked`], [`Error::AccessDenied`].
    pub async fn enable(&self, unit_files: &[&str]) -> Result<Enabled, Error> {
        let call = Call::on(self.scope, "enable", unit_files);
        let reply = self.manager.enable_unit_files(unit_files, false, false);
        let (carries_install_info, changes) = self.ask(call, reply).await?;
        Ok(Enabled { carries_install_info, changes: changes.into_iter().map(UnitFileChange::from).collect() })
    }

    /// Removes all links to `unit_files` (`systemctl disable`), and returns them.
    ///
    /// systemd sees it only after [`Systemd::reload`]. Where a file is gone, the links that it left behind are
    /// removed all the same.
    ///
    /// # Errors
    ///
    /// [`Error::AccessDenied`]; [`Error::UnitNotFound`] when there is neither a file nor a link.
    pub async fn disable(&self, unit_files: &[&str]) -> Result<Vec<UnitFileChange>, Error> {
        let call = Call::on(self.scope, "disable", unit_files);
        let changes = self.ask(call, self.manager.disable_unit_files(unit_files, false)).await?;
        Ok(changes.into_iter().map(UnitFileChange::from).collect())
    }

    /// Lists the units in memory whose name fits one of `patterns` (glob(7)); no pattern lists all.
    ///
    /// A unit that nothing uses and that never failed is not in memory, even if its file exists.
    ///
    /// # Errors
    ///
    /// When systemd does not answer.
    pub async fn list_units(&self, patterns: &[&str]) -> Result<Vec<ListedUnit>, Error> {
        let call = Call::on(self.scope, "list the units", patterns);
        let units = self.ask(call, self.manager.list_units_by_patterns(&[], patterns)).await?;
        Ok(units.into_iter().map(ListedUnit::from).collect())
    }
}

impl From<UnitFileChangeReply> for UnitFileChange {
    fn from((kind, file, target): UnitFileChangeReply) -> Self {
        let target = Some(target).filter(|target| !target.is_empty()).map(PathBuf::from);
        Self { kind, file: file.into(), target }
    }
}

impl From<ListedUnitReply> for ListedUnit {
    fn from(reply: ListedUnitReply) -> Self {
        let (
            unit,
            description,
            load_state,
            active_state,
            sub_state,
            _following,
            _path,
            job_id,
            job_type,
            _job,
        ) = reply;
        Self {
            unit,
            description,
            load_state: LoadState::from(load_state.as_str()),
            active_state: ActiveState::from(active_state.as_str()),
            sub_state,
            queued_job: Some(job_type).filter(|_| job_id != 0),
        }
    }
}
