//! A `runnerctl` that serves HTTP, as a process, asked in raw HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ended when it is dropped.
pub(crate) struct WebProcess {
    pub(crate) child: Child,
    /// Address and port.
    pub(crate) address: String,
    /// Its words until it listened, line by line.
    pub(crate) said: Vec<String>,
}

impl WebProcess {
    /// Waits until `command` says where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = loop {
            let line =
                lines.next().unwrap_or_else(|| panic!("it ended before it listened: {said:?}")).unwrap();
            let address = line.rsplit_once("://").map(|(_, rest)| rest.trim_end_matches('/').to_owned());
            said.push(line);
            if let Some(address) = address.filter(|address| address.parse::<SocketAddr>().is_ok()) {
                break address;
            }
        };
        Self { child, address, said }
    }

    /// The whole answer to one request; each of `headers` with its end of line.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for WebProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[track_caller]
pub(crate) fn assert_has(answer: &str, parts: &[&str]) {
    for part in parts {
        assert!(answer.contains(part), "{part:?} is not in\n{answer}");
    }
}
