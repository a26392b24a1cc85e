//! HTTPS: a TLS client that trusts the certificate, and those who come without TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{JOB, Server, assert_has};

/// A certificate for `localhost` that signs itself, and its key, as PEM files.
struct Pair {
    directory: TempDir,
}

impl Pair {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(directory.path().join("certificate.pem"), made.cert.pem()).unwrap();
        fs::write(directory.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn serve(&self) -> Server {
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| self.path(name));
        Server::with(&["--tls-certificate", &certificate, "--tls-key", &key], &[])
    }

    /// A connection to `server` that trusts this certificate alone and can speak HTTP/2, too.
    fn connect(&self, server: &Server) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("certificate.pem")).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), plain(server))
    }
}

fn plain(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(&server.process.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn answer(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn reports_come_over_https_and_so_do_the_traces_that_pages_link_to() {
    let pair = Pair::new();
    let server = pair.serve();
    let html = server.root.path().join("reports").join(JOB).join("html");
    fs::write(html.join("trace/index.html"), "").unwrap();
    fs::write(html.join("data/t.zip"), "").unwrap();
    let mut stream = pair.connect(&server);
    let index = answer(&mut stream, "GET / HTTP/1.1\r\nHost: localhost:8089\r\nConnection: close\r\n\r\n");
    assert_has(&index, &["HTTP/1.1 200", "trace=https%3A%2F%2Flocalhost%3A8089%2Fr%2Fci"]);
    assert!(!index.to_lowercase().contains("strict-transport-security"), "{index}");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let target =
        format!("GET /r/{JOB}/html/data/a.webm HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_has(&answer(pair.connect(&server), &target), &["video/webm", "\r\n\r\n0123456789"]);
}

#[test]
fn whoever_comes_without_tls_is_sent_to_https() {
    let server = Pair::new().serve();
    let request =
        |host: &str| format!("GET /r/ci/?q=a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let sent = answer(plain(&server), &request("reports.example:8089"));
    assert_has(&sent, &["HTTP/1.1 307", "location: https://reports.example:8089/r/ci/?q=a\r\n"]);
    assert_has(&answer(plain(&server), &request("a/b")), &["HTTP/1.1 400", "this port speaks HTTPS"]);
}

#[test]
fn who_has_come_and_not_yet_asked_when_the_server_is_told_to_end_is_answered() {
    let pair = Pair::new();
    let mut server = pair.serve();
    let (mut agreed, mut begun) = (pair.connect(&server), pair.connect(&server));
    agreed.conn.complete_io(&mut agreed.sock).unwrap();
    begun.conn.write_tls(&mut begun.sock).unwrap();
    answer(plain(&server), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    server.told_to_end();
    for visitor in [agreed, begun] {
        assert_has(&answer(visitor, "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n"), &["HTTP/1.1 200"]);
    }
    assert!(server.ended_within(Duration::from_secs(20)).is_some_and(|status| status.success()));
}

#[test]
fn who_says_nothing_or_begins_a_handshake_and_stops_is_cut_off() {
    let server = Pair::new().serve();
    let (mut silent, mut stuck) = (plain(&server), plain(&server));
    stuck.write_all(&[22, 3, 1]).unwrap();
    for stream in [&mut silent, &mut stuck] {
        let mut left = Vec::new();
        stream.read_to_end(&mut left).unwrap();
    }
}

/// What the server says when it cannot start with these files.
fn refusal(certificate: &str, key: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_runnerctl"))
        .args(["reports", "serve", "--listen", "127.0.0.1:0", "--directory"])
        .arg(directory.path())
        .args(["--tls-certificate", certificate, "--tls-key", key])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_certificate_that_is_no_good_is_named_with_the_next_step_and_no_key_is_shown() {
    let (pair, other) = (Pair::new(), Pair::new());
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| pair.path(name));
    let (absent, empty) = (pair.path("absent.pem"), pair.path("empty.pem"));
    fs::write(&empty, "").unwrap();
    let damaged = pair.path("damaged.pem");
    fs::write(&damaged, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let key_text = fs::read_to_string(Path::new(&key)).unwrap();
    for (certificate, key, said) in [
        (&absent, &key, format!("cannot read {absent}: No such file")),
        (&certificate, &absent, format!("cannot read {absent}: No such file")),
        (&empty, &key, format!("{empty} has no certificate in PEM")),
        (&key, &key, format!("{key} has no certificate in PEM")),
        (&damaged, &key, format!("cannot use the certificate {damaged}")),
        (&certificate, &certificate, format!("{certificate} has no private key in PEM")),
        (&certificate, &other.path("key.pem"), "does not belong to the certificate".to_owned()),
    ] {
        let text = refusal(certificate, key);
        assert!(text.contains(&said) && text.contains("hint: "), "{said}: {text}");
        let secret = key_text.lines().filter(|line| !line.starts_with('-'));
        assert!(secret.into_iter().all(|line| !text.contains(line)), "{text}");
    }
}
