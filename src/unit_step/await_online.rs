//! `ExecStartPost=`: holds the unit in "activating" until the runner has a session at GitHub.
//!
//! Woken by the kernel (inotify(7), pidfd), so "active" comes at the moment the entrypoint says so, not at the next health check.
//! How long to wait is systemd's business: `TimeoutStartSec=`.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::process::Pid;

use super::process::open;
use crate::apply;
use crate::files::Root;
use crate::fleet::RunnerPaths;
use crate::runner::{Session, SessionState};

/// A runner that failed has this long to end, so that systemd sees its exit code rather than ours.
const END_SECS: i64 = 20;

/// Why the runner is not online.
#[derive(Debug, thiserror::Error)]
pub enum AwaitError {
    /// The entrypoint said why.
    #[error("{0}")]
    Failed(String),
    /// The container ended without a word.
    #[error("the container ended before the runner was online")]
    Ended,
    /// The status could not be watched.
    #[error("cannot watch {path}: {source}")]
    Watch {
        /// The directory.
        path: String,
        /// The kernel's words.
        source: io::Error,
    },
}

/// Waits until the runner is online. `main_process` is systemd's `$MAINPID`.
///
/// # Errors
/// The runner failed or ended, or could not be watched.
pub fn await_online(paths: &RunnerPaths, main_process: Option<i32>) -> Result<(), AwaitError> {
    // An ephemeral runner whose workflow job is over already was online.
    await_state(paths, main_process, |state| matches!(state, SessionState::Online | SessionState::Done))
}

/// Waits until the entrypoint runs: the container is there.
///
/// # Errors
/// As [`await_online`].
pub fn await_container(paths: &RunnerPaths, main_process: Option<i32>) -> Result<(), AwaitError> {
    await_state(paths, main_process, |_| true)
}

fn await_state(
    paths: &RunnerPaths,
    main_process: Option<i32>,
    is_enough: impl Fn(SessionState) -> bool,
) -> Result<(), AwaitError> {
    let watch = |source: io::Error| AwaitError::Watch { path: paths.status.display().to_string(), source };
    let events = watch_directory(&paths.status).map_err(watch)?;
    let process = match main_process.and_then(Pid::from_raw).map(open).transpose().map_err(watch)? {
        Some(None) if is_done(paths) => return Ok(()),
        Some(None) => return Err(last_word(paths)),
        process => process.flatten(),
    };
    loop {
        // Read after the watch is set: a change before it is seen here, one after it wakes the wait below.
        match session(paths) {
            Some(Session { state: SessionState::Failed, sentence }) => {
                if let Some(process) = &process {
                    wait(&[process.as_fd()], Some(END_SECS)).map_err(watch)?;
                }
                return Err(AwaitError::Failed(sentence));
            }
            Some(Session { state, .. }) if is_enough(state) => return Ok(()),
            _ => {}
        }
        let mut woken_by = vec![events.as_fd()];
        woken_by.extend(process.as_ref().map(AsFd::as_fd));
        let ready = wait(&woken_by, None).map_err(watch)?;
        if ready.get(1) == Some(&true) {
            return if is_done(paths) { Ok(()) } else { Err(last_word(paths)) };
        }
        drain(&events).map_err(watch)?;
    }
}

fn watch_directory(directory: &Path) -> io::Result<rustix::fd::OwnedFd> {
    let events = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    let changes = inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::CLOSE_WRITE;
    inotify::add_watch(&events, directory, changes)?;
    Ok(events)
}

/// A word of a newer entrypoint is one to wait on.
pub(super) fn session(paths: &RunnerPaths) -> Option<Session> {
    apply::session(&Root::host(), paths)
}

pub(super) fn is_done(paths: &RunnerPaths) -> bool {
    session(paths).is_some_and(|session| session.state == SessionState::Done)
}

/// The entrypoint's reason, where it gave one before it ended.
fn last_word(paths: &RunnerPaths) -> AwaitError {
    match session(paths) {
        Some(Session { state: SessionState::Failed, sentence }) => AwaitError::Failed(sentence),
        _ => AwaitError::Ended,
    }
}

/// Which of them are ready; none when the time is up.
pub(super) fn wait(
    woken_by: &[rustix::fd::BorrowedFd<'_>],
    limit_secs: Option<i64>,
) -> io::Result<Vec<bool>> {
    let mut polled: Vec<PollFd<'_>> =
        woken_by.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let limit = limit_secs.map(|secs| Timespec { tv_sec: secs, tv_nsec: 0 });
    loop {
        match poll(&mut polled, limit.as_ref()) {
            Ok(_) => return Ok(polled.iter().map(|fd| !fd.revents().is_empty()).collect()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn drain(events: &rustix::fd::OwnedFd) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match rustix::io::read(events, &mut buffer) {
            Ok(0) | Err(rustix::io::Errno::AGAIN) => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A process that lives until its input is closed.
    fn main_process() -> Child {
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    }

    fn id(process: &Child) -> Option<i32> {
        i32::try_from(process.id()).ok()
    }

    fn paths(directory: &tempfile::TempDir) -> RunnerPaths {
        let paths = RunnerPaths::new(directory.path().join("state"), directory.path().join("run"));
        fs::create_dir_all(&paths.status).unwrap();
        paths
    }

    fn say(paths: &RunnerPaths, text: &str) {
        crate::files::write(&paths.session(), text.as_bytes(), 0o644).unwrap();
    }

    #[test]
    fn it_returns_when_the_entrypoint_says_online() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut process = main_process();
        say(&paths, "connecting\n\n");
        let (done, result) = mpsc::channel();
        let (inner, pid) = (paths.clone(), id(&process));
        thread::spawn(move || done.send(await_online(&inner, pid).is_ok()).unwrap());
        assert!(result.recv_timeout(Duration::from_millis(100)).is_err(), "connecting is not online");
        say(&paths, "online\nlistening\n");
        assert!(result.recv_timeout(Duration::from_secs(10)).unwrap());
        process.kill().unwrap();
        process.wait().unwrap();
    }

    #[test]
    fn a_failed_runner_is_told_only_after_its_container_ended() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut process = main_process();
        say(&paths, "failed\nno token\n");
        let (done, result) = mpsc::channel();
        let pid = id(&process);
        thread::spawn(move || done.send(await_online(&paths, pid).unwrap_err().to_string()).unwrap());
        assert!(result.recv_timeout(Duration::from_millis(100)).is_err(), "the container still runs");
        process.kill().unwrap();
        process.wait().unwrap();
        assert_eq!(result.recv_timeout(Duration::from_secs(10)).unwrap(), "no token");
    }

    #[test]
    fn a_container_that_ends_without_a_word_is_a_failure() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut process = main_process();
        let pid = id(&process);
        let (done, result) = mpsc::channel();
        thread::spawn(move || done.send(await_online(&paths, pid).unwrap_err().to_string()).unwrap());
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(
            result.recv_timeout(Duration::from_secs(10)).unwrap().contains("before the runner was online")
        );
    }
}
