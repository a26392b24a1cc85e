//! `ExecStop=`, before the engine's own: where the host itself is going down, waits for the end of the workflow job.
//!
//! The kernel tells of that end (pidfd). The listener is held in the same moment, so that it asks GitHub for nothing more while it is looked whether
//! another workflow job has begun, and is told to end before it goes on.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::await_online::wait;
use super::listener::{Held, Listener};
use super::process::{open_listed, send};
use crate::control_group;
use crate::fleet::{StopStep, Stopping, names};
use crate::runner::WORKER;

/// What the step is told.
#[derive(Debug, Clone, Copy)]
pub struct AwaitWorkflowJob {
    /// Number of the runner.
    pub runner: u16,
    /// How long to wait at most.
    pub limit: Duration,
    /// The host itself is going down.
    pub host_is_stopping: bool,
}

/// What systemd and the journal are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopNews {
    /// A workflow job runs and is waited for, at most so long.
    Waits(Duration),
    /// It ended by itself, so long after that.
    Ended(Duration),
    /// It still runs after so long, and will be cancelled.
    GivesUp(Duration),
}

/// Returns when the engine may stop the container; at once, where only the unit is stopped and not the host.
///
/// # Errors
/// The control group could not be read, or whoever is told cannot be.
pub fn await_workflow_job(
    step: &AwaitWorkflowJob,
    tell: &mut dyn FnMut(StopNews) -> io::Result<()>,
) -> io::Result<()> {
    wait_in(&control_group::enclosing(&names::slice(step.runner))?, step, tell)
}

fn wait_in(
    slice: &Path,
    step: &AwaitWorkflowJob,
    tell: &mut dyn FnMut(StopNews) -> io::Result<()>,
) -> io::Result<()> {
    let begin = Instant::now();
    let mut has_waited = false;
    let mut held = None;
    loop {
        let workers = workers(slice)?;
        let waited = begin.elapsed();
        let stopping = Stopping {
            host_is_stopping: step.host_is_stopping,
            busy: !workers.is_empty(),
            waited,
            limit: step.limit,
        };
        match stopping.step() {
            StopStep::Stop => return Ok(()),
            StopStep::Interrupt => {
                let Some(held) = &held else {
                    // And look again.
                    held = Some(Listener::find(slice)?.hold()?);
                    continue;
                };
                interrupt(slice, step.runner, held)?;
                return if has_waited { tell(StopNews::Ended(waited)) } else { Ok(()) };
            }
            StopStep::GiveUp => return tell(StopNews::GivesUp(step.limit)),
            StopStep::Wait(left) => {
                if !std::mem::replace(&mut has_waited, true) {
                    tell(StopNews::Waits(step.limit))?;
                }
                // Another workflow job has begun meanwhile: the listener has to go on.
                drop(held.take());
                // Opened before: once the worker has ended, nothing but one system call is between that and the listener.
                let listener = Listener::find(slice)?;
                let ends: Vec<_> = workers.iter().map(AsFd::as_fd).collect();
                // Rounded up: the limit is over after it.
                let left = i64::try_from(left.as_secs()).unwrap_or(i64::MAX).saturating_add(1);
                if wait(&ends, Some(left))?.iter().all(|has_ended| *has_ended) {
                    held = Some(listener.hold()?);
                }
            }
        }
    }
}

/// The processes that carry out workflow jobs, usually one.
fn workers(slice: &Path) -> io::Result<Vec<OwnedFd>> {
    let mut found = Vec::new();
    for process in control_group::processes_of(slice, WORKER)? {
        let Some(worker) = open_listed(process)? else { continue };
        // One that has ended and that nobody has fetched yet is still listed.
        if wait(&[worker.as_fd()], Some(0))?.first() != Some(&true) {
            found.push(worker);
        }
    }
    Ok(found)
}

