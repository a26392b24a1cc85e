//! What the entrypoint tells the host in `status/state`: a word and a sentence.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How far a runner is on its way to a session at GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// The container runs, nothing was asked of GitHub yet.
    Starting,
    /// Registering.
    Configuring,
    /// The listener runs and has no session yet.
    Connecting,
    /// There is a session: GitHub shows the runner online.
    Online,
    /// The one workflow job of an ephemeral runner has ended, and so has the runner.
    Done,
    /// The entrypoint ended or is about to, for the reason in the sentence.
    Failed,
    /// Asked to stop; a running workflow job is being cancelled.
    Stopping,
}

impl SessionState {
    const ALL: [Self; 7] = [
        Self::Starting,
        Self::Configuring,
        Self::Connecting,
        Self::Online,
        Self::Done,
        Self::Failed,
        Self::Stopping,
    ];

    /// The word in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Configuring => "configuring",
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
        }
    }
}

/// As its word.
impl Serialize for SessionState {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.word().serialize(to)
    }
}

impl fmt::Display for SessionState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

/// The content of `status/state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The word of the first line.
    pub state: SessionState,
    /// The sentence of the second line, for people; may be empty.
    pub sentence: String,
}

impl Session {
    /// Has the entrypoint ended, or is it about to?
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, SessionState::Done | SessionState::Failed)
    }
}

/// The text does not begin with one of the words of [`SessionState`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a state file begins with starting, configuring, connecting, online, done, failed or stopping")]
pub struct UnknownState;

impl FromStr for Session {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        let mut lines = text.lines();
        let word = lines.next().unwrap_or_default();
        let state = SessionState::ALL.into_iter().find(|state| state.word() == word).ok_or(UnknownState)?;
        // Whatever a container writes here ends on a terminal.
        let sentence =
            lines.next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect::<String>();
        Ok(Self { state, sentence: sentence.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Session, SessionState, UnknownState};

    #[test]
    fn word_and_sentence_are_read() {
        let text = "failed\nno registration token\n";
        let expected = Session { state: SessionState::Failed, sentence: "no registration token".to_owned() };
        assert_eq!(text.parse(), Ok(expected));
    }

    #[test]
    fn every_word_is_known_and_nothing_else() {
        for state in SessionState::ALL {
            assert_eq!(state.word().parse(), Ok(Session { state, sentence: String::new() }));
        }
        for text in ["", "\n", "Online\n", "online yes\n", "onlin"] {
            assert_eq!(text.parse::<Session>(), Err(UnknownState));
        }
    }

    #[test]
    fn a_sentence_brings_no_control_characters_to_a_terminal() {
        let session = "online\n\u{1b}[31mred\u{7}\r\n".parse::<Session>();
        assert_eq!(session.map(|s| s.sentence), Ok("[31mred".to_owned()));
    }
}
