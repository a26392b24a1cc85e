//! Where something is below the reports directory, as the path of a URL says it.

use std::fmt::Write as _;

use super::OWN;

/// Longer names than this no file system has.
const LONGEST_NAME: usize = 255;

/// Deeper than this nothing is served.
const DEEPEST: usize = 64;

/// Names from the reports directory on; none of them is empty, `.` or `..`, is [`OWN`], or has `/` or NUL in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    names: Vec<String>,
    has_slash: bool,
}

impl Location {
    /// Reads the path of a URL (RFC 3986 §3.3), without a prefix; `None` for everything that could mean two things.
    #[must_use]
    pub fn of_url_path(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let (path, has_slash) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
        let names: Vec<String> = path.split('/').map(decoded).collect::<Option<_>>()?;
        (names.len() <= DEEPEST && names.iter().all(|name| is_name(name)))
            .then_some(Self { names, has_slash })
    }

    /// The names, from the reports directory on.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// As a path relative to the reports directory.
    #[must_use]
    pub fn path(&self) -> String {
        self.names.join("/")
    }

    /// The URL ended with `/`: a directory is meant.
    #[must_use]
    pub fn has_slash(&self) -> bool {
        self.has_slash
    }

    /// The last name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }
}

fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | ".." | OWN) && name.len() <= LONGEST_NAME && !name.contains(['/', '\\', '\0'])
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        let byte = if byte == b'%' { digit(left.next()?)? * 16 + digit(left.next()?)? } else { byte };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

/// One name as part of a URL's path: everything but RFC 3986's unreserved characters is encoded.
#[must_use]
pub fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _written = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::{Location, encoded};

    #[test]
    fn what_leads_elsewhere_is_no_location() {
        for path in [
            "",
            "/",
            "//",
            "/a//b",
            "/..",
            "/a/../b",
            "/%2e%2e/a",
            "/a/.%2E",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/%00",
            "/a/.",
            "/.runnerctl/trash/1-0",
            "/ci/1/a/.runnerctl/started.json",
            "/ci/1/a/%2Erunnerctl/",
            "/%",
            "/%4",
            "/%zz",
            "/%ff",
            "a",
        ] {
            assert_eq!(Location::of_url_path(path), None, "{path}");
        }
        assert_eq!(Location::of_url_path(&"/a".repeat(65)), None);
        assert_eq!(Location::of_url_path(&format!("/{}", "a".repeat(256))), None);
    }

    #[test]
    fn a_slash_at_the_end_means_a_directory() {
        let location = Location::of_url_path("/ci/1/a%20b/").unwrap();
        assert_eq!((location.path().as_str(), location.name()), ("ci/1/a b", "a b"));
        assert!(location.has_slash() && !Location::of_url_path("/ci").unwrap().has_slash());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn no_url_leads_out(path in "(/|\\.|%2e|%2E|%2f|%5c|%00|%25|\\\\|[a-z]|\\PC){0,24}") {
            if let Some(location) = Location::of_url_path(&path) {
                let joined = location.path();
                prop_assert!(!joined.starts_with('/') && !joined.contains(['\0', '\\']));
                for name in joined.split('/') {
                    prop_assert!(!matches!(name, "" | "." | ".."));
                }
                prop_assert_eq!(joined.split('/').count(), location.names().len());
            }
        }

        #[test]
        fn an_encoded_name_is_read_back(name in "\\PC{1,40}|[\\x01-\\x7f]{1,40}") {
            let name = format!("n{}", name.replace(['/', '\\'], "-"));
            let encoded = encoded(&name);
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic()));
            let read = Location::of_url_path(&format!("/{encoded}/")).unwrap();
            prop_assert_eq!(read.name(), name.as_str());
        }
    }
}
