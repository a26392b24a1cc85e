//! The same files for tower-http's file server, whose own way to open them would follow links.

use std::fs::Metadata;
use std::future::Future;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::fs::OFlags;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs;

use super::{ReportTree, below};

/// What answers a question about a file in time.
pub type Opened<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// A file of a report.
#[derive(Debug)]
pub struct ReportFile(tokio::fs::File);

impl fs::Backend for ReportTree {
    type File = ReportFile;
    type Metadata = Metadata;
    type OpenFuture = Opened<ReportFile>;
    type MetadataFuture = Opened<Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let tree = self.clone();
        Box::pin(async move {
            let opened = blocking(move || tree.file(&relative(&path)?)).await?;
            Ok(ReportFile(tokio::fs::File::from_std(opened)))
        })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let tree = self.clone();
        Box::pin(blocking(move || {
            let found = below(&*tree.top, &relative(&path)?, OFlags::PATH)?;
            let found = std::fs::File::from(found).metadata()?;
            if found.is_file() || found.is_dir() { Ok(found) } else { Err(io::ErrorKind::NotFound.into()) }
        }))
    }
}

/// Nothing tells a visitor why there is nothing: a link, a pipe and a missing file are the same.
async fn blocking<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let is_ours = |error: &io::Error| {
        let errno = rustix::io::Errno::from_io_error(error);
        matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE | rustix::io::Errno::IO))
    };
    let answer = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?;
    answer.map_err(|error| if is_ours(&error) { error } else { io::ErrorKind::NotFound.into() })
}

/// The file server puts `./` in front.
fn relative(path: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str().ok_or(io::ErrorKind::NotFound)?),
            _ => return Err(io::ErrorKind::NotFound.into()),
        }
    }
    Ok(if names.is_empty() { ".".to_owned() } else { names.join("/") })
}

impl fs::File for ReportFile {
    type Metadata = Metadata;
    type MetadataFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Metadata>> + Send + 'a>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        Box::pin(self.0.metadata())
    }
}

impl AsyncRead for ReportFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncSeek for ReportFile {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.0).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.0).poll_complete(context)
    }
}
