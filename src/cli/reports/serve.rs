//! `runnerctl reports serve`

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use super::{open, place};
use crate::cli::context::{GlobalArgs, absolute, block_on};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{output, serving};
use crate::http::{Scheme, Server, Tls, site};

/// As many as connections that a browser opens for one page, and some; the report server's unit allows a hundred tasks.
const MOST_THREADS: usize = 8;

/// Options of `reports serve`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Address and port, unless systemd hands over a socket; Playwright's trace viewer needs localhost or HTTPS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// The reports [default: the reports directory of the config]
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    directory: Option<PathBuf>,
    /// Serve HTTPS: the certificate and those between it and the root, PEM
    #[arg(long, value_name = "FILE", value_parser = absolute, requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", value_parser = absolute, requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// End when nobody came for so long, such as "10m"; systemd starts it again for the next visitor
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    idle_exit: Option<Duration>,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let directory = place(args.directory.as_ref(), global)?;
    let tree = open(&directory)?;
    let tls = tls(args)?;
    let listener = serving::listener(args.listen)?;
    let (scheme, word) = if tls.is_some() { (Scheme::Https, "https") } else { (Scheme::Http, "http") };
    output::say(&format!("serving {} at {word}://{}/", directory.display(), listener.local_addr()?));
    let threads = available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
    let site = site(tree.opened_at_once_by(threads), scheme);
    // One more, which no disk can keep.
    let server = Server { site, tls, idle_exit: args.idle_exit, threads: threads + 1 };
    block_on(async {
        let end = serving::end()?;
        sd_notify::notify(&[sd_notify::NotifyState::Ready])?;
        Ok(server.run(listener, end).await?)
    })?;
    Ok(Exit::Done)
}

fn tls(args: &Args) -> Result<Option<Tls>, Failure> {
    let Some((certificate, key)) = args.tls_certificate.as_ref().zip(args.tls_key.as_ref()) else {
        return Ok(None);
    };
    match Tls::load(certificate, key) {
        Ok(tls) => Ok(Some(tls)),
        Err(error) => Err(Failure::new(error.to_string(), error.hint())),
    }
}
