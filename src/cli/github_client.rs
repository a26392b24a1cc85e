//! GitHub's API, as the config says.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::context::{Context, block_on};
use super::failure::Failure;
use crate::apply::notes;
use crate::config::{Config, Github, GithubUrl, Proxy, RegistrationToken};
use crate::files::{self, Root, SecretKind};
use crate::fleet::names;
use crate::github::{Client, Connection, Credential};
use crate::programs;
use crate::runner::Notes;
use crate::unit_step::{self, NotMade, Renewed, TokenProblem, Wanted};

/// Where the credential is.
#[derive(Clone)]
pub(super) enum Place {
    /// In the file that the config names, encrypted where the config says so.
    File(PathBuf),
    /// systemd has read it for this unit, and decrypted it.
    Loaded(PathBuf),
}

/// A client for the fleet; `None` where the config has no credential for it.
///
/// # Errors
/// The credential or the certificates cannot be read or used.
pub(super) fn of(context: &Context) -> Result<Option<Client>, Failure> {
    let fleet = &context.fleet;
    let credential = context.root.at(&fleet.layout.credential_file);
    client(&fleet.url, &fleet.github, &fleet.proxy, &Place::File(credential))
}

/// The same for a unit that systemd has handed the credential to.
///
/// # Errors
/// The credential or the certificates cannot be read or used.
pub(super) fn of_unit(context: &Context) -> Result<Option<Client>, Failure> {
    let fleet = &context.fleet;
    if !fleet.github.has_api() {
        return Ok(None);
    }
    let credential = Place::Loaded(super::unit_step::credential(names::GITHUB_CREDENTIAL)?);
    client(&fleet.url, &fleet.github, &fleet.proxy, &credential)
}

/// Can the credential be used, as far as it can be told without asking GitHub? Below a `--root` it may be still to come.
///
/// # Errors
/// Why not.
pub(super) fn check(context: &Context) -> Result<(), Failure> {
    let fleet = &context.fleet;
    // What another host has encrypted, this one cannot read.
    let is_to_come = context.root != Root::host()
        && (fleet.github.encrypted || !files::exists(&context.root.at(&fleet.layout.credential_file)));
    if is_to_come { Ok(()) } else { of(context).map(drop) }
}

/// Why this command needs one, where there is none.
pub(super) fn none(what: &str) -> Failure {
    Failure::new(
        format!("{what} asks GitHub, and the config has no credential for that"),
        "set github.credential to \"pat\" or \"app\"",
    )
}

/// Asks GitHub for a registration token, as the config at `config` says, with what is in `credential`.
///
/// # Errors
/// Why there is none.
pub(super) fn registration_token(
    config: &Path,
    credential: &Place,
) -> Result<RegistrationToken, TokenProblem> {
    let client = of_config(config, credential).map_err(lasting)?;
    let asked = block_on(async { Ok(client.registration_token().await) }).map_err(lasting)?;
    asked.map(|expiring| expiring.token).map_err(|error| TokenProblem::from(&error))
}

fn lasting(failure: Failure) -> TokenProblem {
    TokenProblem { cause: failure.message, hint: failure.hint.unwrap_or_default(), passes: false }
}

/// Makes a runner for one workflow job, and ends meanwhile what is noted of earlier ones.
pub(super) fn renew(config: &Path, credential: &Place, wanted: &Wanted, old: &Notes, name: &str) -> Renewed {
    let asked = of_config(config, credential)
        .and_then(|client| block_on(async { Ok(unit_step::renew(&client, wanted, old, name).await) }));
    asked.unwrap_or_else(|failure| Renewed {
        left: old.clone(),
        made: Err(NotMade::Refused(lasting(failure))),
    })
}

/// Ends noted runners; returns those that stay. Where GitHub cannot be asked, that is all of them.
pub(super) fn end_noted(config: &Path, credential: &Place, notes: &Notes) -> Notes {
    let ended = of_config(config, credential)
        .and_then(|client| block_on(async { Ok(notes::end_all(&client, notes).await) }));
    ended.unwrap_or_else(|_| notes.clone())
}

fn of_config(path: &Path, credential: &Place) -> Result<Client, Failure> {
    let place = path.display();
    let text = files::read(path)?.ok_or_else(|| {
        Failure::new(format!("{place} does not exist"), "run `runnerctl install-units` again with the config")
    })?;
    let config = Config::parse(&text)
        .map_err(|_| Failure::new(format!("the config {place} is not good"), "run `runnerctl check`"))?;
    client(&config.url, &config.github, &config.proxy, credential)?.ok_or_else(|| none("this unit"))
}

fn client(
    url: &GithubUrl,
    github: &Github,
    proxy: &Proxy,
    credential: &Place,
) -> Result<Option<Client>, Failure> {
    let Some(credential) = read_credential(github, credential)? else { return Ok(None) };
    let ca_pem = match &proxy.ca_file {
        Some(file) => Some(files::read(file.as_path())?.ok_or_else(|| {
            Failure::new(
                format!("proxy.ca_file {} does not exist", file.as_path().display()),
                "correct it, or remove it",
            )
        })?),
        None => None,
    };
    let connection = Connection::new(proxy.clone(), ca_pem);
    Ok(Some(Client::new(url, &github.api_url, credential, &connection)?))
}

fn read_credential(github: &Github, place: &Place) -> Result<Option<Credential>, Failure> {
    if !github.has_api() {
        return Ok(None);
    }
    let (path, text) = match place {
        Place::File(path) if github.encrypted => {
            let search = std::env::var_os("PATH");
            (path, programs::decrypt_credential(names::GITHUB_CREDENTIAL, path, search.as_deref())?)
        }
        Place::File(path) | Place::Loaded(path) => (path, files::read_secret(path, SecretKind::Credential)?),
    };
    Credential::of(github, text.expose_secret())
        .map_err(|error| Failure::new(format!("{} {error}", path.display()), error.hint()))
}
