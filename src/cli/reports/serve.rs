//! `runnerctl reports serve`

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use listenfd::ListenFd;

use crate::cli::context::{Context, GlobalArgs, absolute, block_on};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::http;
use crate::report_files::ReportTree;

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
    let directory = if let Some(directory) = &args.directory {
        directory.clone()
    } else {
        let context = Context::load(global)?;
        context.root.at(&context.fleet.layout.reports)
    };
    let tree = ReportTree::open(&directory).map_err(|error| {
        Failure::new(
            format!("cannot read the reports directory {}: {error}", directory.display()),
            "install-units makes it; --directory names another one",
        )
    })?;
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
