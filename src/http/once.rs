//! The files of one request, each opened once.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tower_http::services::fs::{Backend, File};

/// A file server asks what is at a path, and again when it opens it. Here the file that is there is opened for the first question and kept for the second; clones share it.
pub(super) struct Once<B: Backend> {
    files: B,
    kept: Arc<Mutex<Option<Kept<B::File>>>>,
}

/// A file, and where it is.
type Kept<F> = (PathBuf, F);

type Answer<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl<B: Backend> Once<B> {
    pub(super) fn of(files: B) -> Self {
        Self { files, kept: Arc::default() }
    }

    fn take(&self, path: &PathBuf) -> Option<B::File> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take_if(|(kept, _)| kept == path).map(|(_, file)| file)
    }

    fn keep(&self, path: PathBuf, file: B::File) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((path, file));
    }
}

impl<B: Backend> Clone for Once<B> {
    fn clone(&self) -> Self {
        Self { files: self.files.clone(), kept: Arc::clone(&self.kept) }
    }
}

impl<B: Backend> Backend for Once<B> {
    type File = B::File;
    type Metadata = B::Metadata;
    type OpenFuture = Answer<B::File>;
    type MetadataFuture = Answer<B::Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        if let Some(file) = self.take(&path) {
            return Box::pin(std::future::ready(Ok(file)));
        }
        Box::pin(self.files.open(path))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let this = self.clone();
        Box::pin(async move {
            let opened = match this.take(&path) {
                Some(file) => Ok(file),
                None => this.files.open(path.clone()).await,
            };
            match opened {
                Ok(file) => {
                    let found = file.metadata().await;
                    this.keep(path, file);
                    found
                }
                // A directory, perhaps.
                Err(error) if error.kind() == io::ErrorKind::NotFound => this.files.metadata(path).await,
                Err(error) => Err(error),
            }
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use std::fs::Metadata;
    use std::io::ErrorKind;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::AsyncReadExt;
    use tower_http::services::fs::{TokioBackend, TokioFile};

    use super::*;

    /// Counts what is opened.
    #[derive(Clone, Default)]
    struct Counting(Arc<AtomicUsize>);

    impl Backend for Counting {
        type File = TokioFile;
        type Metadata = Metadata;
        type OpenFuture = Answer<TokioFile>;
        type MetadataFuture = Answer<Metadata>;

        fn open(&self, path: PathBuf) -> Self::OpenFuture {
            self.0.fetch_add(1, Ordering::Relaxed);
            if path.is_dir() {
                return Box::pin(std::future::ready(Err(ErrorKind::NotFound.into())));
            }
            TokioBackend.open(path)
        }

        fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
            TokioBackend.metadata(path)
        }
    }

    #[tokio::test]
    async fn a_file_that_was_asked_about_is_not_opened_again() {
        let root = tempfile::tempdir().unwrap();
        let [file, other] = ["file", "other"].map(|name| root.path().join(name));
        std::fs::write(&file, "text").unwrap();
        std::fs::write(&other, "").unwrap();
        let (files, text) = (Once::of(Counting::default()), &mut String::new());
        let opened = || files.files.0.load(Ordering::Relaxed);
        for _ in 0..3 {
            assert_eq!(files.clone().metadata(file.clone()).await.unwrap().len(), 4);
        }
        // Another one in its place is no answer to what was asked.
        std::fs::rename(&other, &file).unwrap();
        files.open(file.clone()).await.unwrap().read_to_string(text).await.unwrap();
        assert_eq!((opened(), text.as_str()), (1, "text"));
        // What was kept has been handed out.
        files.open(file.clone()).await.unwrap().read_to_string(text).await.unwrap();
        assert_eq!((opened(), text.as_str()), (2, "text"));
    }

    #[tokio::test]
    async fn a_directory_is_one_and_what_is_missing_is_not_found() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), "text").unwrap();
        let files = Once::of(Counting::default());
        files.metadata(root.path().join("file")).await.unwrap();
        assert!(files.metadata(root.path().to_owned()).await.unwrap().is_dir());
        let missing = root.path().join("missing");
        assert_eq!(files.metadata(missing.clone()).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(files.open(missing).await.is_err());
    }
}
