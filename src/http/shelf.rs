//! The index, kept: whoever asks gets what is there, and the tree is read beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Mutex, watch};

use crate::reports::{Index, Source};

/// However many ask, the tree is not read again sooner than this after it was read.
const FRESH: Duration = Duration::from_secs(2);

/// A reading that takes long is followed by so many times its length without one.
const REST: u32 = 10;

/// A visitor waits so long for a new reading before the last one is shown.
const PATIENCE: Duration = Duration::from_millis(25);

/// The first visitor of all has nothing else to be shown.
const FIRST_READING: Duration = Duration::from_secs(60);

/// What was read.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) index: Arc<Index>,
    /// When the reading began.
    pub(super) read: Timestamp,
    stale: Instant,
}

/// The last copy, and what the next reading knows from it.
pub(super) struct Shelf<S: Source> {
    source: S,
    known: Arc<Mutex<S::Known>>,
    copy: watch::Sender<Option<Copy>>,
}

impl<S: Source + Clone> Shelf<S> {
    pub(super) fn of(source: S) -> Self {
        Self { source, known: Arc::default(), copy: watch::Sender::new(None) }
    }

    /// The first visitor waits for the first reading, the others for a moment at most. `None` if it cannot be read.
    pub(super) async fn copy(&self) -> Option<Copy> {
        // Subscribed first: a reading that ends from here on is noticed.
        let mut news = self.copy.subscribe();
        let last = news.borrow_and_update().clone();
        if let Some(copy) = &last
            && Instant::now() < copy.stale
        {
            return last;
        }
        self.begin_reading();
        let limit = if last.is_some() { PATIENCE } else { FIRST_READING };
        let next = tokio::time::timeout(limit, news.changed()).await;
        if next.is_ok() { self.copy.borrow().clone() } else { last }
    }

    /// Unless one is under way, whose end tells everybody too.
    fn begin_reading(&self) {
        let Ok(mut known) = Arc::clone(&self.known).try_lock_owned() else { return };
        let (source, copy) = (self.source.clone(), self.copy.clone());
        tokio::task::spawn_blocking(move || {
            let (read, began) = (Timestamp::now(), Instant::now());
            let index = Arc::new(source.index(&mut known, read));
            let rest = FRESH.max(began.elapsed() * REST);
            // Before the next visitor looks, or a reading would begin that nobody needs.
            copy.send_replace(Some(Copy { index, read, stale: Instant::now() + rest }));
        });
    }
}
