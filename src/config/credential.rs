//! What this host shows to GitHub, and what GitHub hands out for it: every type that holds such a secret.
//!
//! None has `Debug`, `Display`, `Clone` or `Serialize`, and all are wiped from memory when dropped. No message of this module holds
//! anything of the text it is about.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// More than any token of GitHub's has: those of installations have a few hundred characters.
const LONGEST_TOKEN: usize = 4096;

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        pub struct $name(SecretString);

        impl $name {
            /// The secret itself, for the one place that it is shown to.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }
    )+};
}

secrets! {
    /// A registration token: whoever has it can register a runner within the hour that it lives.
    RegistrationToken
    /// A removal token: whoever has it can remove a runner within the hour that it lives.
    RemovalToken
    /// A personal access token: whoever has it can do what its owner allowed it to do.
    PersonalAccessToken
    /// The private key of a GitHub App, in PEM: whoever has it can do what the App may do, wherever it is installed.
    AppKey
    /// What GitHub gives an App for an hour.
    InstallationToken
    /// A JIT config: whoever has it can be the one runner that it was made for.
    JitConfig
    /// The token of a webhook: whoever has it can send messages there.
    NotifyToken
}

/// Why a text is no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Nothing but blanks.
    #[error("is empty")]
    Empty,
    /// It has characters that no token has, or is too long.
    #[error("is no token: it has characters that no token of GitHub's has")]
    UnlikelyToken,
    /// A private key where a token belongs.
    #[error("has a private key, not a personal access token")]
    KeyForToken,
    /// There is no private key in it.
    #[error("has no RSA private key in PEM")]
    NoKey,
    /// The key has a passphrase.
    #[error("has a private key with a passphrase")]
    LockedKey,
}

impl CredentialError {
    /// The next step.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Empty => "put the personal access token, or the App's private key, into it",
            Self::UnlikelyToken => {
                "it has to hold the token and nothing else; copy it again (ghp_… or github_pat_…)"
            }
            Self::KeyForToken => "set credential = \"app\" in [github], or put the token into the file",
            Self::NoKey => {
                "download the key again (GitHub: the App's settings, General, Private keys); it begins with -----BEGIN RSA PRIVATE KEY-----"
            }
            Self::LockedKey => "take the passphrase off: openssl rsa -in KEY -out FILE",
        }
    }
}

/// Loose on purpose, since GitHub changes the form; but what is no token must not reach a header, a command line or a log.
fn is_likely_token(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

impl PersonalAccessToken {
    /// The token that is all of `text`, blanks around it left out.
    ///
    /// # Errors
    /// It is no token.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        match text.trim() {
            "" => Err(CredentialError::Empty),
            text if text.starts_with("-----BEGIN") => Err(CredentialError::KeyForToken),
            text if is_likely_token(text, LONGEST_TOKEN) => Ok(Self(text.into())),
            _ => Err(CredentialError::UnlikelyToken),
        }
    }
}

impl AppKey {
    /// The key in `text`, PKCS#1 or PKCS#8 in PEM. Only its outer form is looked at.
    ///
    /// # Errors
    /// There is no key in it, or one that cannot be used.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let has = |words: &str| text.contains(words);
        if text.trim().is_empty() {
            Err(CredentialError::Empty)
        } else if has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED") {
            Err(CredentialError::LockedKey)
        } else if has("-----BEGIN RSA PRIVATE KEY-----") || has("-----BEGIN PRIVATE KEY-----") {
            Ok(Self(text.into()))
        } else {
            Err(CredentialError::NoKey)
        }
    }
}

/// Tokens that GitHub answers with: `None` where the text cannot be one, whatever it is.
macro_rules! from_github {
    ($($name:ident)+) => {$(
        impl $name {
            /// What GitHub answered with; `None` where it cannot be one.
            #[must_use]
            pub fn from_github(text: SecretString) -> Option<Self> {
                is_likely_token(text.expose_secret(), LONGEST_TOKEN).then_some(Self(text))
            }
        }
    )+};
}

