//! Runs the simulated GitHub until it is interrupted or terminated.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use homelab_runners_simulator::github::{self, Settings};
use tokio::signal::unix::{SignalKind, signal};

/// A simulator of GitHub for self-hosted runners: registration, sessions, workflow jobs.
#[derive(Debug, Parser)]
struct Options {
    /// Where GitHub listens; may be given several times.
    #[arg(long, value_name = "ADDR:PORT", required = true)]
    listen: Vec<SocketAddr>,
    /// Where the admin API listens.
    #[arg(long, value_name = "ADDR:PORT")]
    admin: SocketAddr,
    /// Keeps registrations, registration tokens and the clock in this file, to go on with them after a restart.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How long a message poll is kept open.
    #[arg(long, value_name = "SECONDS", default_value_t = Settings::default().poll_seconds)]
    poll_seconds: u64,
    /// How old the last poll of a session must be before another session may replace it.
    #[arg(long, value_name = "SECONDS", default_value_t = Settings::default().session_lifetime_seconds)]
    session_lifetime_seconds: i64,
    /// Refuse runners below this version.
    #[arg(long, value_name = "VERSION")]
    minimum_runner_version: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("github simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(options: &Options) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let settings = Settings {
        poll_seconds: options.poll_seconds,
        session_lifetime_seconds: options.session_lifetime_seconds,
        minimum_runner_version: options.minimum_runner_version.clone(),
        ..Settings::default()
    };
    let addresses = github::serve(settings, options.state.as_deref(), &options.listen, options.admin).await?;
    let listening: Vec<String> = addresses.github.iter().map(ToString::to_string).collect();
    let mut stdout = io::stdout();
    writeln!(
        stdout,
        "github simulator: listening on {}, admin on {}",
        listening.join(", "),
        addresses.admin
    )?;
    stdout.flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
