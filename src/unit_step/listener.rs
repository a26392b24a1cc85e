//! The listener of a runner that is about to end, held still so that it takes no other workflow job meanwhile.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::Signal;

use super::process::{open_listed, send};
use crate::control_group;
use crate::runner::LISTENER;

/// The processes of that name, usually one.
pub(super) struct Listener(Vec<OwnedFd>);

impl Listener {
    /// Those in the control group at `slice` and below it.
    pub(super) fn find(slice: &Path) -> io::Result<Self> {
        let processes = control_group::processes_of(slice, LISTENER)?;
        let opened: io::Result<Vec<_>> = processes.into_iter().map(open_listed).collect();
        Ok(Self(opened?.into_iter().flatten().collect()))
    }

    /// Stops it as `signal(7)` means it: it runs no further until it is told to.
    pub(super) fn hold(self) -> io::Result<Held> {
        let held = Held(self);
        held.send(Signal::STOP)?;
        Ok(held)
    }
}

/// It goes on as soon as this is dropped.
pub(super) struct Held(Listener);

impl Held {
    /// Delivered in the moment it goes on, before anything else.
    pub(super) fn interrupt(&self) -> io::Result<()> {
        self.send(Signal::INT)
    }

    fn send(&self, signal: Signal) -> io::Result<()> {
        self.0.0.iter().try_for_each(|process| send(process, signal))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(error) = self.send(Signal::CONT) {
            tracing::warn!("cannot let the listener go on: {error}");
        }
    }
}