from_github!(RegistrationToken RemovalToken InstallationToken);

impl RegistrationToken {
    /// A token that was copied by hand; `None` where it cannot be one.
    #[must_use]
    pub fn copied(text: SecretString) -> Option<Self> {
        is_likely_token(text.expose_secret(), 1024).then_some(Self(text))
    }
}

impl NotifyToken {
    /// The token that is all of `text`, blanks around it left out; `None` where it cannot be one (RFC 6750, section 2.1).
    #[must_use]
    pub fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret().trim();
        let is_one = (1..=LONGEST_TOKEN).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/=".contains(c));
        is_one.then(|| Self(text.into()))
    }
}

impl JitConfig {
    /// What GitHub answered with, Base64; `None` where it cannot be one.
    #[must_use]
    pub fn from_github(text: SecretString) -> Option<Self> {
        let inner = text.expose_secret();
        let is_base64 = inner.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c));
        (is_base64 && !inner.is_empty()).then_some(Self(text))
    }

    /// The files that GitHub's runner makes of it in its root, Runner.cs of actions/runner.
    ///
    /// # Errors
    /// It is no such thing, or has no whole identity in it.
    pub fn files(&self) -> Result<Vec<JitFile>, NotJit> {
        let decode = |text: &str| {
            let bytes = STANDARD.decode(text.trim()).map_err(|_| NotJit)?;
            String::from_utf8(bytes).map(SecretString::from).map_err(|_| NotJit)
        };
        let inner = decode(self.expose())?;
        let named: BTreeMap<String, SecretText> =
            serde_json::from_str(inner.expose_secret()).map_err(|_| NotJit)?;
        let file = |(name, text): (String, SecretText)| {
            let text = decode(text.0.expose_secret())?;
            let has_object = text.expose_secret().trim_end().ends_with('}');
            (is_file_of_the_runner(&name) && has_object).then_some(JitFile { name, text }).ok_or(NotJit)
        };
        let files = named.into_iter().map(file).collect::<Result<Vec<JitFile>, NotJit>>()?;
        let has = |name: &&str| files.iter().any(|file| file.name == *name);
        if IDENTITY.iter().all(has) { Ok(files) } else { Err(NotJit) }
    }
}

/// Without these there is no identity, ConfigurationStore.cs of actions/runner.
const IDENTITY: [&str; 3] = [".runner", ".credentials", ".credentials_rsaparams"];

