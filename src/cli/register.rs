//! `runnerctl register N`: a new registration, with a token that somebody brings, or one that this host asks GitHub for.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use dialoguer::Password;
use secrecy::{ExposeSecret, SecretString};

use super::context::{Context, GlobalArgs, absolute, block_on};
use super::ending::{self, Endings, Waiting};
use super::exit::Exit;
use super::failure::Failure;
use super::{install_units, output, power, selection};
use crate::apply::tokens::{self, TokensError};
use crate::apply::{self, Host, drain, registrations};
use crate::config::{RegistrationToken, variable};
use crate::files::{self, SecretKind};
use crate::fleet::{Registering, Runner, Verdict, names};
use crate::runner::RunnerExit;
use crate::systemd::{self, LoadState, Systemd, UnitJob};

/// More than any token has.
const LONGEST_TOKEN: u64 = 4096;

/// Options of `register`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number of the runner
    #[arg(value_name = "N")]
    number: u16,
    /// Read the registration token from FILE (mode 0600) [default: asked on a terminal, else read from stdin]
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    token_file: Option<PathBuf>,
    /// Register it although it is registered
    #[arg(long)]
    again: bool,
    /// Register it although a workflow job runs on it; the workflow job is cancelled
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let runner = selection::one(args.number, &context.fleet)?;
    let asks_github = context.fleet.github.has_api();
    if asks_github && args.token_file.is_some() {
        return Err(Failure::new(
            "this host asks GitHub for registration tokens itself",
            "leave --token-file out",
        ));
    }
    block_on(async {
        let host = context.host().await?;
        let systemd = host.systemd.as_ref().ok_or_else(ending::nothing_runs)?;
        let verdict = look(&context, &host, systemd, runner, args).await?.verdict();
        if let Some(exit) = refuse(verdict, runner, &context)? {
            return Ok(exit);
        }
        // Before anything is touched: what cannot end runners is told first.
        let endings = ending::of(&context, &host, Waiting { timeout: Some(Duration::ZERO) })?;
        if !asks_github {
            let token = token(args, &context, runner)?;
            write_token(&context, &host, runner.number, &token)?;
        }
        let all_well =
            end(&context, &endings, runner, args).await? && start(&context, &endings, runner).await?;
        Ok(if all_well { Exit::Done } else { Exit::No })
    })
}

async fn look(
    context: &Context,
    host: &Host,
    systemd: &Systemd,
    runner: &Runner,
    args: &Args,
) -> Result<Registering, Failure> {
    let states = systemd.observe(&[names::service(runner.number).as_str()]).await?;
    Ok(Registering {
        installed: states.iter().any(|state| state.load_state != LoadState::NotFound),
        registered: registrations::is_current(host, &runner.paths, &context.fleet.registration(runner)),
        drained: drain::is_marked(&host.root, &runner.paths),
        busy: !apply::busy(host, &[runner.number])?.is_empty(),
        // Where it costs nobody a token, to be asked for it is reason enough.
        again: args.again || context.fleet.github.has_api(),
        force: args.force,
    })
}

/// Says why there is nothing to do, or nothing may be done; `None` where there is.
fn refuse(verdict: Verdict, runner: &Runner, context: &Context) -> Result<Option<Exit>, Failure> {
    let (number, name) = (runner.number, &runner.name);
    match verdict {
        Verdict::Register => Ok(None),
        Verdict::NotInstalled => {
            let user = context.fleet.layout.scope.option();
            let cause = format!("{} does not exist; nothing was changed", names::service(number));
            Err(Failure::new(cause, format!("run `runnerctl install-units{user}` first")))
        }
        Verdict::NeedsNone => {
            output::say(&format!("{name}: is registered and needs no token; --again registers it anew"));
            Ok(Some(Exit::Done))
        }
        Verdict::Drained => {
            power::tell_drained(number);
            Ok(Some(Exit::No))
        }
        Verdict::Busy => {
            output::warn(
                &format!("runner {number} runs a workflow job: nothing was changed"),
                Some("run this again when it is idle, or with --force (the workflow job is cancelled)"),
            );
            Ok(Some(Exit::No))
        }
    }
}

