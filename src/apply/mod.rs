//! From a plan to the host: observe → plan → execute → verify.
//!
//! The order is the plan's; here is only what each step means on the host, and what happens when one fails.

pub mod drain;
mod execute;
mod heal;
pub mod notes;
mod observe;
pub mod prune;
pub mod registrations;
pub mod retention;
pub mod roll;
pub mod tokens;
pub mod trial;
pub mod update;
pub mod when_idle;

use std::path::PathBuf;

pub use execute::{Execution, execute};
pub use heal::heal;
pub use observe::{busy, health_checks, host_ids, image, observe, session, sweep};

use crate::files::{FileError, Root};
use crate::fleet::Layout;
use crate::systemd::Systemd;

/// Where and through whom the plan is carried out.
pub struct Host {
    /// What stands for `/`.
    pub root: Root,
    /// Where everything is.
    pub layout: Layout,
    /// The host's systemd; `None` with `--root`, where nothing runs.
    pub systemd: Option<Systemd>,
    /// Directory of the control group that holds the scope's slices.
    pub control_groups: PathBuf,
}

impl Host {
    /// Reaches the systemd of the layout's scope, unless `root` is another directory than `/`: nothing runs there.
    ///
    /// # Errors
    /// systemd cannot be reached.
    pub async fn connect(root: Root, layout: Layout) -> Result<Self, crate::systemd::Error> {
        let systemd = if root == Root::host() { Some(Systemd::connect(layout.scope).await?) } else { None };
        let control_groups = match &systemd {
            Some(systemd) => systemd.control_group_directory().await?,
            None => PathBuf::from("/nonexistent"),
        };
        Ok(Self { root, layout, systemd, control_groups })
    }

    /// Held while a plan is made and carried out.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.root.at(&self.layout.state.join("lock"))
    }

    /// Held while disk space is freed: that takes long, and is no reason to keep units from being installed.
    #[must_use]
    pub fn prune_lock_file(&self) -> PathBuf {
        self.root.at(&self.layout.state.join("prune-lock"))
    }

    /// Held while a new image goes round: that may have to wait for workflow jobs.
    #[must_use]
    pub fn update_lock_file(&self) -> PathBuf {
        self.root.at(&self.layout.state.join("update-lock"))
    }

    /// Stands from the first step to the last: where it is found, an earlier run was cut off.
    fn unfinished_mark(&self) -> PathBuf {
        self.root.at(&self.layout.state.join("unfinished"))
    }
}

/// The host could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// systemd.
    #[error(transparent)]
    Systemd(#[from] crate::systemd::Error),
    /// A program.
    #[error(transparent)]
    Program(#[from] crate::programs::ProgramError),
    /// The engine does not have an image.
    #[error("the engine has no image {0}")]
    NoImage(String),
    /// A file in the place of one of ours.
    #[error("{} exists and was not written by runnerctl", .0.display())]
    Foreign(PathBuf),
    /// A control group.
    #[error("cannot read the control group {path}: {source}", path = path.display())]
    ControlGroup {
        /// Its directory.
        path: PathBuf,
        /// The kernel's words.
        source: std::io::Error,
    },
}

impl Error {
    /// The next step, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Systemd(error) => error.hint(),
            Self::Foreign(_) => Some("move it away, then run this again".to_owned()),
            Self::NoImage(_) => {
                Some("see `image` in the config; build or load it, then run this again".to_owned())
            }
            Self::Program(_) | Self::ControlGroup { .. } => None,
        }
    }
}
