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
    kept: Arc<Mutex<Option<(PathBuf, B::File)>>>,
}

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
