//! What a client is made with: a secret, and who shows it.

use crate::config::{AppKey, CredentialError, CredentialKind, Github, PersonalAccessToken};

/// What this host shows to GitHub.
pub enum Credential {
    /// A personal access token.
    Pat(PersonalAccessToken),
    /// A GitHub App.
    App {
        /// Its private key.
        key: AppKey,
        /// Its client id, or its app id.
        client_id: String,
        /// Its installation; `None`: GitHub is asked which one the target has.
        installation_id: Option<u64>,
    },
}

impl Credential {
    /// What the config names, with the content of its `credential_file`; `None` where registration tokens are all there is.
    ///
    /// # Errors
    /// The text is no such credential; nothing of it is told.
    pub fn of(github: &Github, text: &str) -> Result<Option<Self>, CredentialError> {
        Ok(match github.credential {
            CredentialKind::RegistrationToken => None,
            CredentialKind::Pat => Some(Self::Pat(PersonalAccessToken::parse(text)?)),
            CredentialKind::App => Some(Self::App {
                key: AppKey::parse(text)?,
                // A config without it has a problem, and is none.
                client_id: github.client_id.clone().unwrap_or_default(),
                installation_id: github.installation_id,
            }),
        })
    }
}
