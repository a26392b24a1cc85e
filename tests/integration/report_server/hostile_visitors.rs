//! Visitors who mean ill, or are merely many.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{JOB, Server, assert_has};

impl Server {
    /// A request whose answer nobody reads.
    pub(super) fn begin(&self, method: &str, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.process.address).unwrap();
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        stream
    }

    fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.process.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may have enough of it before it is all sent.
        let _cut_off = stream.write_all(request);
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        answer
    }
}

#[test]
fn requests_that_are_none_are_refused() {
    let server = Server::start();
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20));
    let wide = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(5000));
    for request in [
        long.as_bytes(),
        wide.as_bytes(),
        many.as_bytes(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ] {
        let answer = String::from_utf8_lossy(&server.raw(request)).into_owned();
        let is_refused =
            answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        let is_own_page =
            answer.starts_with("HTTP/1.1 200") && request.windows(8).any(|part| part == b"chunked\r");
        assert!(is_refused || is_own_page, "{:?}: {answer}", request.get(..40));
    }
    for target in
        ["/?page=-1", "/?page=99999999999999999999999", "/?q=%ff", "/?q=a&q=b", "/?page=18446744073709551615"]
    {
        let answer = server.ask("GET", target, "");
        assert!(
            answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 200"),
            "{target}: {answer}"
        );
        assert_has(&answer, &["nosniff"]);
    }
    server.assert_well();
}

#[test]
fn who_says_nothing_and_who_reads_nothing_makes_way_for_others() {
    let server = Server::start();
    std::fs::File::create(server.root.path().join("reports").join(JOB).join("giant.bin"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let mut crowd = Vec::new();
    // More than there are places for, and the other half of them has an answer under way for an hour.
    for number in 0..600 {
        crowd.push(if number % 2 == 0 {
            server.begin("GET", &format!("/r/{JOB}/giant.bin"))
        } else {
            TcpStream::connect(&server.process.address).unwrap()
        });
    }
    let begin = Instant::now();
    server.assert_well();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn ten_thousand_connections_do_not_keep_anybody_out() {
    let server = Server::start();
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let most = limit.maximum.map_or(usize::MAX, |most| usize::try_from(most).unwrap());
    // All of them stay open at this end.
    let each = 10_000.min(most.saturating_sub(1000)) / 4;
    let knock = || -> Vec<TcpStream> {
        let begin = |_| {
            let mut stream = TcpStream::connect(&server.process.address).ok()?;
            let _cut_off = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX: ");
            Some(stream)
        };
        (0..each).filter_map(begin).collect()
    };
    thread::scope(|scope| {
        let crowds: Vec<_> = (0..4).map(|_| scope.spawn(knock)).collect();
        // Whoever is the oldest of those that have asked for nothing makes room. Between connecting and asking that can be anybody, who then asks again, as browsers do.
        let heard = |ask: &dyn Fn() -> String| (0..3).map(|_| ask()).find(|answer| !answer.is_empty());
        for _ in 0..5 {
            assert_has(&heard(&|| server.ask("GET", "/", "")).unwrap(), &["200 OK", "</html>"]);
            assert_has(&heard(&|| server.get("html/")).unwrap(), &["200 OK", "<p>report</p>"]);
        }
        let crowds: Vec<_> = crowds.into_iter().map(|crowd| crowd.join().unwrap()).collect();
        assert_eq!(crowds.iter().map(Vec::len).sum::<usize>(), each * 4);
        server.assert_well();
    });
    assert!(server.peak() < 100 * 1024, "{} KiB", server.peak());
}

#[test]
fn a_request_that_never_ends_is_cut_off() {
    let server = Server::start();
    let mut stream = TcpStream::connect(&server.process.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let begin = Instant::now();
    let mut byte = [0];
    // A byte now and then does not prolong it.
    while begin.elapsed() < Duration::from_secs(30) {
        if stream.write_all(b"x").is_err() || stream.read(&mut byte).is_ok() {
            break;
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}
