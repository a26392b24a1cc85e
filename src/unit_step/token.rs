//! Where a runner's registration token comes from: the tokens file, or GitHub itself, which gives one to whoever shows a better credential.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::Prepare;
use super::jit::{EndNoted, Jit};
use crate::config::{RegistrationToken, TokenError, Tokens, variable};
use crate::files;
use crate::github;
use crate::host_facts;
use crate::runner::{self, RegistrationBudget};

/// Where to get one.
pub enum TokenOrigin {
    /// `RUNNER_TOKEN_n`: lives an hour, so it is good for the first start alone.
    File(TokensFile),
    /// A new one for each registration.
    Github(Mint),
    /// None: GitHub makes a runner for each start.
    Jit(Jit),
}

/// The `.env`.
#[derive(Debug)]
pub struct TokensFile {
    /// Its path, for messages too.
    pub path: PathBuf,
    /// What systemd has read of it for this unit, where it did.
    pub credential: Option<PathBuf>,
    /// One token may serve several runners.
    pub shared: bool,
}

/// Asks GitHub for a registration token, with what this host alone knows.
pub struct Mint {
    /// Digest of what the runner is to be registered with, [`crate::runner::Registration::digest`].
    pub registration: String,
    /// Asks.
    pub ask: Box<dyn Fn() -> Result<RegistrationToken, TokenProblem>>,
    /// Ends what is left at GitHub from when this runner was ephemeral.
    pub end: EndNoted,
}

/// Why there is no token, for the journal and the entrypoint; never with the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenProblem {
    /// What is wrong; one line.
    pub cause: String,
    /// The next step; one line.
    pub hint: String,
    /// It may be over by itself: the unit tries again.
    pub passes: bool,
}

impl From<&github::Error> for TokenProblem {
    fn from(error: &github::Error) -> Self {
        Self {
            cause: error.to_string(),
            hint: error.hint().unwrap_or_else(|| "try again: runnerctl up".to_owned()),
            passes: error.is_temporary(),
        }
    }
}

/// The token of `step`; `None` where the runner needs none.
pub(super) fn token(step: &Prepare) -> Result<Option<SecretString>, TokenProblem> {
    if let TokenOrigin::Github(mint) = &step.token
        && is_registered(step, &mint.registration)
    {
        return Ok(None);
    }
    require_memory(&step.paths.token)?;
    let token = match &step.token {
        TokenOrigin::File(file) => of_file(step.runner, file)?,
        TokenOrigin::Github(mint) => {
            take_from_budget(&step.paths.registrations)?;
            SecretString::from((mint.ask)()?.expose())
        }
        TokenOrigin::Jit(_) => return Ok(None),
    };
    Ok(Some(token))
}

/// Neither token nor identity is handed over where it could reach a disk.
pub(super) fn require_memory(directory: &Path) -> Result<(), TokenProblem> {
    if host_facts::is_in_memory(directory) == Some(true) {
        return Ok(());
    }
    Err(lasting(
        format!("{} is not on a tmpfs, and a token must not reach a disk", directory.display()),
        "set paths.runtime to a place below /run",
    ))
}

/// There is an identity, made with what the runner is to have: the entrypoint will start from it.
fn is_registered(step: &Prepare, registration: &str) -> bool {
    let kept = files::read_untrusted(&step.paths.fingerprint()).unwrap_or_default();
    files::exists(&step.paths.identity_mark()) && runner::digest(&kept) == registration
}

fn lasting(cause: String, hint: &str) -> TokenProblem {
    TokenProblem { cause, hint: hint.to_owned(), passes: false }
}

fn of_file(runner: u16, file: &TokensFile) -> Result<SecretString, TokenProblem> {
    let place = file.path.display();
    let in_file = |error: &TokenError| lasting(format!("{error} in {place}"), error.hint());
    let text = files::read_tokens(file.credential.as_ref().unwrap_or(&file.path))
        .map_err(|error| lasting(format!("{} cannot be read: {error}", variable(runner)), &error.hint()))?;
    let tokens = Tokens::parse(text.expose_secret()).map_err(|errors| {
        errors.first().map_or_else(|| lasting(format!("{place} cannot be read"), ""), in_file)
    })?;
    if !file.shared
        && let Some(error) = tokens.shared(u16::MAX).iter().find(|error| error.concerns(runner))
    {
        return Err(in_file(error));
    }
    let token: &RegistrationToken = tokens.of(runner).map_err(|error| in_file(&error))?;
    Ok(SecretString::from(token.expose()))
}

/// Noted down before GitHub is asked: what is cut off counts too.
pub(super) fn take_from_budget(record: &Path) -> Result<(), TokenProblem> {
    let passing = |cause: String, hint: String| TokenProblem { cause, hint, passes: true };
    let text = files::read(record)
        .map_err(|error| passing(error.to_string(), "see that the disk works".to_owned()))?;
    let mut budget = RegistrationBudget::of_text(&text.unwrap_or_default());
    budget.take(Timestamp::now()).map_err(|until| {
        passing(
            format!("it asked GitHub for three registrations within ten minutes, and asks again at {until}"),
            "the lines above say why it needs so many".to_owned(),
        )
    })?;
    files::write(record, budget.to_text().as_bytes(), 0o600)
        .map_err(|error| passing(error.to_string(), "see that the disk is not full".to_owned()))
}

#[cfg(test)]
mod tests;
