//! A server that follows a script, and clients for it.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use homelab_runners::config::{GithubUrl, PersonalAccessToken, Proxy};
use homelab_runners::github::{Client, Connection, Credential, Error, TimeLimits};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::{interval, timeout};
use tokio_rustls::TlsAcceptor;

/// Stands in no text of ours, whatever happens.
pub(crate) const CANARY: &str = "ghp_CANARYcanaryCANARYcanaryCANARYcanary";

/// Longer than any of these tests takes, unless something waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET /path?query`
    pub line: String,
    /// Headers, the names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these, then nothing more, and stays.
    BytesThenSilence(Vec<u8>),
    /// Sends these, then one more every 10 ms, without end.
    Drip(Vec<u8>),
    /// Breaks off before it has read the request: a reset.
    Reset,
    /// Sends these without having understood the request.
    Unread(Vec<u8>),
}

/// An answer of `status`, with these lines as headers.
pub(crate) fn answer(status: u16, headers: &[&str], body: &str) -> Reply {
    let headers: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("HTTP/1.1 {status} Word\r\nConnection: close\r\n{length}{headers}\r\n");
    Reply::Bytes([head.as_bytes(), body.as_bytes()].concat())
}

pub(crate) fn json(status: u16, body: &Value) -> Reply {
    answer(status, &["Content-Type: application/json; charset=utf-8"], &body.to_string())
}

/// A refusal in GitHub's form.
pub(crate) fn refusal(status: u16, headers: &[&str], message: &str) -> Reply {
    let body = serde_json::json!({"message": message, "documentation_url": "https://docs.github.com/rest"});
    answer(status, headers, &body.to_string())
}

/// The server; gone when dropped.
pub(crate) struct Server {
    pub address: String,
    heard: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<VecDeque<Reply>>>,
    listening: AbortHandle,
}

impl Server {
    /// Answers with each of `script` once, in their order; whoever asks more often gets 418.
    pub(crate) async fn start(script: Vec<Reply>) -> Self {
        Self::with_tls(script, None).await
    }

    pub(crate) async fn with_tls(script: Vec<Reply>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(VecDeque::from(script)));
        let (heard_there, script_there) = (Arc::clone(&heard), Arc::clone(&script));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (heard, script, tls) = (Arc::clone(&heard_there), Arc::clone(&script_there), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &heard, &script).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &heard, &script).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, heard, script, listening: task.abort_handle() }
    }

    /// Every request so far, those that got no answer included.
    pub(crate) fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }

    /// Their lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.heard().into_iter().map(|request| request.line).collect()
    }

    /// One more reply, behind those that are left.
    pub(crate) fn then(&self, reply: Reply) {
        self.script.lock().unwrap().push_back(reply);
    }

    /// A client of `scope`, such as `acme/shop`, at this server, laid out like a GitHub Enterprise Server.
    pub(crate) fn client(&self, scope: &str) -> Client {
        self.client_with(scope, pat(), &connection())
    }

    pub(crate) fn client_with(&self, scope: &str, credential: Credential, connection: &Connection) -> Client {
        client_at(&format!("http://{}/{scope}", self.address), credential, connection).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// A client for `url`, with the API that belongs to it.
pub(crate) fn client_at(url: &str, credential: Credential, connection: &Connection) -> Result<Client, Error> {
    let url: GithubUrl = url.parse().unwrap();
    let api = homelab_runners::config::ApiUrl::of(&url);
    Client::new(&url, &api, credential, connection)
}

pub(crate) fn pat() -> Credential {
    Credential::Pat(PersonalAccessToken::parse(CANARY).ok().unwrap())
}

/// Without proxies, with pauses that take no time. The limits are for machines that are busy.
pub(crate) fn connection() -> Connection {
    let limits = TimeLimits {
        connect: Duration::from_secs(20),
        request: Duration::from_secs(20),
        call: Duration::from_secs(50),
        first_pause: Duration::from_millis(1),
    };
    Connection { limits, ..Connection::new(Proxy::default(), None) }
}

/// The same with limits that end soon.
pub(crate) fn hasty() -> Connection {
    let mut hasty = connection();
    hasty.limits.request = Duration::from_millis(60);
    hasty.limits.call = Duration::from_millis(150);
    hasty
}

/// The result of a call that has to end.
pub(crate) async fn ends<T>(call: impl Future<Output = T>) -> T {
    timeout(PATIENCE, call).await.unwrap()
}

/// Everything that an error says, which never holds the credential.
#[track_caller]
pub(crate) fn told(error: &Error) -> String {
    let text = format!("{error} ({})", error.hint().unwrap_or_default());
    assert!(!format!("{text}{error:?}").contains("CANARY"), "{text}");
    text
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    heard: &Mutex<Vec<Request>>,
    script: &Mutex<VecDeque<Reply>>,
) {
    let mut first = [0];
    if stream.read_exact(&mut first).await.is_err() {
        return;
    }
    let reply = script.lock().unwrap().pop_front();
    if let Some(Reply::Reset) = reply {
        let line = "RESET".to_owned();
        heard.lock().unwrap().push(Request { line, headers: Vec::new(), body: String::new() });
        // What was not read makes it a reset.
        return;
    }
    if let Some(Reply::Unread(bytes)) = reply {
        stream.write_all(&bytes).await.unwrap();
        stream.flush().await.unwrap();
        drop(stream.read_to_end(&mut Vec::new()).await);
        return;
    }
    let request = read(&mut stream, first[0]).await;
    heard.lock().unwrap().push(request);
    match reply.unwrap_or_else(|| answer(418, &[], "")) {
        Reply::Bytes(bytes) => {
            // The client may have had enough, and hung up.
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
        }
        Reply::BytesThenSilence(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            stream.flush().await.unwrap();
            pending::<()>().await;
        }
        Reply::Drip(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            let mut clock = interval(Duration::from_millis(10));
            while stream.write_all(b" ").await.is_ok() && stream.flush().await.is_ok() {
                clock.tick().await;
            }
        }
        Reply::Reset | Reply::Unread(_) => {}
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, first: u8) -> Request {
    let mut bytes = vec![first];
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at;
        }
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "half a request");
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut request = Request { line, headers, body: String::new() };
    let length: usize = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "half a request");
    }
    request.body = String::from_utf8(bytes[head_end + 4..].to_vec()).unwrap();
    request
}
