//! Runners for one workflow job: how each is called, and what this host notes of those that it has asked for.

use super::{Session, SessionState};

/// No vowels and nothing that looks like something else: a suffix is no word.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// 14 million names; those of a runner that are registered at one time are few.
const SUFFIX_LENGTH: usize = 5;

/// The name of the next one of runner `base`: `homelab-runner-4-x7k2p`. `random` may be any number.
#[must_use]
pub fn ephemeral_name(base: &str, random: u64) -> String {
    let radix = u64::try_from(LETTERS.len()).unwrap_or(u64::MAX);
    let letter = |rest: u64| usize::try_from(rest % radix).ok().and_then(|at| LETTERS.get(at)).copied();
    let rests = std::iter::successors(Some(random), |rest| Some(rest / radix));
    let suffix = rests.take(SUFFIX_LENGTH).filter_map(letter).map(char::from);
    format!("{base}-{}", suffix.collect::<String>())
}

/// Is `name` one that [`ephemeral_name`] makes for runner `base`?
#[must_use]
pub fn is_ephemeral_name(base: &str, name: &str) -> bool {
    let suffix = name.strip_prefix(base).and_then(|rest| rest.strip_prefix('-'));
    suffix.is_some_and(|suffix| {
        suffix.len() == SUFFIX_LENGTH && suffix.bytes().all(|letter| LETTERS.contains(&letter))
    })
}

/// A runner that GitHub was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its name at GitHub.
    pub name: String,
    /// Its id there; `None` where no answer has come: there may be such a runner.
    pub id: Option<u64>,
}

/// What this host has asked GitHub for and not seen gone, the youngest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes(pub Vec<Note>);

impl Notes {
    /// Reads the file that [`Notes::to_text`] writes; a line that is none counts for nothing.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(text.lines().filter_map(Note::of_line).collect())
    }

    /// One runner a line: its name, and its id where it is known.
    #[must_use]
    pub fn to_text(&self) -> String {
        let line = |note: &Note| match note.id {
            Some(id) => format!("{} {id}\n", note.name),
            None => format!("{}\n", note.name),
        };
        self.0.iter().map(line).collect()
    }

    /// The one that GitHub has made last.
    #[must_use]
    pub fn youngest(&self) -> Option<&Note> {
        self.0.iter().rev().find(|note| note.id.is_some())
    }
}

impl Note {
    fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let name = words.next().filter(|name| is_plain(name))?.to_owned();
        let id = words.next().map(str::parse).transpose().ok()?;
        words.next().is_none().then_some(Self { name, id })
    }
}

/// A name as the config allows it; it ends on terminals and in addresses.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Did the start that left this behind do what it was for: have a workflow job, or end because it was told to? `perf` is the text of the listener's own time stamps.
#[must_use]
pub fn was_of_use(session: Option<&Session>, perf: &str) -> bool {
    let was_told = |session: &Session| matches!(session.state, SessionState::Done | SessionState::Stopping);
    session.is_some_and(was_told)
        || perf.lines().any(|line| line.starts_with("MessageReceived_RunnerJobRequest:"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_of_another_runner_or_of_a_persons_making_is_not_taken_for_one() {
        let base = "homelab-runner-4";
        for name in [
            base,
            "homelab-runner-4-",
            "homelab-runner-4-x7k2",
            "homelab-runner-4-x7k2pp",
            "homelab-runner-4-X7K2P",
            "homelab-runner-4-x7k2é",
            "homelab-runner-4_x7k2p",
            "homelab-runner-40-x7k2p",
            "homelab-runner-5-x7k2p",
            "x-homelab-runner-4-x7k2p",
        ] {
            assert!(!is_ephemeral_name(base, name), "{name}");
        }
        assert!(is_ephemeral_name(base, "homelab-runner-4-x7k2p"));
    }

    #[test]
    fn a_start_counts_as_one_of_use_only_with_a_workflow_job_or_an_order_to_end() {
        let session = |state| Session { state, sentence: String::new() };
        assert!(was_of_use(Some(&session(SessionState::Done)), ""));
        assert!(was_of_use(Some(&session(SessionState::Stopping)), ""));
        let killed = "RunnerProcessStarted:x\nSessionCreated:x\nMessageReceived_RunnerJobRequest:x\n";
        assert!(was_of_use(Some(&session(SessionState::Online)), killed));
        assert!(!was_of_use(
            Some(&session(SessionState::Online)),
            "RunnerProcessStarted:x\nSessionCreated:x\n"
        ));
        assert!(!was_of_use(Some(&session(SessionState::Failed)), ""));
        assert!(!was_of_use(None, ""));
    }

    fn base() -> impl Strategy<Value = String> {
        "[A-Za-z0-9][A-Za-z0-9._-]{0,57}"
    }

    proptest! {
        #[test]
        fn every_name_that_is_made_is_known_again_and_fits(base in base(), random: u64) {
            let name = ephemeral_name(&base, random);
            prop_assert!(is_ephemeral_name(&base, &name));
            prop_assert!(name.len() <= 64);
        }

        #[test]
        fn names_belong_to_one_runner_of_a_fleet_alone(number in 1_u16..1000, other in 1_u16..1000, random: u64) {
            let name = ephemeral_name(&format!("homelab-runner-{number}"), random);
            let is_of_other = is_ephemeral_name(&format!("homelab-runner-{other}"), &name);
            prop_assert_eq!(is_of_other, number == other);
        }

        #[test]
        fn notes_are_read_as_they_were_written(
            notes in proptest::collection::vec((base(), proptest::option::of(any::<u64>())), 0..6),
        ) {
            let notes = Notes(notes.into_iter().map(|(name, id)| Note { name, id }).collect());
            prop_assert_eq!(Notes::of_text(&notes.to_text()), notes);
        }

        #[test]
        fn no_text_makes_the_reader_of_notes_fail(text in "(?s).{0,200}") {
            for note in Notes::of_text(&text).0 {
                prop_assert!(is_plain(&note.name));
            }
        }
    }
}
