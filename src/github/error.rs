//! What can go wrong between this host and GitHub, said so that the reader knows what to do next.
//!
//! No text of this module holds a credential: what GitHub says is cut, cleaned and searched for it first.

use std::time::Duration;

use jiff::Timestamp;

/// A call that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action}: {cause}")]
pub struct Error {
    action: String,
    cause: Cause,
}

impl Error {
    pub(super) fn new(action: impl Into<String>, cause: Cause) -> Self {
        Self { action: action.into(), cause }
    }

    /// Why.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.cause.hint()
    }

    /// May the same call succeed later, without anybody mending anything?
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self.cause,
            Cause::RateLimited { .. }
                | Cause::Unavailable { .. }
                | Cause::TimedOut { .. }
                | Cause::Broken { .. }
                | Cause::Unreachable { .. }
                | Cause::UnknownHost { .. }
                | Cause::Incomplete { .. }
        )
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// 401
    #[error("GitHub does not accept {credential} (401: {said})")]
    BadCredential {
        /// What was shown, in words.
        credential: &'static str,
        /// GitHub's words.
        said: String,
    },
    /// 401, and the clocks differ by more than GitHub allows.
    #[error("this host's clock is {secs} s {} GitHub's, and so its signature is not accepted", if *is_ahead { "ahead of" } else { "behind" })]
    ClockSkew {
        /// By how much.
        secs: u64,
        /// Is ours the one that is ahead?
        is_ahead: bool,
    },
    /// 403
    #[error("GitHub does not allow it (403: {said})")]
    Forbidden {
        /// GitHub's words.
        said: String,
        /// What the credential would have to have.
        needed: String,
        /// `X-Accepted-GitHub-Permissions`
        accepted: Option<String>,
    },
    /// 404: there is nothing, or nothing that this credential may see.
    #[error("GitHub knows nothing there, or does not show it to this credential (404)")]
    NotFound {
        /// What the credential would have to have.
        needed: String,
    },
    /// 404 where an App looks for its installation.
    #[error("the GitHub App is not installed there (404)")]
    NotInstalled,
    /// 409
    #[error("GitHub says that the name is taken (409: {said})")]
    NameTaken {
        /// GitHub's words.
        said: String,
    },
    /// 422 and other refusals of what was asked for.
    #[error("GitHub refuses it ({status}: {said})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// GitHub's words.
        said: String,
    },
    /// 429, or 403 with the marks of a limit.
    #[error("GitHub's rate limit is used up{}", until.map(|until| format!(" until {until}")).unwrap_or_default())]
    RateLimited {
        /// When there will be more.
        until: Option<Timestamp>,
    },
    /// 5xx
    #[error("GitHub does not work at the moment ({status})")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// When it asks to be asked again.
        until: Option<Timestamp>,
    },
    /// It was sent, no whole answer came, and it must not be sent twice.
    #[error("the answer was lost ({reason}), and it may have been done all the same")]
    AnswerLost {
        /// How it was lost.
        reason: String,
    },
    /// Something that is not GitHub's API.
    #[error("what answers at {address} is not GitHub's API: {reason}")]
    NotGithub {
        /// Host and port.
        address: String,
        /// What came instead; never its content.
        reason: String,
    },
    /// More than any answer of GitHub's has.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// Pages are missing.
    #[error("the list ended after {got} of {total} entries")]
    Incomplete {
        /// How many came.
        got: u64,
        /// How many GitHub says there are.
        total: u64,
    },
    /// No answer in time.
    #[error("no answer from {address} within {}", humantime::format_duration(*limit))]
    TimedOut {
        /// Host and port.
        address: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The connection broke.
    #[error("the connection to {address} broke: {reason}")]
    Broken {
        /// Host and port.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// There is no connection.
    #[error("cannot connect to {address}{}: {reason}", if *has_proxy { " through the proxy" } else { "" })]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's words.
        reason: String,
        /// Is there a proxy in between?
        has_proxy: bool,
    },
    /// No address for the host, or for the proxy.
    #[error("there is no address for {host}")]
    UnknownHost {
        /// The host's name.
        host: String,
    },
    /// Certificates or TLS itself.
    #[error("no safe connection to {address}: {reason}")]
    Tls {
        /// Host and port.
        address: String,
        /// rustls' words.
        reason: String,
        /// Is it that nobody who is trusted has signed the certificate?
        is_unknown_issuer: bool,
    },
    /// A redirection that must not be followed with a credential in hand.
    #[error("GitHub sends elsewhere: {to}")]
    Redirected {
        /// Where to, without a query.
        to: String,
    },
    /// The App's key is none.
    #[error("the key of the GitHub App cannot be used: {reason}")]
    BadKey {
        /// What about it; never a part of it.
        reason: String,
    },
    /// A GitHub App for an enterprise.
    #[error("GitHub Apps cannot register runners of an enterprise")]
    AppForEnterprise,
    /// Proxy, certificates or address of the config cannot be used.
    #[error("{what} cannot be used: {reason}")]
    Setup {
        /// The key of the config.
        what: &'static str,
        /// What about it.
        reason: String,
        /// The next step.
        hint: &'static str,
    },
}

