//! How the entrypoint ended: its exit codes and what a person reads about them.

/// What to do about a version that GitHub refuses, or will before long.
pub const NEWER_IMAGE: &str = "a newer image is needed: `runnerctl update`, or where its tag names a version a newer `image` in the config and `runnerctl install-units`";

/// Why the entrypoint of a runner container ended, as told by its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunnerExit {
    /// It was asked to stop.
    Stopped,
    /// No registration token and no usable identity.
    NeedsToken,
    /// GitHub does not know the registration token (HTTP 404).
    TokenUnknown,
    /// GitHub refused the registration (HTTP 401 or 403, or no such runner group).
    Refused,
    /// A runner of this name exists and was not registered by us.
    NameTaken,
    /// GitHub holds another session of this runner.
    SessionConflict,
    /// GitHub refuses this version of the runner.
    VersionRefused,
    /// The registration was removed at GitHub; the kept identity is deleted.
    RegistrationRemoved,
    /// The health check asked for a restart.
    Unhealthy,
    /// The work folder's file system has less free space than the floor.
    NoSpace,
    /// Network, rate limit, GitHub's own errors, or a reason the listener did not give.
    Temporary,
}

/// Where the registration token of a runner comes from, for messages; never the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// It is written down.
    Variable {
        /// The variable, such as `RUNNER_TOKEN_3`.
        name: String,
        /// The file that holds it.
        file: String,
        /// Where GitHub shows a new one.
        page: String,
        /// What takes it, such as `runnerctl register 3`.
        command: String,
    },
    /// This host asks GitHub for one.
    Credential {
        /// The file that holds what it shows to GitHub.
        file: String,
    },
}

impl TokenSource {
    fn renew(&self) -> String {
        match self {
            Self::Variable { name, file, page, command } => {
                format!("get a registration token at {page} and give it to `{command}` ({name} in {file})")
            }
            Self::Credential { file } => {
                format!("see that the credential in {file} may register runners there, then restart the unit")
            }
        }
    }
}

impl RunnerExit {
    /// Every way to end, in the order of the exit codes.
    pub const ALL: [Self; 11] = [
        Self::Stopped,
        Self::NeedsToken,
        Self::TokenUnknown,
        Self::Refused,
        Self::NameTaken,
        Self::SessionConflict,
        Self::VersionRefused,
        Self::RegistrationRemoved,
        Self::Unhealthy,
        Self::NoSpace,
        Self::Temporary,
    ];

