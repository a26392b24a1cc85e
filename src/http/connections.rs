//! Connections, a bounded number of them for a bounded time each.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::tls::{HANDSHAKE, Tls, to_https};
use super::visitors::{Line, Visit, Visitors};

/// A report's page loads a dozen files at a time; of more than this the idlest makes way.
const MOST_CONNECTIONS: usize = 256;

/// Whoever is slower than this to ask is cut off; so is whoever is slower to agree on a cipher.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Bytes of a request that are read, and of an answer that wait to be sent; browsers' requests are below 16 KiB, cookies and all.
const MOST_BUFFERED: usize = 64 * 1024;

/// Whoever reads a file slower than this is cut off.
const LONGEST_CONNECTION: Duration = Duration::from_secs(3600);

/// A pause after a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers that are under way when the server is to end have so long.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Who has come and said nothing when the server is to end is waited for so long: the request may be on its way.
const FIRST_REQUEST: Duration = Duration::from_secs(2);

/// Longer than any server runs.
const NEVER: Duration = Duration::from_secs(u32::MAX as u64);

/// Changes once, when the server is to end; the server waits until every connection has dropped its own.
type End = watch::Receiver<()>;

/// What is served, and to whom.
pub struct Server {
    /// What is answered.
    pub site: Router,
    /// HTTPS instead of HTTP.
    pub tls: Option<Tls>,
    /// Ends when nobody came for so long.
    pub idle_exit: Option<Duration>,
}

impl Server {
    /// Answers on `listener` until `end` comes or nobody else does; answers that are under way are finished.
    ///
    /// # Errors
    /// The listener cannot be waited on.
    pub async fn run(self, listener: std::net::TcpListener, end: impl Future<Output = ()>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let (free, ending) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), watch::Sender::new(()));
        let visitors = Visitors::none();
        let mut end = pin!(end);
        loop {
            let accepted = tokio::select! {
                () = &mut end => break,
                accepted = listener.accept() => accepted,
                () = sleep(self.idle_exit.unwrap_or(NEVER)) => {
                    if free.available_permits() == MOST_CONNECTIONS {
                        break;
                    }
                    continue;
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    if free.available_permits() == 0 {
                        visitors.make_way();
                    }
                    let place = Arc::clone(&free).acquire_owned().await.map_err(io::Error::other)?;
                    self.attend(stream, visitors.enter(), place, ending.subscribe());
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        ending.send_replace(());
        if timeout(LAST_ANSWERS, ending.closed()).await.is_err() {
            tracing::info!("some answers are cut off");
        }
        Ok(())
    }

    fn attend(&self, stream: TcpStream, visit: Arc<Visit>, place: OwnedSemaphorePermit, end: End) {
        // Else the end of a small file waits for the visitor's delayed acknowledgement, 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot send without delay");
        }
        let (site, tls) = (self.site.clone(), self.tls.clone());
        tokio::spawn(async move {
            let answered = async {
                let line = Line { stream, visit: Arc::clone(&visit) };
                match tls {
                    Some(tls) => over_tls(line, site, &tls, end).await,
                    None => over(line, site, end).await,
                }
            };
            tokio::select! {
                () = visit.asked_to_leave() => tracing::debug!("an idle connection makes way"),
                ended = timeout(LONGEST_CONNECTION, answered) => {
                    if let Ok(Err(error)) = ended {
                        tracing::debug!(%error, "a connection broke");
                    }
                }
            }
            drop(place);
        });
    }
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    site: Router,
    mut end: End,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(MOST_BUFFERED);
    let (site, asked) = (TowerToHyperService::new(site), Notify::new());
    let answer = service_fn(|request| {
        asked.notify_one();
        site.call(request)
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), answer));
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(io::Error::other),
        _ = end.changed() => {}
    }
    // hyper hangs up at once on who has not asked anything yet.
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(io::Error::other),
        () = asked.notified() => {}
        () = sleep(FIRST_REQUEST) => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await.map_err(io::Error::other)
}

async fn over_tls(line: Line<TcpStream>, site: Router, tls: &Tls, end: End) -> io::Result<()> {
    let mut first = [0];
    timeout(HEADERS_WITHIN, line.stream.peek(&mut first)).await??;
    if first != [HANDSHAKE] {
        return over(line, to_https(), end).await;
    }
    let stream = timeout(HEADERS_WITHIN, tls.acceptor().accept(line)).await??;
    over(stream, site, end).await
}