impl Cause {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::BadCredential { .. } => {
                "see that it has not expired and was not revoked, then put a new one into github.credential_file"
            }
            Self::ClockSkew { .. } => "set the clock: timedatectl set-ntp true, then timedatectl status",
            Self::Forbidden { needed, accepted, .. } => {
                let accepted = accepted.as_ref().map(|words| format!("; GitHub itself asks for {words}"));
                return Some(format!("{needed}{}", accepted.unwrap_or_default()));
            }
            Self::NotFound { needed } => {
                return Some(format!("see that url is right (repositories can be renamed); {needed}"));
            }
            Self::NotInstalled => {
                "install it there (GitHub: the App's settings, Install App), and see that url and client_id are right"
            }
            Self::NameTaken { .. } => {
                "a runner of this name exists, perhaps made by an earlier call whose answer was lost: remove it unless it is busy, then try again"
            }
            Self::AnswerLost { .. } => {
                "look for a runner of this name at GitHub and remove it unless it is busy, then try again"
            }
            Self::RateLimited { .. } => "wait; all that use the same account share one limit",
            Self::Unavailable { .. } => "try again later; https://www.githubstatus.com says more",
            Self::NotGithub { .. } => {
                "see that url and github.api_url are right, and that no proxy or login page answers instead"
            }
            Self::Incomplete { .. } => "try again",
            Self::TimedOut { .. } | Self::Broken { .. } => {
                "see that this host's network works, then try again"
            }
            Self::Unreachable { has_proxy: true, .. } => "see that [proxy] is right and that the proxy works",
            Self::Unreachable { .. } => {
                "see that this host's network works; if it needs a proxy, set [proxy]"
            }
            Self::UnknownHost { .. } => {
                "see that the name is right and that this host can resolve it (resolvectl query NAME)"
            }
            Self::Tls { is_unknown_issuer: true, .. } => {
                "if the server's certificate is from an authority of your own, set proxy.ca_file to a PEM file with all authorities to trust"
            }
            Self::Tls { .. } => {
                "see that url and github.api_url have the right host and scheme, and that this host's clock is right"
            }
            Self::Redirected { to } => {
                return Some(format!(
                    "if it was renamed or moved, set url, or github.api_url, to where it is now: {to}"
                ));
            }
            Self::BadKey { .. } => {
                "download the key again (GitHub: the App's settings, General, Private keys) into github.credential_file"
            }
            Self::AppForEnterprise => "set github.credential = \"pat\", or give the url of an organisation",
            Self::Setup { hint, .. } => hint,
            Self::Refused { .. } | Self::TooLarge { .. } => return None,
        };
        Some(text.to_owned())
    }
}
