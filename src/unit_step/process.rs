//! Processes held by a descriptor, `pidfd_open(2)`: nobody else gets their id meanwhile.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// `None`: it has ended.
pub(super) fn open(process: Pid) -> io::Result<Option<OwnedFd>> {
    match pidfd_open(process, PidfdFlags::empty()) {
        Ok(process) => Ok(Some(process)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same, by the id that a control group lists.
pub(super) fn open_listed(process: u32) -> io::Result<Option<OwnedFd>> {
    i32::try_from(process).ok().and_then(Pid::from_raw).map_or(Ok(None), open)
}

/// Sends a signal, unless the process has ended.
pub(super) fn send(process: &OwnedFd, signal: Signal) -> io::Result<()> {
    match pidfd_send_signal(process, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
