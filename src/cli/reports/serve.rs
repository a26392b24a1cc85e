//! `runnerctl reports serve`

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use listenfd::ListenFd;

use super::{open, place};
use crate::cli::context::{GlobalArgs, absolute, block_on};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::http;

/// Options of `reports serve`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Address and port, unless systemd hands over a socket; Playwright's trace viewer needs localhost or HTTPS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// The reports [default: the reports directory of the config]
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    directory: Option<PathBuf>,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let directory = place(args.directory.as_ref(), global)?;
    let tree = open(&directory)?;
    let listener = listener(args)?;
    output::say(&format!("serving {} at http://{}/", directory.display(), listener.local_addr()?));
    block_on(async { Ok(http::serve(listener, http::site(tree)).await?) })?;
    Ok(Exit::Done)
}

/// The socket that systemd hands over (`sd_listen_fds(3)`), else one of our own.
fn listener(args: &Args) -> Result<TcpListener, Failure> {
    if let Some(listener) = ListenFd::from_env().take_tcp_listener(0)? {
        return Ok(listener);
    }
    TcpListener::bind(args.listen).map_err(|error| {
        Failure::new(
            format!("cannot listen on {}: {error}", args.listen),
            "choose another address with --listen",
        )
    })
}
