//! The stand-in for GitHub's `bin/Runner.Listener`: same commands, options, files, messages, exit codes and signals.
//!
//! Left out: self-update, personal access tokens, proxies and TLS. Two variables exist
//! only here: `STANDIN_KEEP_PORT=1` keeps the port of the URL (the real runner drops it), and `STANDIN_TIMESCALE`
//! divides every waiting time. `STANDIN_RUNNER_VERSION` changes the version that is reported.

use std::process::ExitCode;

use self::arguments::Arguments;
use self::host::Host;
use self::return_code::ReturnCode;

/// Where GitHub's API is for a URL.
mod api;
/// Command line and `ACTIONS_RUNNER_INPUT_*`.
mod arguments;
/// Client of the broker: sessions and messages.
mod broker;
/// The `configure` command.
mod configure;
/// What the runner prints, and its log below `_diag`.
mod console;
/// Running one workflow job through a worker process.
mod dispatch;
/// The process' environment as the runner sees it.
mod environment;
/// The runner's own files.
mod files;
/// The machine and process that the runner is in.
mod host;
/// The files of a JIT configuration.
mod jit_config;
/// The runner's key.
mod key;
/// The `run` command: messages until told to stop.
mod listen;
/// Access tokens for the runner's key.
mod oauth;
/// Calls of the registration API.
mod registration;
/// The `remove` command.
mod remove;
/// Exit codes.
mod return_code;
/// Opening a session, with patience.
mod session;
/// SIGINT and SIGTERM.
mod signals;

pub(crate) use self::console::Diagnostics;
pub(crate) use self::host::timescale;

/// The version that is reported unless a test wants another.
pub const VERSION: &str = "2.336.0";
const COMMIT: &str = "258d6c8f0a3b4c5d6e7f8091a2b3c4d5e6f70819";

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut host = match Host::new() {
        Ok(host) => host,
        Err(error) => {
            eprintln!("An error occurred: {error}");
            return ReturnCode::TerminatedError.into();
        }
    };
    let inputs = host.environment.take_inputs();
    let arguments = Arguments::parse(&words, inputs);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            host.console.write_error(&format!("An error occurred: {error}"));
            return ReturnCode::TerminatedError.into();
        }
    };
    let code = runtime.block_on(command(host, &arguments));
    // A name that is still being resolved must not hold up the end.
    runtime.shutdown_background();
    code.into()
}

async fn command(host: Host, arguments: &Arguments) -> ReturnCode {
    if arguments.has_flag("version") {
        host.console.write_line(&host.version);
        return ReturnCode::Success;
    }
    if arguments.has_flag("commit") {
        host.console.write_line(COMMIT);
        return ReturnCode::Success;
    }
    if let Some(warning) = arguments.unrecognized() {
        host.console.write_error(&warning);
    }
    if arguments.has_flag("help") {
        host.console.write_line("Commands: configure, remove, run. Options: --help --version --commit");
        return ReturnCode::Success;
    }
    match arguments.command() {
        "configure" => configure::configure(&host, arguments).await,
        "remove" => remove::remove(&host, arguments).await,
        "warmup" => ReturnCode::Success,
        _ => listen::run(host, arguments).await,
    }
}
