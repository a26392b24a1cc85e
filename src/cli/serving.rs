//! What our servers have in common: the socket that they answer on, and the signal that ends them.

use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;

/// The socket that systemd hands over (`sd_listen_fds(3)`), else one of our own at `address`.
pub(super) fn listener(address: SocketAddr) -> Result<TcpListener, Failure> {
    if let Some(listener) = ListenFd::from_env().take_tcp_listener(0)? {
        return Ok(listener);
    }
    TcpListener::bind(address).map_err(|error| {
        Failure::new(format!("cannot listen on {address}: {error}"), "choose another address with --listen")
    })
}

/// Is over when this process is told to end. Signals count from now on.
pub(super) fn end() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
