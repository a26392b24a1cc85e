//! `RUNNER_TOKEN_1` … `RUNNER_TOKEN_N` from the text of a `.env`.
//!
//! No message of this module holds a value or a line of the file: dotenvy's own errors do, so they are never shown.

mod rewrite;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

pub use rewrite::with_token;

use super::credential::RegistrationToken;

/// Why a token cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A line that is neither `NAME=value` nor a comment.
    #[error("line {line} is not NAME=value")]
    Malformed {
        /// 1-based; 0 where the line cannot be told.
        line: usize,
    },
    /// The variable is not there.
    #[error("{variable} is not set")]
    Missing {
        /// `RUNNER_TOKEN_n`
        variable: String,
    },
    /// The variable is there, without a value.
    #[error("{variable} is empty")]
    Empty {
        /// `RUNNER_TOKEN_n`
        variable: String,
    },
    /// The value cannot be a token of GitHub's.
    #[error("{variable} is no registration token: it has characters that no token of GitHub's has")]
    Unlikely {
        /// `RUNNER_TOKEN_n`
        variable: String,
    },
    /// The variable is assigned twice.
    #[error("{variable} is set twice")]
    SetTwice {
        /// `RUNNER_TOKEN_n`
        variable: String,
    },
    /// The variable stands in a place that cannot be written without touching others.
    #[error("{variable} is part of another value")]
    Entangled {
        /// `RUNNER_TOKEN_n`
        variable: String,
    },
    /// Two runners would register with one token.
    #[error("{first} and {second} hold the same token")]
    Same {
        /// The lower one.
        first: String,
        /// The higher one.
        second: String,
    },
}

impl TokenError {
    /// Is runner `number` among those that the error is about?
    #[must_use]
    pub fn concerns(&self, number: u16) -> bool {
        let own = variable(number);
        match self {
            Self::Malformed { .. } => true,
            Self::Missing { variable }
            | Self::Empty { variable }
            | Self::Unlikely { variable }
            | Self::SetTwice { variable }
            | Self::Entangled { variable } => *variable == own,
            Self::Same { first, second } => *first == own || *second == own,
        }
    }

    /// The next step.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "write one NAME=value a line; comments begin with #",
            Self::Missing { .. } | Self::Empty { .. } => {
                "add a fresh registration token (GitHub: Settings, Actions, Runners, New self-hosted runner)"
            }
            Self::Unlikely { .. } => "copy the token again; it is made of letters, digits, - and _",
            Self::SetTwice { .. } => "remove one of the two lines",
            Self::Entangled { .. } => "write it on a line of its own by hand, as NAME=value",
            Self::Same { .. } => "give each runner its own token, or set shared_token = true in the config",
        }
    }
}

/// The name of runner `number`'s variable.
#[must_use]
pub fn variable(number: u16) -> String {
    format!("RUNNER_TOKEN_{number}")
}

/// The tokens of a `.env`.
#[derive(Default)]
pub struct Tokens(BTreeMap<u16, Result<RegistrationToken, TokenError>>);

impl Tokens {
    /// Reads the text of a `.env`; variables of other names are not looked at.
    ///
    /// # Errors
    /// Lines that cannot be read and variables that are set twice, all of them.
    pub fn parse(text: &str) -> Result<Self, Vec<TokenError>> {
        let mut tokens = BTreeMap::new();
        let mut errors = Vec::new();
        for item in dotenvy::from_read_iter(text.as_bytes()) {
            let (name, value) = match item {
                Ok(pair) => pair,
                Err(error) => {
                    errors.push(TokenError::Malformed { line: line_of(text, &error) });
                    continue;
                }
            };
            let Some(number) = name.strip_prefix("RUNNER_TOKEN_").and_then(|digits| digits.parse().ok())
            else {
                continue;
            };
            let value = SecretString::from(value);
            if tokens.insert(number, token(number, value)).is_some() {
                errors.push(TokenError::SetTwice { variable: variable(number) });
            }
        }
        if errors.is_empty() { Ok(Self(tokens)) } else { Err(errors) }
    }

    /// The token of runner `number`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn of(&self, number: u16) -> Result<&RegistrationToken, TokenError> {
        match self.0.get(&number) {
            Some(Ok(token)) => Ok(token),
            Some(Err(error)) => Err(error.clone()),
            None => Err(TokenError::Missing { variable: variable(number) }),
        }
    }

    /// Tokens that stand in more than one variable of runners 1 to `count`.
    #[must_use]
    pub fn shared(&self, count: u16) -> Vec<TokenError> {
        let mut first_of: BTreeMap<&str, u16> = BTreeMap::new();
        let mut shared = Vec::new();
        for (number, token) in self.0.range(1..=count) {
            let Ok(token) = token else { continue };
            if let Some(first) = first_of.get(token.expose()) {
                shared.push(TokenError::Same { first: variable(*first), second: variable(*number) });
            } else {
                first_of.insert(token.expose(), *number);
            }
        }
        shared
    }
}

fn token(number: u16, value: SecretString) -> Result<RegistrationToken, TokenError> {
    let variable = variable(number);
    if value.expose_secret().trim().is_empty() {
        return Err(TokenError::Empty { variable });
    }
    RegistrationToken::copied(value).ok_or(TokenError::Unlikely { variable })
}

/// The 1-based number of the line that dotenvy complains about.
fn line_of(text: &str, error: &dotenvy::Error) -> usize {
    let dotenvy::Error::LineParse(complained, _) = error else { return 0 };
    // dotenvy hands back the line or, where the value is at fault, the value alone.
    let first = complained.lines().next().unwrap_or_default();
    text.lines().position(|line| line.contains(first)).map_or(0, |at| at + 1)
}
