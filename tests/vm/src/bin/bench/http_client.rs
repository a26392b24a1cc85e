//! A plain HTTP/1.1 client that costs little beside the servers it measures: one kept connection, no more than what is asked here.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(60);

/// One kept connection.
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// To an `address:port`.
    pub(crate) fn to(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self { reader: BufReader::with_capacity(64 * 1024, stream), buffer: vec![0; 256 * 1024] })
    }

    /// Reads the whole answer to a GET and throws it away; the length of its body in bytes.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<u64> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.reader.get_mut().write_all(request.as_bytes())?;
        let mut length = None;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(format!("GET {path}: {}", line.trim())));
        }
        while line.trim() != "" {
            line.clear();
            self.reader.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
        let length = length.ok_or_else(|| io::Error::other(format!("GET {path}: no length")))?;
        let mut left: u64 = length;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            let read = self.reader.read(self.buffer.get_mut(..most).unwrap_or_default())?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left -= read as u64;
        }
        Ok(length)
    }
}
