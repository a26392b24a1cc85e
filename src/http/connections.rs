//! Connections, a bounded number of them for a bounded time each.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// A report's page loads a dozen files at a time; more visitors than this wait.
const MOST_CONNECTIONS: usize = 256;

/// Whoever is slower than this to ask is cut off.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Whoever reads a file slower than this is cut off.
const LONGEST_CONNECTION: Duration = Duration::from_secs(3600);

/// A pause after a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers on `listener` until the process ends.
///
/// # Errors
/// The listener cannot be waited on.
pub async fn serve(listener: std::net::TcpListener, site: Router) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let free = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = Arc::clone(&free).acquire_owned().await.map_err(io::Error::other)?;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Else the end of a small file waits for the visitor's delayed acknowledgement, 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot send without delay");
        }
        let service = TowerToHyperService::new(site.clone());
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Ok(Err(error)) = tokio::time::timeout(LONGEST_CONNECTION, connection).await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
}
