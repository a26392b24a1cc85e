//! Listening sockets: GitHub's, any number of them, and the admin's own.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use super::ledger::GitHub;
use super::settings::Settings;
use super::{admin, connection, routes};

/// How often time alone may bring news, such as a workflow job that was not picked up.
const TICK: Duration = Duration::from_millis(500);

/// Where the simulator can be reached.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// GitHub itself.
    pub github: Vec<SocketAddr>,
    /// The admin API.
    pub admin: SocketAddr,
}

/// Listens on all addresses and serves in the background for as long as the runtime lives.
///
/// With a state file, begins where the process before it ended.
///
/// # Errors
/// When an address cannot be listened on, or the state file cannot be read or written.
pub async fn serve(
    settings: Settings,
    state: Option<&Path>,
    github: &[SocketAddr],
    admin: SocketAddr,
) -> io::Result<Addresses> {
    let state = Arc::new(GitHub::new(settings, state)?);
    let admin = TcpListener::bind(admin).await?;
    let mut addresses = Addresses { github: Vec::new(), admin: admin.local_addr()? };
    let mut listeners = Vec::new();
    for address in github {
        let listener = TcpListener::bind(address).await?;
        addresses.github.push(listener.local_addr()?);
        listeners.push(listener);
    }
    let router = routes::router(&state);
    for listener in listeners {
        tokio::spawn(accept(Arc::clone(&state), router.clone(), listener));
    }
    tokio::spawn(tick(Arc::clone(&state)));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(admin, admin::router(state)).await {
            eprintln!("github simulator: the admin API ended: {error}");
        }
    });
    Ok(addresses)
}

async fn accept(state: Arc<GitHub>, router: Router, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection::serve(Arc::clone(&state), router.clone(), stream));
            }
            Err(error) => {
                eprintln!("github simulator: cannot accept a connection: {error}");
                // Out of file descriptors, most likely: let some connections end first.
                tokio::time::sleep(TICK).await;
            }
        }
    }
}

/// Wakes the polls now and then: what a passed deadline changes, nobody announces.
async fn tick(state: Arc<GitHub>) {
    loop {
        tokio::time::sleep(TICK).await;
        state.announce_change();
    }
}