/// As the engine would in a moment. The entrypoint passes it to the listener, to which a second
/// signal means nothing; that somebody asked for it, the entrypoint has to know before the listener ends.
fn interrupt(slice: &Path, runner: u16, held: &Held) -> io::Result<()> {
    let entrypoint = control_group::container_init(slice, &names::engine_service(runner))?;
    if let Some(entrypoint) = entrypoint.map(open_listed).transpose()?.flatten() {
        send(&entrypoint, Signal::INT)?;
    }
    held.interrupt()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::runner::LISTENER;

    const SOON: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(60);

    /// A control group that is a directory, with real processes in it.
    struct Bed {
        directory: tempfile::TempDir,
        processes: Vec<u32>,
    }

    impl Bed {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            for program in [WORKER, LISTENER] {
                symlink("/bin/sleep", directory.path().join(program)).unwrap();
            }
            Self { directory, processes: Vec::new() }
        }

        fn add(&mut self, process: u32) {
            self.processes.push(process);
            let text = self.processes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            fs::write(self.directory.path().join("cgroup.procs"), text).unwrap();
        }

        fn begin_workflow_job(&mut self) -> Running {
            self.start(WORKER)
        }

        fn start(&mut self, program: &str) -> Running {
            let started = Command::new(self.directory.path().join(program)).arg("1000").spawn().unwrap();
            self.add(started.id());
            Running(started)
        }

        fn stop(&self, host_is_stopping: bool, limit: Duration) -> mpsc::Receiver<Option<StopNews>> {
            let (said, hear) = mpsc::channel();
            let slice = self.directory.path().to_owned();
            thread::spawn(move || {
                let step = AwaitWorkflowJob { runner: 1, limit, host_is_stopping };
                let news = said.clone();
                wait_in(&slice, &step, &mut |what| news.send(Some(what)).map_err(io::Error::other)).unwrap();
                said.send(None).unwrap();
            });
            hear
        }
    }

    /// Outlives no test.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    #[test]
    fn a_shutdown_waits_for_the_workflow_job_and_for_one_that_begins_meanwhile() {
        let mut bed = Bed::new();
        let (first, second) = (bed.begin_workflow_job(), bed.begin_workflow_job());
        let hear = bed.stop(true, LONG);
        assert_eq!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Waits(LONG)));
        drop(first);
        assert!(hear.recv_timeout(SOON).is_err(), "another one runs");
        drop(second);
        assert!(matches!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Ended(after)) if after < LONG));
        assert_eq!(hear.recv_timeout(LONG).unwrap(), None);
    }

    #[test]
    fn the_listener_ends_with_the_workflow_job() {
        let mut bed = Bed::new();
        let mut listener = bed.start(LISTENER);
        let worker = bed.begin_workflow_job();
        let hear = bed.stop(true, LONG);
        assert_eq!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Waits(LONG)));
        drop(worker);
        assert!(matches!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Ended(_))));
        assert_eq!(listener.0.wait().unwrap().signal(), Some(2));
    }

    #[test]
    fn an_idle_listener_is_interrupted_at_once() {
        let mut bed = Bed::new();
        let mut listener = bed.start(LISTENER);
        assert_eq!(bed.stop(true, LONG).recv_timeout(LONG).unwrap(), None);
        assert_eq!(listener.0.wait().unwrap().signal(), Some(2));
    }

    #[test]
    fn the_listener_goes_on_where_another_workflow_job_has_begun_before_it_could_be_held() {
        let mut bed = Bed::new();
        let mut listener = bed.start(LISTENER);
        let first = bed.begin_workflow_job();
        let hear = bed.stop(true, LONG);
        assert_eq!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Waits(LONG)));
        let second = bed.begin_workflow_job();
        drop(first);
        assert!(hear.recv_timeout(SOON).is_err(), "another one runs");
        let programs = control_group::programs_and_states(bed.directory.path()).unwrap();
        assert!(programs.contains(&(LISTENER.to_owned(), 'S')), "{programs:?}");
        assert!(listener.0.try_wait().unwrap().is_none());
        drop(second);
        assert!(matches!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Ended(_))));
        assert_eq!(listener.0.wait().unwrap().signal(), Some(2));
    }

    #[test]
    fn what_runs_longer_than_the_limit_is_given_up() {
        let mut bed = Bed::new();
        let _worker = bed.begin_workflow_job();
        let limit = Duration::from_secs(1);
        let hear = bed.stop(true, limit);
        assert_eq!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Waits(limit)));
        assert_eq!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::GivesUp(limit)));
    }

    #[test]
    fn whoever_stops_the_unit_alone_waits_for_nothing_and_hears_nothing() {
        let mut bed = Bed::new();
        let _worker = bed.begin_workflow_job();
        assert_eq!(bed.stop(false, LONG).recv_timeout(LONG).unwrap(), None);
    }

    #[test]
    fn an_idle_runner_holds_up_no_shutdown() {
        let mut bed = Bed::new();
        // It has ended, and nobody has fetched it.
        let mut ended = bed.begin_workflow_job();
        ended.0.kill().unwrap();
        assert_eq!(wait(&[open_listed(ended.0.id()).unwrap().unwrap().as_fd()], Some(60)).unwrap(), [true]);
        assert_eq!(bed.stop(true, LONG).recv_timeout(LONG).unwrap(), None);
    }

    #[test]
    fn the_containers_first_process_is_interrupted_as_soon_as_no_workflow_job_runs() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: a process namespace needs root");
            return;
        }
        let mut bed = Bed::new();
        let script = "trap 'exit 42' INT; echo; while :; do sleep 0.1; done";
        let container = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "bash", "-c", script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Running(container);
        let container = &mut running.0;
        io::Read::read_exact(container.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", container.id())).unwrap();
        bed.add(children.trim().parse().unwrap());
        let worker = bed.begin_workflow_job();
        let hear = bed.stop(true, LONG);
        assert_eq!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Waits(LONG)));
        assert!(container.try_wait().unwrap().is_none(), "not while the workflow job runs");
        drop(worker);
        assert!(matches!(hear.recv_timeout(LONG).unwrap(), Some(StopNews::Ended(_))));
        let status = container.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(42), None));
    }
}
