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
use super::workers::Workers;

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

/// Whoever makes way does it sooner, unless a disk does not answer.
const LONGEST_FAREWELL: Duration = Duration::from_secs(1);

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
    /// Threads that attend to visitors; one more than may be kept by the disk.
    pub threads: usize,
}

/// Who is there.
struct Hall {
    free: Arc<Semaphore>,
    visitors: Visitors,
    ending: watch::Sender<()>,
    workers: Workers,
}

impl Server {
    /// Answers on `listener` until `end` comes or nobody else does; answers that are under way are finished.
    ///
    /// # Errors
    /// The listener cannot be waited on.
    pub async fn run(self, listener: std::net::TcpListener, end: impl Future<Output = ()>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let hall = Hall {
            free: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            visitors: Visitors::none(),
            ending: watch::Sender::new(()),
            workers: Workers::start(self.threads)?,
        };
        let mut watch = pin!(hall.workers.keep_watch(|| !hall.is_empty()));
        tokio::select! {
            () = end => {}
            () = self.welcome(listener, &hall) => {}
            never = &mut watch => match never {},
        }
        hall.ending.send_replace(());
        tokio::select! {
            () = hall.ending.closed() => {}
            () = sleep(LAST_ANSWERS) => tracing::info!("some answers are cut off"),
            never = watch => match never {},
        }
        Ok(())
    }

    /// Returns when nobody came for so long, and nobody is there.
    async fn welcome(&self, listener: TcpListener, hall: &Hall) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted.and_then(|(stream, _)| stream.into_std()),
                () = sleep(self.idle_exit.unwrap_or(NEVER)) => {
                    if hall.is_empty() {
                        return;
                    }
                    continue;
                }
            };
            match accepted {
                Ok(stream) => {
                    let place = hall.place().await;
                    let answered = self.attend(stream, hall.visitors.enter(), place, hall.ending.subscribe());
                    hall.workers.take(answered);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn attend(
        &self,
        stream: std::net::TcpStream,
        visit: Arc<Visit>,
        place: Option<OwnedSemaphorePermit>,
        end: End,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (site, tls) = (self.site.clone(), self.tls.clone());
        async move {
            let answered = async {
                let line = Line { stream: of_this_thread(stream)?, visit: Arc::clone(&visit) };
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
        }
    }
}

impl Hall {
    fn is_empty(&self) -> bool {
        self.free.available_permits() == MOST_CONNECTIONS
    }

    /// Somebody else makes way where there is none. Who is kept by the disk cannot, and the next one is asked.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if self.free.available_permits() == 0 {
                self.visitors.make_way();
            }
            if let Ok(place) = timeout(LONGEST_FAREWELL, Arc::clone(&self.free).acquire_owned()).await {
                return place.ok();
            }
        }
    }
}

/// The runtime that accepted a connection is not the one that attends to it.
fn of_this_thread(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    let stream = TcpStream::from_std(stream)?;
    // Else the end of a small file waits for the visitor's delayed acknowledgement, 40 ms.
    stream.set_nodelay(true)?;
    Ok(stream)
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