    /// The exit code of the entrypoint, hence of the container.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::NeedsToken => 64,
            Self::TokenUnknown => 65,
            Self::Refused => 66,
            Self::NameTaken => 67,
            Self::SessionConflict => 70,
            Self::VersionRefused => 71,
            Self::RegistrationRemoved => 72,
            Self::Unhealthy => 73,
            Self::NoSpace => 74,
            Self::Temporary => 75,
        }
    }

    /// The meaning of an exit code; `None` for one that is the engine's (125…127, 128 + signal) or unknown.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// Whether starting again cannot help until somebody changes something.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        match self {
            Self::NeedsToken
            | Self::TokenUnknown
            | Self::Refused
            | Self::NameTaken
            | Self::VersionRefused => true,
            Self::Stopped
            | Self::SessionConflict
            | Self::RegistrationRemoved
            | Self::Unhealthy
            | Self::NoSpace
            | Self::Temporary => false,
        }
    }

    /// The codes for `RestartPreventExitStatus=`. Where the host asks GitHub for tokens, another one may be all that was needed.
    pub fn restart_prevented(host_gets_tokens: bool) -> impl Iterator<Item = u8> {
        let is_renewed = move |exit: &Self| host_gets_tokens && *exit == Self::TokenUnknown;
        Self::ALL.into_iter().filter(move |exit| exit.needs_a_person() && !is_renewed(exit)).map(Self::code)
    }

    /// What happened, in one sentence without a full stop.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Stopped => "asked to stop",
            Self::NeedsToken => "it needs a registration token",
            Self::TokenUnknown => {
                "GitHub does not know the registration token: it expired (they live 1 hour) or was issued for another URL"
            }
            Self::Refused => "GitHub refused the registration",
            Self::NameTaken => "a runner of this name exists at GitHub and is not ours",
            Self::SessionConflict => "GitHub holds another session of this runner",
            Self::VersionRefused => "GitHub refuses this version of the runner: it is deprecated",
            Self::RegistrationRemoved => {
                "the registration was removed at GitHub; the kept identity is deleted"
            }
            Self::Unhealthy => "the health check asked for a restart",
            Self::NoSpace => "no space: the disk has less free than free_disk_min",
            Self::Temporary => {
                "a temporary failure: network, rate limit, GitHub itself, or the listener ended"
            }
        }
    }

    /// What to do next; `None` when there is nothing to do.
    #[must_use]
    pub fn next_step(self, token: &TokenSource) -> Option<String> {
        Some(match self {
            Self::Stopped => return None,
            Self::NeedsToken | Self::TokenUnknown => token.renew(),
            Self::Refused => {
                format!("check that self-hosted runners are allowed there, and the runner group; else {}", token.renew())
            }
            Self::NameTaken => {
                "if that runner is another host's, choose another name_prefix for one of the two; if it is dead, remove it at GitHub, or set replace = true".to_owned()
            }
            Self::SessionConflict => {
                "restarted by itself; look for a second runner with the same identity if this repeats"
                    .to_owned()
            }
            Self::VersionRefused => NEWER_IMAGE.to_owned(),
            Self::RegistrationRemoved => match token {
                TokenSource::Variable { .. } => format!("to register again, {}", token.renew()),
                TokenSource::Credential { .. } => "it registers again by itself".to_owned(),
            },
            Self::NoSpace => {
                "free some disk space (`runnerctl prune` frees what is over its budget), or lower prune.free_disk_min; it goes on by itself"
                    .to_owned()
            }
            Self::Unhealthy | Self::Temporary => {
                "restarted by itself; read its log if this repeats".to_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

    use super::{RunnerExit, TokenSource};
    use crate::runner::ENTRYPOINT;

    #[test]
    fn codes_round_trip() {
        for exit in RunnerExit::ALL {
            assert_eq!(RunnerExit::from_code(i32::from(exit.code())), Some(exit));
        }
        assert_eq!(RunnerExit::from_code(137), None);
    }

    #[test]
    fn systemd_leaves_alone_what_needs_a_person() {
        assert_eq!(RunnerExit::restart_prevented(false).collect::<Vec<_>>(), [64, 65, 66, 67, 71]);
        assert_eq!(RunnerExit::restart_prevented(true).collect::<Vec<_>>(), [64, 66, 67, 71]);
    }

    #[test]
    fn the_entrypoint_ends_with_exactly_these_codes() {
        let used: std::collections::BTreeSet<u8> = ENTRYPOINT
            .split(|c: char| c.is_whitespace() || c == '(')
            .zip(ENTRYPOINT.split(|c: char| c.is_whitespace() || c == '(').skip(1))
            .filter(|(word, _)| *word == "fail")
            .filter_map(|(_, code)| code.parse().ok())
            .collect();
        let known = RunnerExit::ALL.into_iter().map(RunnerExit::code).filter(|code| *code != 0).collect();
        assert_eq!(used, known);
    }

    #[test]
    fn what_is_about_the_token_names_the_page_the_command_the_variable_and_the_file() {
        let file = "/etc/homelab-runners/.env".to_owned();
        let page = "https://github.com/acme/shop/settings/actions/runners/new".to_owned();
        let command = "runnerctl register 3".to_owned();
        let token = TokenSource::Variable { name: "RUNNER_TOKEN_3".to_owned(), file, page, command };
        for exit in [RunnerExit::NeedsToken, RunnerExit::TokenUnknown, RunnerExit::RegistrationRemoved] {
            let step = exit.next_step(&token).unwrap();
            for part in [
                "RUNNER_TOKEN_3 in /etc/homelab-runners/.env",
                "`runnerctl register 3`",
                "/settings/actions/runners/new",
            ] {
                assert!(step.contains(part), "{part}: {step}");
            }
        }
        assert_eq!(RunnerExit::Stopped.next_step(&token), None);
    }
}
