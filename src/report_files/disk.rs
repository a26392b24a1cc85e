//! Questions to the disk, which answers most of them from memory at once, and some never.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Who may ask it without being sent to another thread. Clones share the places.
///
/// To send a question to another thread and wait for its answer takes longer than most answers. But a disk that does not answer keeps whoever asked it, so of the threads on which
/// visitors are attended to some must never ask; what they are asked for is asked by threads that do nothing else, which the runtime bounds.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    places: Arc<Semaphore>,
}

impl Disk {
    /// So many threads ask by themselves at most.
    pub(super) fn asked_at_once_by(most: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(most)) }
    }

    /// The answer to `question`.
    pub(super) async fn answer<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        if let Ok(_place) = self.places.try_acquire() {
            return question();
        }
        tokio::task::spawn_blocking(question).await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::Disk;

    #[tokio::test]
    async fn who_finds_all_places_taken_asks_by_another_thread() {
        let disk = Disk::asked_at_once_by(1);
        let asks_itself = async |disk: &Disk| {
            let this = thread::current().id();
            disk.answer(move || Ok(thread::current().id() == this)).await.unwrap()
        };
        assert!(asks_itself(&disk).await);
        // A question that is not answered until the end.
        let (end, ended) = mpsc::channel::<()>();
        let (say, asked) = mpsc::channel();
        let stuck = disk.clone();
        let held = thread::spawn(move || {
            let question = move || {
                say.send(()).unwrap();
                Ok(ended.recv().is_err())
            };
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(stuck.answer(question))
        });
        asked.recv().unwrap();
        assert!(!asks_itself(&disk).await);
        drop(end);
        assert!(held.join().unwrap().unwrap());
        assert!(asks_itself(&disk).await, "a place that is free again is taken");
    }
}
