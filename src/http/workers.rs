//! The threads on which visitors are attended to.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::interval;

/// Threads beside them that wait for a disk; the report server's unit allows a hundred tasks.
const MOST_WAITING: usize = 64;

/// Whoever comes where all is held up is seen so soon.
const KNOCK: Duration = Duration::from_secs(1);

/// What a disk that does not answer keeps of them is left behind when this is dropped.
#[derive(Debug)]
pub(super) struct Workers(Option<Runtime>);

impl Workers {
    /// So many threads.
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(threads).max_blocking_threads(MOST_WAITING).enable_all();
        runtime.build().map(|runtime| Self(Some(runtime)))
    }

    /// Does `task` on one of them.
    pub(super) fn take(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            drop(runtime.spawn(task));
        }
    }

    /// While `is_wanted`, wakes a thread that has nothing to do now and then. One of them looks out for what comes on any connection; if that is the one that the disk
    /// keeps, nobody does until another is woken. To be polled on a thread that never asks the disk.
    pub(super) async fn keep_watch(&self, is_wanted: impl Fn() -> bool) -> Infallible {
        let mut knock = interval(KNOCK);
        loop {
            knock.tick().await;
            if is_wanted() {
                self.take(async {});
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;
    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test]
    async fn who_comes_after_the_thread_that_looks_out_was_kept_is_seen() {
        let workers = Workers::start(2).unwrap();
        let (end, ended) = mpsc::channel::<()>();
        let (say, heard) = oneshot::channel();
        workers.take(async move {
            sleep(Duration::from_millis(50)).await;
            assert!(ended.recv().is_err(), "only the end of the test ends it");
        });
        workers.take(async move {
            sleep(Duration::from_millis(300)).await;
            say.send(()).unwrap();
        });
        let is_seen = tokio::select! {
            never = workers.keep_watch(|| true) => match never {},
            heard = timeout(Duration::from_secs(20), heard) => heard.is_ok(),
        };
        drop(end);
        assert!(is_seen);
    }
}