/// Never from the command line, which everybody on the host can read.
fn token(args: &Args, context: &Context, runner: &Runner) -> Result<RegistrationToken, Failure> {
    let text = match &args.token_file {
        Some(path) => files::read_secret(path, SecretKind::Token)?,
        None if output::is_interactive() => {
            output::say(&format!("registration token: {}", context.fleet.url.new_runner_page()));
            let asked = Password::new().with_prompt(format!("token for {}", runner.name)).interact();
            SecretString::from(asked.map_err(|error| {
                Failure::new(format!("cannot ask: {error}"), "give it by --token-file, or by a pipe")
            })?)
        }
        None => {
            let mut text = String::new();
            std::io::stdin().take(LONGEST_TOKEN).read_to_string(&mut text)?;
            SecretString::from(text)
        }
    };
    RegistrationToken::copied(SecretString::from(text.expose_secret().trim())).ok_or_else(|| {
        Failure::new(
            "that is no registration token: it is empty, or has characters that no token of GitHub's has; nothing was changed",
            format!("get one at {}", context.fleet.url.new_runner_page()),
        )
    })
}

/// Puts it where tokens are read; all problems of that file are told.
fn write_token(
    context: &Context,
    host: &Host,
    number: u16,
    token: &RegistrationToken,
) -> Result<(), Failure> {
    let _lock = install_units::lock(host)?;
    let path = context.root.at(&context.fleet.layout.tokens);
    let written = tokens::write_token(&path, number, token, context.fleet.shared_token);
    let Err(error) = written else {
        output::say(&format!("wrote {} into {}", variable(number), path.display()));
        return Ok(());
    };
    let link_hint =
        format!("give the token to what makes it as {}, then `runnerctl up {number}`", variable(number));
    match &error {
        TokensError::Link(_) => output::error(&error.to_string(), Some(&link_hint)),
        TokensError::Unreadable(why) => output::error(&why.to_string(), Some(&why.hint())),
        TokensError::File(why) => output::error(&why.to_string(), why.hint().as_deref()),
        TokensError::Content(errors) => errors.iter().for_each(|why| {
            output::error(&format!("{}: {why}", path.display()), Some(why.hint()));
        }),
    }
    Err(Failure::new("nothing was changed", "mend that, then run this again"))
}

/// Ends what runs of it; has it ended?
async fn end(
    context: &Context,
    endings: &Endings<'_>,
    runner: &Runner,
    args: &Args,
) -> Result<bool, Failure> {
    let unit = names::service(runner.number);
    let has_ended = if args.force {
        power::run_jobs(context, endings.systemd(), &[UnitJob::stop(&unit)]).await?
    } else {
        endings.end(runner.number).await?
    };
    match endings.systemd().reset_failed(&unit).await {
        Ok(()) | Err(systemd::Error::UnitNotFound { .. }) => Ok(has_ended),
        Err(error) => Err(error.into()),
    }
}

/// Starts it without a registration, and goes back to the old one where GitHub refuses another; is it online with a new one?
async fn start(context: &Context, endings: &Endings<'_>, runner: &Runner) -> Result<bool, Failure> {
    let host = endings.host();
    let kept = registrations::outdate(host, &runner.paths, &context.fleet.registration(runner))?;
    if endings.start(runner.number).await? {
        output::say(&format!("{}: registered at {}", runner.name, context.fleet.url));
        return Ok(true);
    }
    let states = endings.systemd().observe(&[names::service(runner.number).as_str()]).await?;
    let exit = states.first().and_then(|state| state.exec_main_status).and_then(RunnerExit::from_code);
    if exit.is_some_and(RunnerExit::needs_a_person)
        && let Some(kept) = kept
        && registrations::restore(host, &runner.paths, &kept)?
    {
        output::say(&format!("{}: goes back to the registration that it had", runner.name));
        endings.start(runner.number).await?;
    }
    Ok(false)
}
