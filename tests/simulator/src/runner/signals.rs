//! SIGINT and SIGTERM: both end the runner, in different ways.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How the runner was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    NotAsked,
    /// SIGINT: finish in order, however long the worker takes.
    Interrupted,
    /// SIGTERM: end soon.
    Terminated,
}

/// The wish to stop, as far as it is known.
#[derive(Debug, Clone)]
pub(crate) struct StopWish(watch::Receiver<Stop>);

impl StopWish {
    /// Begins to listen for signals. A second SIGINT has no effect.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (sender, receiver) = watch::channel(Stop::NotAsked);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => sender.send_if_modified(|stop| {
                        let is_first = *stop == Stop::NotAsked;
                        if is_first {
                            *stop = Stop::Interrupted;
                        }
                        is_first
                    }),
                    _ = terminate.recv() => sender.send_if_modified(|stop| {
                        std::mem::replace(stop, Stop::Terminated) != Stop::Terminated
                    }),
                };
            }
        });
        Ok(Self(receiver))
    }

    /// Completes when the runner is told to stop, in either way.
    pub(crate) async fn any(&mut self) {
        self.until(|stop| stop != Stop::NotAsked).await;
    }

    /// Completes at SIGTERM.
    pub(crate) async fn terminated(&mut self) {
        self.until(|stop| stop == Stop::Terminated).await;
    }

    pub(crate) fn current(&self) -> Stop {
        *self.0.borrow()
    }

    async fn until(&mut self, is_met: impl Fn(Stop) -> bool) {
        if self.0.wait_for(|stop| is_met(*stop)).await.is_err() {
            // The listening task ended, so no signal will come any more.
            std::future::pending::<()>().await;
        }
    }
}
