//! Versions, as far as one is compared with another.

use std::fmt;

/// The two leading numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The first.
    pub major: u32,
    /// The second, where there is one: systemd has none.
    pub minor: Option<u32>,
}

impl Version {
    /// The first version in what a program or the kernel says of itself: `podman version 5.4.2`, `systemd 257 (257.7-1)`,
    /// `Docker version 26.1.5+dfsg1, build a72d7cd`, `6.12.48+deb13-amd64`.
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| Self::of_word(word.strip_prefix('v').unwrap_or(word)))
    }

    fn of_word(word: &str) -> Option<Self> {
        let mut numbers = word.split('.').map(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..end).and_then(|digits| digits.parse().ok())
        });
        Some(Self { major: numbers.next()??, minor: numbers.next().flatten() })
    }

    /// Is it this version or a newer one?
    #[must_use]
    pub fn is_at_least(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor.unwrap_or(0)) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Option<String> {
        Version::in_text(text).map(|version| version.to_string())
    }

    #[test]
    fn the_lines_of_real_programs_are_understood() {
        for (line, version) in [
            ("podman version 5.4.2", "5.4"),
            ("podman version 4.3.1\n", "4.3"),
            ("podman version 5.0.0-rc1", "5.0"),
            ("systemd 257 (257.7-1~deb13u1)\n+PAM +AUDIT", "257"),
            ("systemd 252 (252.39-1~deb12u1)", "252"),
            ("systemd 258~rc1 (258~rc1)", "258"),
            ("Docker version 26.1.5+dfsg1, build a72d7cd", "26.1"),
            ("6.12.48+deb13-amd64\n", "6.12"),
            ("6.1-generic", "6.1"),
            ("v5.19", "5.19"),
        ] {
            assert_eq!(shown(line).as_deref(), Some(version), "{line}");
        }
        assert_eq!(shown("podman: command not found"), None);
        assert_eq!(shown(""), None);
    }

    #[test]
    fn the_second_number_is_compared_as_a_number() {
        let version = Version { major: 5, minor: Some(19) };
        assert!(version.is_at_least(5, 4) && version.is_at_least(5, 19) && version.is_at_least(4, 99));
        assert!(!version.is_at_least(5, 20) && !version.is_at_least(6, 0));
        assert!(Version { major: 5, minor: None }.is_at_least(5, 0));
    }

    proptest! {
        #[test]
        fn a_version_is_found_behind_any_words_and_before_any_suffix(
            words in "([a-z(:,-]{1,9} ){0,3}",
            major in any::<u32>(),
            minor in any::<u32>(),
            suffix in "(|[-+~a-z .][ -~]{0,12})",
        ) {
            let found = Version::in_text(&format!("{words}{major}.{minor}{suffix}"));
            prop_assert_eq!(found, Some(Version { major, minor: Some(minor) }));
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}") {
            if let Some(version) = Version::in_text(&text) {
                prop_assert_eq!(Version::in_text(&version.to_string()), Some(version));
            }
        }
    }
}