/// One hidden file of the runner's root, and no way out of it.
fn is_file_of_the_runner(name: &str) -> bool {
    let inner = name.strip_prefix('.').unwrap_or_default();
    (1..=60).contains(&inner.len()) && inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A value on its way out of JSON.
#[derive(serde::Deserialize)]
struct SecretText(#[serde(deserialize_with = "secret_text")] SecretString);

fn secret_text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    <String as serde::Deserialize>::deserialize(from).map(SecretString::from)
}

/// A file of a runner's identity that GitHub has made.
pub struct JitFile {
    /// Its name, such as `.runner`.
    pub name: String,
    /// All of it.
    pub text: SecretString,
}

/// What GitHub answered with is no JIT config; never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("GitHub's JIT config is not one that this version can read")]
pub struct NotJit;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const CANARY: &str = "ghp_CANARYcanaryCANARYcanary";

    #[test]
    fn a_personal_access_token_may_have_blanks_around_it() {
        let token = PersonalAccessToken::parse(&format!("  {CANARY}\r\n")).ok().unwrap();
        assert_eq!(token.expose(), CANARY);
    }

    #[test]
    fn what_is_no_credential_is_refused_without_showing_it() {
        let key = |kind: &str| format!("-----BEGIN {kind}-----\n{CANARY}\n-----END {kind}-----\n");
        for (text, as_token, as_key) in [
            (" \n".to_owned(), CredentialError::Empty, CredentialError::Empty),
            (format!("token: {CANARY}"), CredentialError::UnlikelyToken, CredentialError::NoKey),
            (format!("{CANARY}\n{CANARY}"), CredentialError::UnlikelyToken, CredentialError::NoKey),
            (key("CERTIFICATE"), CredentialError::KeyForToken, CredentialError::NoKey),
            (key("OPENSSH PRIVATE KEY"), CredentialError::KeyForToken, CredentialError::NoKey),
            (key("ENCRYPTED PRIVATE KEY"), CredentialError::KeyForToken, CredentialError::LockedKey),
        ] {
            let token = PersonalAccessToken::parse(&text).err().unwrap();
            let key = AppKey::parse(&text).err().unwrap();
            assert_eq!((token, key), (as_token, as_key));
            let shown = format!("{token} {token:?} {} {key} {key:?} {}", token.hint(), key.hint());
            assert!(!shown.contains("CANARY"), "{shown}");
        }
        for kind in ["RSA PRIVATE KEY", "PRIVATE KEY"] {
            assert!(AppKey::parse(&key(kind)).is_ok(), "{kind}");
        }
    }

    #[test]
    fn answers_that_are_no_tokens_are_not_taken_for_any() {
        let long = format!("ghs_{}", "a1.b-c_d".repeat(100));
        assert!(InstallationToken::from_github(long.into()).is_some());
        for text in ["", "a b", "a\r\nX-Evil: 1", "<html>"] {
            assert!(RegistrationToken::from_github(text.into()).is_none(), "{text:?}");
            assert!(JitConfig::from_github(text.into()).is_none(), "{text:?}");
        }
        assert!(JitConfig::from_github("eyJh+/==".into()).is_some());
    }

    /// What GitHub would answer with for these files.
    fn jit(files: &[(&str, &str)]) -> JitConfig {
        let files: BTreeMap<&str, String> =
            files.iter().map(|(name, text)| (*name, STANDARD.encode(text))).collect();
        JitConfig::from_github(STANDARD.encode(serde_json::to_string(&files).unwrap()).into()).unwrap()
    }

    #[test]
    fn a_jit_config_is_the_files_that_the_runner_would_make_of_it() {
        let runner = "\u{feff}{\n  \"agentId\": 7\n}\n";
        let files = [
            (".runner", runner),
            (".credentials", "{}"),
            (".credentials_rsaparams", "{\"d\":\"x\"}"),
            (".new_one", "{}"),
        ];
        let read = jit(&files).files().ok().unwrap();
        let read: BTreeMap<&str, &str> =
            read.iter().map(|file| (file.name.as_str(), file.text.expose_secret())).collect();
        assert_eq!(read, files.into_iter().collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn a_jit_config_that_is_cut_or_leads_out_of_the_runners_root_is_none() {
        let whole = [(".runner", "{}"), (".credentials", "{}"), (".credentials_rsaparams", "{}")];
        assert!(jit(&whole).files().is_ok());
        assert!(jit(&whole[..2]).files().is_err());
        for name in ["..", ".", "", "./a", "../.runner", "/etc/passwd", ".a/b", ".env x", ".\u{0}", "run.sh"]
        {
            let files: Vec<(&str, &str)> = whole.into_iter().chain([(name, "{}")]).collect();
            assert!(jit(&files).files().is_err(), "{name:?}");
        }
        let cut: Vec<(&str, &str)> =
            [(".runner", "{\"agentId\": 7")].into_iter().chain(whole.into_iter().skip(1)).collect();
        assert!(jit(&cut).files().is_err());
        for text in ["eyJh", "====", "bm8ganNvbg==", "W10=", "eyIucnVubmVyIjogNX0="] {
            assert!(
                JitConfig::from_github(text.into()).is_some_and(|config| config.files().is_err()),
                "{text}"
            );
        }
    }
}
