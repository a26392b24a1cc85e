//! How the server begins and ends under systemd.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::{JOB, Server};

/// More than the kernel takes off our hands at once.
const LARGE: usize = 32 << 20;

impl Server {
    /// A visitor who has the beginning of a large file.
    fn begin_download(&self) -> TcpStream {
        // A hole, which takes no time to write: an idle server ends soon.
        let file = fs::File::create(self.root.path().join("reports").join(JOB).join("large.txt")).unwrap();
        file.set_len(u64::try_from(LARGE).unwrap()).unwrap();
        let mut stream = TcpStream::connect(&self.process.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET /r/{JOB}/large.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        stream.read_exact(&mut [0; 1024]).unwrap();
        stream
    }

    /// Told to end, and heard it.
    pub(super) fn told_to_end(&self) {
        let pid = rustix::process::Pid::from_child(&self.process.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let begin = Instant::now();
        while TcpStream::connect(&self.process.address).is_ok() {
            assert!(begin.elapsed() < Duration::from_secs(20), "it takes no more visitors");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How it ended, if it does within `limit`.
    pub(super) fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if let Some(status) = self.process.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

fn rest(mut stream: TcpStream) -> usize {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    rest.len()
}

#[test]
fn systemd_hears_when_it_is_ready() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _server = Server::with(&[], &[("NOTIFY_SOCKET", place.to_str().unwrap())]);
    let mut said = [0; 64];
    let length = socket.recv(&mut said).unwrap();
    assert_eq!(&said[..length], b"READY=1\n");
}

#[test]
fn who_is_being_answered_when_it_is_told_to_end_gets_all_of_it() {
    let mut server = Server::start();
    let download = server.begin_download();
    server.told_to_end();
    assert!(rest(download) > LARGE - 1024);
    assert!(server.ended_within(Duration::from_secs(20)).is_some_and(|status| status.success()));
}

#[test]
fn who_has_come_and_not_yet_asked_when_it_is_told_to_end_is_answered() {
    let mut server = Server::start();
    let mut silent = TcpStream::connect(&server.process.address).unwrap();
    let mut visitor = TcpStream::connect(&server.process.address).unwrap();
    // Connections are taken in their order, so an answer to a third says that both are in.
    server.get("tool.exe");
    server.told_to_end();
    write!(visitor, "GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0, "who asks nothing holds nobody up");
    assert!(server.ended_within(Duration::from_secs(20)).is_some_and(|status| status.success()));
}

#[test]
fn it_ends_when_nobody_comes_and_not_while_somebody_reads() {
    let mut server = Server::with(&["--idle-exit", "2s"], &[]);
    let download = server.begin_download();
    assert_eq!(server.ended_within(Duration::from_secs(4)), None);
    assert!(rest(download) > LARGE - 1024);
    assert!(server.ended_within(Duration::from_secs(20)).is_some_and(|status| status.success()));
}
