//! Gets a runner restarted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::apply::{self, Host};
use crate::health::{HealEnd, LONGEST_LINE, Observation};

/// What the helper may take longer than its own limit.
const MARGIN: Duration = Duration::from_secs(60);

/// Who restarts runners.
#[derive(Debug, Clone)]
pub enum Healer {
    /// The monitor itself, through systemd.
    Itself,
    /// A helper with the rights for it, which is asked through the socket at this path.
    Helper(PathBuf),
}

impl Healer {
    /// Ends when the runner is online again, or when it is known that it is not.
    pub(super) async fn heal(&self, host: &Host, number: u16, limit: Duration) -> Observation {
        let end = match self {
            Self::Itself => apply::heal(host, number, limit).await,
            Self::Helper(socket) => match timeout(limit + MARGIN, ask(socket, number)).await {
                Ok(Ok(end)) => end,
                Ok(Err(why)) => HealEnd::Failed(why),
                Err(_) => HealEnd::Failed("the helper that restarts does not answer".to_owned()),
            },
        };
        Observation::HealEnded(number, end)
    }
}

async fn ask(socket: &Path, number: u16) -> Result<HealEnd, String> {
    let unheard = |error: std::io::Error| {
        format!("the helper that restarts cannot be asked: {}: {error}", socket.display())
    };
    let mut stream = UnixStream::connect(socket).await.map_err(unheard)?;
    stream.write_all(format!("{number}\n").as_bytes()).await.map_err(unheard)?;
    let mut line = String::new();
    let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
    BufReader::new(stream.take(most)).read_line(&mut line).await.map_err(unheard)?;
    HealEnd::of_line(&line).ok_or_else(|| "the helper that restarts ended without an answer".to_owned())
}
