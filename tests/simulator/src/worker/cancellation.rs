//! Whether the workflow job is to be cancelled: the listener says so, or is gone, or SIGTERM came.

use std::io;
use std::os::fd::AsFd;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

const CANCELED: &str = "The operation was canceled.";
const SHUTDOWN: &str = "The runner has received a shutdown signal. This can happen when the runner service is stopped, \
     or a manually started runner is canceled.";

/// The reason to cancel, once there is one.
#[derive(Debug, Clone)]
pub(crate) struct Cancellation(watch::Receiver<Option<&'static str>>);

impl Cancellation {
    /// Returns the listener's first line and goes on listening in the background.
    pub(crate) async fn listen() -> io::Result<(String, Self)> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let mut lines = BufReader::new(Receiver::from_owned_fd(input)?).lines();
        let first = lines.next_line().await?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let mut is_listener_there = true;
            loop {
                let reason = tokio::select! {
                    _ = interrupt.recv() => None,
                    _ = terminate.recv() => Some(SHUTDOWN),
                    line = lines.next_line(), if is_listener_there => if let Ok(Some(line)) = line {
                        reason(&line)
                    } else {
                        is_listener_there = false;
                        Some(SHUTDOWN)
                    },
                };
                if reason.is_some() {
                    sender.send_if_modified(|current| {
                        let is_first = current.is_none();
                        *current = current.or(reason);
                        is_first
                    });
                }
            }
        });
        Ok((first, Self(receiver)))
    }

    /// Why the workflow job is to be cancelled, if it is.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    /// Completes when the workflow job is to be cancelled.
    pub(crate) async fn wanted(&mut self) {
        if self.0.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The reason to cancel in a line from the listener.
fn reason(line: &str) -> Option<&'static str> {
    let message: Value = serde_json::from_str(line).unwrap_or_default();
    match message.get("messageType").and_then(Value::as_str) {
        Some("CancelRequest") => Some(CANCELED),
        Some("RunnerShutdown" | "OperatingSystemShutdown") => Some(SHUTDOWN),
        _ => None,
    }
}
