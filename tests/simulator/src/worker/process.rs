//! One process of a step. It leads a process group of its own, so that a cancellation reaches all it started.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use super::cancellation::Cancellation;

/// Output beyond this is thrown away.
const LOG_LENGTH: usize = 1024 * 1024;
const READ_LENGTH: usize = 16 * 1024;
/// A process left behind may hold the output open; what it still says is not waited for longer than this.
const LATE_OUTPUT: Duration = Duration::from_secs(1);
/// What a cancelled step gets, and how many seconds later the next follows.
const CANCELLATION: [(Signal, f64); 3] = [(Signal::INT, 7.5), (Signal::TERM, 2.5), (Signal::KILL, 0.0)];

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Exited(i32),
    Canceled,
}

/// A script to be run by bash.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    pub(crate) path: &'a Path,
    pub(crate) directory: &'a Path,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) timescale: f64,
}

impl Script<'_> {
    /// Runs the script to its end, appending its output to `log`. Without a cancellation it cannot be cancelled.
    pub(crate) async fn run(
        self,
        cancellation: Option<&Cancellation>,
        log: &mut Vec<u8>,
    ) -> io::Result<Ending> {
        let (mut output, mut child) = self.start()?;
        let mut cancellation = cancellation.cloned();
        let wanted = async {
            match &mut cancellation {
                Some(cancellation) => cancellation.wanted().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(wanted);
        let mut killer = Killer::new(&child, self.timescale);
        let mut ended: Option<(i32, Instant)> = None;
        let mut is_open = true;
        let mut buffer = Vec::with_capacity(READ_LENGTH);
        while is_open || ended.is_none() {
            tokio::select! {
                read = output.read_buf(&mut buffer), if is_open => {
                    is_open = read.is_ok_and(|length| length > 0);
                    let room = LOG_LENGTH.saturating_sub(log.len());
                    log.extend(buffer.drain(..).take(room));
                }
                status = child.wait(), if ended.is_none() => {
                    ended = Some((exit_code(status?), Instant::now() + LATE_OUTPUT));
                }
                () = at(ended.map(|(_, limit)| limit)) => break,
                () = &mut wanted, if !killer.has_begun && ended.is_none() => killer.begin(),
                () = at(killer.next), if ended.is_none() => killer.signal(),
            }
        }
        let code = ended.map_or(-1, |(code, _)| code);
        Ok(if killer.has_begun { Ending::Canceled } else { Ending::Exited(code) })
    }

    fn start(&self) -> io::Result<(Receiver, Child)> {
        // One pipe for both streams keeps their lines in order.
        let (reader, writer) = io::pipe()?;
        let output = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let child = Command::new("bash")
            .arg("-e")
            .arg(self.path)
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.directory)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        Ok((output, child))
    }
}

/// Ends a cancelled step's process group, with more force each time.
struct Killer {
    group: Option<Pid>,
    signals: std::slice::Iter<'static, (Signal, f64)>,
    /// When the next signal is due.
    next: Option<Instant>,
    has_begun: bool,
    timescale: f64,
}

impl Killer {
    fn new(child: &Child, timescale: f64) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { group, signals: CANCELLATION.iter(), next: None, has_begun: false, timescale }
    }

    fn begin(&mut self) {
        self.has_begun = true;
        self.next = Some(Instant::now());
    }

    fn signal(&mut self) {
        self.next = self.signals.next().map(|(signal, pause)| {
            if let Some(group) = self.group {
                // The group may be gone already; then the end is near.
                kill_process_group(group, *signal).ok();
            }
            Instant::now() + Duration::from_secs_f64(pause / self.timescale)
        });
    }
}

/// Completes at a moment, or never.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;

    /// Shells report a signal as this plus its number.
    const SIGNAL_BASE: i32 = 128;
    status.code().or_else(|| status.signal().map(|signal| SIGNAL_BASE + signal)).unwrap_or(-1)
}
