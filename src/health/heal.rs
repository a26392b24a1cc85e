//! How a restart ended, and the line in which the helper that restarts tells it to the monitor.

/// How a restart ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealEnd {
    /// The runner is online again.
    Healed,
    /// Nothing was done, and why: a workflow job had begun, for one.
    CalledOff(String),
    /// It is not online, and why.
    Failed(String),
}

const HEALED: &str = "healed";
const CALLED_OFF: &str = "called-off: ";
const FAILED: &str = "failed: ";

/// The longest answer that is read.
pub const LONGEST_LINE: usize = 1024;

impl HealEnd {
    /// The answer, its end included: `healed`, `called-off: WHY` or `failed: WHY`.
    #[must_use]
    pub fn line(&self) -> String {
        let (word, why) = match self {
            Self::Healed => (HEALED, ""),
            Self::CalledOff(why) => (CALLED_OFF, why.as_str()),
            Self::Failed(why) => (FAILED, why.as_str()),
        };
        let mut line = format!("{word}{}", why.replace(char::is_control, " "));
        while line.len() >= LONGEST_LINE {
            line.pop();
        }
        line + "\n"
    }

    /// What such an answer says; `None`: it is none, or only the beginning of one.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        let line = line.strip_suffix('\n')?;
        if line == HEALED {
            return Some(Self::Healed);
        }
        let called_off = line.strip_prefix(CALLED_OFF).map(|why| Self::CalledOff(why.to_owned()));
        called_off.or_else(|| Some(Self::Failed(line.strip_prefix(FAILED)?.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_answers_are_answers() {
        assert_eq!(HealEnd::of_line("healed\n"), Some(HealEnd::Healed));
        for line in ["", "\n", "healed", "healed \n", "failed\n", "failed: no such", "ok\n", "HEALED\n"] {
            assert_eq!(HealEnd::of_line(line), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_reason_is_the_answer_is_one_line_that_says_it(why in "(\\PC|[\n\r\t\0]|ü){0,1200}", failed: bool) {
            let end = if failed { HealEnd::Failed(why.clone()) } else { HealEnd::CalledOff(why.clone()) };
            let line = end.line();
            prop_assert!(line.len() <= LONGEST_LINE);
            prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
            let (HealEnd::Failed(said) | HealEnd::CalledOff(said)) = HealEnd::of_line(&line).unwrap() else {
                return Err(TestCaseError::fail("another word"));
            };
            prop_assert!(why.replace(char::is_control, " ").starts_with(&said));
            prop_assert_eq!(matches!(HealEnd::of_line(&line), Some(HealEnd::Failed(_))), failed);
        }
    }
}
