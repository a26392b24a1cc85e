//! How this host itself speaks to GitHub: `[github]`.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::collect::bare;
use super::problem::Problems;
use super::raw::RawGithub;
use super::url::{ApiUrl, GithubUrl, RunnerScope};
use super::words::AbsolutePath;

/// What this host may show to GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// The registration tokens of the tokens file, each good for an hour; GitHub's REST API is not used.
    #[default]
    RegistrationToken,
    /// A personal access token, classic or fine-grained.
    Pat,
    /// The private key of a GitHub App.
    App,
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RegistrationToken => "registration-token",
            Self::Pat => "pat",
            Self::App => "app",
        })
    }
}

/// With what, and where, this host speaks to GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Github {
    /// What it shows.
    pub credential: CredentialKind,
    /// The file with the token or the key; `None`: the default of the scope (system or user).
    pub credential_file: Option<AbsolutePath>,
    /// That file was encrypted by systemd-creds(1); only with a credential other than registration tokens.
    pub encrypted: bool,
    /// Client id, or app id, of the GitHub App; `Some` with [`CredentialKind::App`] alone, and always then.
    pub client_id: Option<String>,
    /// The App's installation; `None`: GitHub is asked which one the url has.
    pub installation_id: Option<u64>,
    /// Where the REST API is.
    pub api_url: ApiUrl,
}

impl Github {
    /// Can this host ask GitHub for tokens and runners?
    #[must_use]
    pub fn has_api(&self) -> bool {
        self.credential != CredentialKind::RegistrationToken
    }
}

/// Checks `raw` as a whole, for runners that register at `url`.
pub(super) fn validate(raw: &RawGithub, url: Option<&GithubUrl>, problems: &mut Problems) -> Option<Github> {
    // Of a word that is unknown nobody can say what contradicts it.
    if problems.iter().all(|problem| problem.key != "github.credential") {
        check_kind(raw, url, problems);
    }
    check_client_id(raw.client_id.as_ref(), problems);
    let installation_id = installation_id(raw.installation_id.as_ref(), problems);
    Some(Github {
        credential: bare(raw.credential.as_ref()).unwrap_or_default(),
        credential_file: bare(raw.credential_file.as_ref()),
        encrypted: bare(raw.encrypted.as_ref()).unwrap_or(false),
        client_id: bare(raw.client_id.as_ref()),
        installation_id,
        api_url: raw.api_url.clone().or_else(|| url.map(ApiUrl::of))?,
    })
}

/// What goes with which credential.
fn check_kind(raw: &RawGithub, url: Option<&GithubUrl>, problems: &mut Problems) {
    let kind = bare(raw.credential.as_ref()).unwrap_or_default();
    let credential_span = raw.credential.as_ref().map(Spanned::span);
    if kind != CredentialKind::App {
        let of_apps = [
            ("github.client_id", raw.client_id.as_ref().map(Spanned::span)),
            ("github.installation_id", raw.installation_id.as_ref().map(Spanned::span)),
        ];
        for (key, span) in of_apps.into_iter().filter(|(_, span)| span.is_some()) {
            let message = format!("belongs to a GitHub App, and the credential is \"{kind}\"");
            problems.add(span, key, message, "remove it, or set credential = \"app\"");
        }
    } else if raw.client_id.is_none() {
        problems.add(
            credential_span.clone(),
            "github.credential",
            "\"app\" needs the App's client_id".to_owned(),
            "add client_id = \"…\" (GitHub: the App's settings, General, Client ID)",
        );
    }
    if let (CredentialKind::RegistrationToken, Some(file)) = (kind, &raw.credential_file) {
        problems.add(
            Some(file.span()),
            "github.credential_file",
            "is not read: the credential is \"registration-token\"".to_owned(),
            "remove it, or set credential = \"pat\" or \"app\"; the file of registration tokens is paths.tokens",
        );
    }
    if let (CredentialKind::RegistrationToken, Some(true), Some(flag)) =
        (kind, bare(raw.encrypted.as_ref()), &raw.encrypted)
    {
        problems.add(
            Some(flag.span()),
            "github.encrypted",
            "there is nothing to decrypt: the credential is \"registration-token\"".to_owned(),
            "remove it, or set credential = \"pat\" or \"app\"; registration tokens live an hour and are kept in plain text",
        );
    }
    let is_enterprise = url.is_some_and(|url| url.scope() == RunnerScope::Enterprise);
    if kind == CredentialKind::App && is_enterprise {
        problems.add(
            credential_span,
            "github.credential",
            "GitHub Apps cannot register runners of an enterprise".to_owned(),
            "set credential = \"pat\", or give the url of an organisation",
        );
    }
}

fn check_client_id(client_id: Option<&Spanned<String>>, problems: &mut Problems) {
    let Some(client_id) = client_id else { return };
    let text = client_id.get_ref();
    let good = (1..=100).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !good {
        let hint = "allowed: the App's client id such as \"Iv23liAbCdEf\", or its app id such as \"12345\"";
        problems.add(Some(client_id.span()), "github.client_id", format!("{text:?} is no client id"), hint);
    }
}

fn installation_id(raw: Option<&Spanned<i64>>, problems: &mut Problems) -> Option<u64> {
    let raw = raw?;
    let number = u64::try_from(*raw.get_ref()).ok().filter(|number| *number > 0);
    if number.is_none() {
        let message = format!("{} is no installation id", raw.get_ref());
        let hint = "allowed: the number at the end of the installation's address at GitHub";
        problems.add(Some(raw.span()), "github.installation_id", message, hint);
    }
    number
}
