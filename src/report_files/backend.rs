//! The same files for tower-http's file server, whose own way to open them would follow links.

use std::fs::{File, Metadata};
use std::future::{Future, Ready, ready};
use std::io::{self, IoSliceMut};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::buffer::spare_capacity;
use rustix::fs::OFlags;
use rustix::io::{ReadWriteFlags, pread, preadv2};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tokio::task::JoinHandle;
use tower_http::services::fs;

use super::{ReportTree, below, file};

/// What answers a question about a file in time.
pub type Opened<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// A file of a report.
///
/// What the kernel has in memory is read at once, the rest by another thread: a disk that does not answer keeps no thread on which visitors are attended to.
#[derive(Debug)]
pub struct ReportFile {
    file: Arc<File>,
    found: Metadata,
    position: u64,
    from_disk: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl fs::Backend for ReportTree {
    type File = ReportFile;
    type Metadata = Metadata;
    type OpenFuture = Opened<ReportFile>;
    type MetadataFuture = Opened<Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let tree = self.clone();
        Box::pin(async move {
            let (top, path) = (tree.top, relative(&path)?);
            let (file, found) = tree.disk.answer(move || file(&*top, &path)).await.map_err(told)?;
            Ok(ReportFile { file: Arc::new(file), found, position: 0, from_disk: None })
        })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let tree = self.clone();
        Box::pin(async move {
            let (top, path) = (tree.top, relative(&path)?);
            let look = move || File::from(below(&*top, &path, OFlags::PATH)?).metadata();
            let found = tree.disk.answer(look).await.map_err(told)?;
            if found.is_file() || found.is_dir() { Ok(found) } else { Err(io::ErrorKind::NotFound.into()) }
        })
    }
}

/// Nothing tells a visitor why there is nothing: a link, a pipe and a missing file are the same.
fn told(error: io::Error) -> io::Error {
    let errno = rustix::io::Errno::from_io_error(&error);
    let is_ours =
        matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE | rustix::io::Errno::IO));
    if is_ours { error } else { io::ErrorKind::NotFound.into() }
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
    type MetadataFuture<'a> = Ready<io::Result<Metadata>>;

    /// As it was opened.
    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.found.clone()))
    }
}

impl ReportFile {
    /// preadv2(2): less than what is asked for, or an error, where it would have to wait.
    fn read_from_memory(&self, buffer: &mut [u8]) -> Option<usize> {
        let mut buffers = [IoSliceMut::new(buffer)];
        preadv2(&self.file, &mut buffers, self.position, ReadWriteFlags::NOWAIT).ok()
    }

    fn read_from_disk(&self, most: usize) -> JoinHandle<io::Result<Vec<u8>>> {
        let (file, position) = (Arc::clone(&self.file), self.position);
        tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(most);
            pread(&file, spare_capacity(&mut bytes), position)?;
            Ok(bytes)
        })
    }

    fn go_on(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes as u64);
    }
}

impl AsyncRead for ReportFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.from_disk.is_none()
            && let Some(read) = this.read_from_memory(buffer.initialize_unfilled())
        {
            buffer.advance(read);
            this.go_on(read);
            return Poll::Ready(Ok(()));
        }
        let most = buffer.remaining();
        let mut reading = this.from_disk.take().unwrap_or_else(|| this.read_from_disk(most));
        let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
            this.from_disk = Some(reading);
            return Poll::Pending;
        };
        let bytes = read.map_err(io::Error::other)??;
        // The rest, if there is less room by now, is read once more.
        let bytes = bytes.get(..most).unwrap_or(&bytes);
        buffer.put_slice(bytes);
        this.go_on(bytes.len());
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for ReportFile {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        let position = match position {
            io::SeekFrom::Start(position) => Some(position),
            io::SeekFrom::End(offset) => self.found.len().checked_add_signed(offset),
            io::SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        self.from_disk = None;
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncSeekExt};
    use tower_http::services::fs::Backend;

    use super::*;

    async fn opened(directory: &Path, name: &str) -> ReportFile {
        ReportTree::open(directory).unwrap().open(Path::new(".").join(name)).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_read_from_any_place_on() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "0123456789").unwrap();
        let mut file = opened(directory.path(), "file").await;
        for (place, expected) in [
            (io::SeekFrom::Start(7), "789"),
            (io::SeekFrom::End(-2), "89"),
            (io::SeekFrom::Current(-3), "789"),
            (io::SeekFrom::Start(10), ""),
            (io::SeekFrom::Start(0), "0123456789"),
        ] {
            let mut text = String::new();
            file.seek(place).await.unwrap();
            file.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, expected, "{place:?}");
        }
        assert!(file.seek(io::SeekFrom::End(-11)).await.is_err());
    }

    /// The kernel says of no file in `/proc` that it has it in memory.
    #[tokio::test]
    async fn what_is_not_in_memory_is_read_by_another_thread() {
        let mut file = opened(Path::new("/proc/self"), "status").await;
        assert_eq!(file.read_from_memory(&mut [0; 16]), None);
        let mut text = String::new();
        file.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("Name:") && text.contains("\nVmRSS:"), "{text}");
        // Half of it, and from there on.
        let first: String = text.chars().take(5).collect();
        let mut part = [0; 5];
        file.seek(io::SeekFrom::Start(0)).await.unwrap();
        file.read_exact(&mut part).await.unwrap();
        assert_eq!(part, first.as_bytes());
        let mut rest = [0; 1];
        file.read_exact(&mut rest).await.unwrap();
        assert_eq!(rest, text.as_bytes().get(5..6).unwrap());
    }
}
