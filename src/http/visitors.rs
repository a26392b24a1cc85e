//! Who holds a connection, and who makes way when there is no place left.
//!
//! Without it a few hundred connections on which nobody says or reads anything would keep everybody else out until they run into their limits of time.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// All connections that are open.
#[derive(Debug)]
pub(super) struct Visitors {
    opened: Instant,
    visits: Mutex<Vec<Weak<Visit>>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Visit {
    opened: Instant,
    /// Milliseconds after `opened` at which bytes last went either way.
    last: AtomicU64,
    leave: Notify,
}

impl Visitors {
    pub(super) fn none() -> Self {
        Self { opened: Instant::now(), visits: Mutex::default() }
    }

    /// It counts until it is dropped.
    pub(super) fn enter(&self) -> Arc<Visit> {
        let visit = Arc::new(Visit { opened: self.opened, last: AtomicU64::new(0), leave: Notify::new() });
        visit.went_on();
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.retain(|visit| visit.strong_count() > 0);
        visits.push(Arc::downgrade(&visit));
        visit
    }

    /// Asks the one to leave on whose connection nothing went either way for longest.
    pub(super) fn make_way(&self) {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |visit: &Weak<Visit>| visit.upgrade().map(|visit| visit.last.load(Ordering::Relaxed));
        let idlest = visits.iter().enumerate().filter_map(|(place, visit)| Some((last(visit)?, place))).min();
        // Taken off: the next call asks somebody else.
        let visit = idlest.and_then(|(_, place)| visits.swap_remove(place).upgrade());
        if let Some(visit) = visit {
            visit.leave.notify_one();
        }
    }
}

impl Visit {
    /// Returns when the place is wanted by somebody else.
    pub(super) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }

    fn went_on(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }
}

/// The connection of a visit: tells it what goes either way.
#[derive(Debug)]
pub(super) struct Line<S> {
    pub(super) stream: S,
    pub(super) visit: Arc<Visit>,
}

impl<S: Unpin> Line<S> {
    fn noting<T>(
        self: Pin<&mut Self>,
        went: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>,
        is_any: impl FnOnce(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        let line = self.get_mut();
        let poll = went(Pin::new(&mut line.stream));
        if let Poll::Ready(Ok(value)) = &poll
            && is_any(value)
        {
            line.visit.went_on();
        }
        poll
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = |stream: Pin<&mut S>| {
            stream.poll_read(context, buffer).map_ok(|()| buffer.filled().len() - before)
        };
        self.noting(read, |bytes| *bytes > 0).map_ok(drop)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.noting(|stream| stream.poll_write(context, bytes), |bytes| *bytes > 0)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.noting(|stream| stream.poll_write_vectored(context, bytes), |bytes| *bytes > 0)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use std::sync::atomic::Ordering;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::{Line, Visitors};

    #[tokio::test]
    async fn the_one_who_said_nothing_for_longest_makes_way() {
        let visitors = Visitors::none();
        let (first, second, third) = (visitors.enter(), visitors.enter(), visitors.enter());
        for (visit, last) in [(&first, 5), (&second, 3), (&third, 4)] {
            visit.last.store(last, Ordering::Relaxed);
        }
        drop(third);
        visitors.make_way();
        second.asked_to_leave().await;
        visitors.make_way();
        first.asked_to_leave().await;
        visitors.make_way();
    }

    #[tokio::test]
    async fn what_goes_either_way_is_noted() {
        let visitors = Visitors::none();
        let (ours, mut theirs) = tokio::io::duplex(64);
        let visit = visitors.enter();
        let mut line = Line { stream: ours, visit: visit.clone() };
        let is_noted = || visit.last.swap(u64::MAX, Ordering::Relaxed) < u64::MAX;
        assert!(is_noted() && !is_noted());
        line.write_all(b"x").await.unwrap();
        assert!(is_noted() && !is_noted());
        theirs.write_all(b"y").await.unwrap();
        line.read_u8().await.unwrap();
        assert!(is_noted() && !is_noted());
    }
}
