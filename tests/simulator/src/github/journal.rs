//! The record of requests. It keeps what was asked, never a secret: those are masked before an entry is made.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::clock::Moment;

/// What stands in a secret's place.
const MASK: &str = "***";
/// The oldest entries are dropped beyond this number.
const CAPACITY: usize = 20_000;
/// Bodies are kept up to this length.
const BODY_LENGTH: usize = 16 * 1024;
/// Fields that hold a secret whatever their form.
const SECRET_FIELDS: &[&str] =
    &["token", "access_token", "client_assertion", "pat", "password", "private_key", "encoded_jit_config"];
/// How GitHub's tokens begin, and how many characters more make it one.
const TOKEN_PREFIXES: &[&str] = &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "eyJ"];
const TOKEN_MINIMUM: usize = 16;
const REGISTRATION_TOKEN_LENGTH: usize = 29;
/// How many bytes of a hash make a fingerprint: enough to tell credentials apart, too few to be one.
const FINGERPRINT_LENGTH: usize = 6;

/// One request. The status stays `null` when no answer was given: a poll still open, a connection cut.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    #[serde(skip)]
    number: u64,
    at: String,
    method: String,
    path: String,
    status: Option<u16>,
    authorization_kind: Option<String>,
    /// A fingerprint, so that one can see whether requests used the same credential.
    credential: Option<String>,
    user_agent: Option<String>,
    /// The version of the REST API that the client chose.
    api_version: Option<String>,
    body: String,
}

/// The request as it came, with secrets.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) method: &'a str,
    pub(crate) path_and_query: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) api_version: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// The entries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    last_number: u64,
}

impl Journal {
    /// Enters a request and returns the number under which its status is noted later.
    pub(crate) fn enter(&mut self, at: Moment, observed: &Observed<'_>) -> u64 {
        self.last_number += 1;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry {
            number: self.last_number,
            at: at.to_string(),
            method: observed.method.to_owned(),
            path: mask_text(observed.path_and_query),
            status: None,
            authorization_kind: observed.authorization.map(authorization_kind),
            credential: observed.authorization.and_then(fingerprint),
            user_agent: observed.user_agent.map(mask_text),
            api_version: observed.api_version.map(mask_text),
            body: mask_body(observed.body),
        });
        self.last_number
    }

    pub(crate) fn note_status(&mut self, number: u64, status: u16) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.number == number) {
            entry.status = Some(status);
        }
    }

    pub(crate) fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }
}

/// The scheme only, and only if it looks like one: a bare token must not be taken for it.
fn authorization_kind(authorization: &str) -> String {
    match authorization.split_once(' ') {
        Some((scheme, _)) if scheme.len() <= TOKEN_MINIMUM => scheme.to_owned(),
        _ => MASK.to_owned(),
    }
}

/// The fingerprint of the credential behind the scheme; a bare one counts too.
fn fingerprint(authorization: &str) -> Option<String> {
    let credential = authorization.split_once(' ').map_or(authorization, |(_, credential)| credential).trim();
    let hex = |digits, byte: &u8| format!("{digits}{byte:02x}");
    (!credential.is_empty())
        .then(|| Sha256::digest(credential).iter().take(FINGERPRINT_LENGTH).fold(String::new(), hex))
}

fn mask_body(body: &[u8]) -> String {
    let masked = match serde_json::from_slice::<Value>(body) {
        Ok(mut json) => {
            mask_json(&mut json);
            json.to_string()
        }
        Err(_) => String::from_utf8_lossy(body).split('&').map(mask_pair).collect::<Vec<_>>().join("&"),
    };
    masked.chars().take(BODY_LENGTH).collect()
}

fn mask_json(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret_field(name) {
                    *value = MASK.into();
                } else {
                    mask_json(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_json),
        Value::String(text) => *text = mask_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Masks one `name=value` of a form.
fn mask_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if is_secret_field(name) => format!("{name}={MASK}"),
        _ => mask_text(pair),
    }
}

fn is_secret_field(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Masks every word that has the form of one of GitHub's tokens.
fn mask_text(text: &str) -> String {
    let is_word = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    let mut masked = String::with_capacity(text.len());
    for piece in text.split_inclusive(|character| !is_word(character)) {
        let word = piece.trim_end_matches(|character| !is_word(character));
        masked.push_str(if is_token(word) { MASK } else { word });
        masked.push_str(piece.strip_prefix(word).unwrap_or_default());
    }
    masked
}

fn is_token(word: &str) -> bool {
    let has_registration_token = word
        .split(|character: char| !matches!(character, 'A'..='Z' | '2'..='7'))
        .any(|run| run.len() == REGISTRATION_TOKEN_LENGTH);
    let has_prefix = TOKEN_PREFIXES.iter().any(|prefix| {
        word.find(prefix).is_some_and(|start| word.len() - start >= prefix.len() + TOKEN_MINIMUM)
    });
    has_registration_token || has_prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "LLBF3JGZDX3P5PMEXLND6TS6FCWO6";

    #[test]
    fn secrets_are_masked_in_bodies_by_name_and_by_form() {
        assert_eq!(
            mask_body(br#"{"token":"garbage","url":"http://h/o"}"#),
            r#"{"token":"***","url":"http://h/o"}"#
        );
        let nested = format!(r#"{{"steps":[{{"log":"got {TOKEN}, and ghp_0123456789abcdefXYZ"}}]}}"#);
        assert_eq!(mask_body(nested.as_bytes()), r#"{"steps":[{"log":"got ***, and ***"}]}"#);
        assert_eq!(
            mask_body(b"grant_type=client_credentials&client_assertion=a.b.c"),
            "grant_type=client_credentials&client_assertion=***"
        );
    }

    #[test]
    fn secrets_are_masked_in_paths_and_other_text_is_kept() {
        assert_eq!(mask_text(&format!("/repos/a/b?token={TOKEN}&page=1")), "/repos/a/b?token=***&page=1");
        assert_eq!(
            mask_text("/broker/message?sessionId=4f1c&os=Linux"),
            "/broker/message?sessionId=4f1c&os=Linux"
        );
    }

    #[test]
    fn only_the_scheme_of_an_authorization_is_kept() {
        assert_eq!(authorization_kind("RemoteAuth abc"), "RemoteAuth");
        assert_eq!(authorization_kind(TOKEN), "***");
    }

    #[test]
    fn a_fingerprint_is_of_the_credential_alone() {
        // printf %s abc | sha256sum
        assert_eq!(fingerprint("RemoteAuth abc").as_deref(), Some("ba7816bf8f01"));
        assert_eq!(fingerprint("Bearer abc"), fingerprint("abc"));
        assert_ne!(fingerprint("Bearer abd"), fingerprint("abc"));
        assert_eq!(fingerprint(""), None);
    }
}
