//! Which distribution a host runs, from os-release(5).

use std::collections::BTreeMap;

/// Distributions that have their own words for installing something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Debian, Ubuntu and their like: apt.
    Debian,
    /// Fedora, RHEL and their like: dnf.
    Fedora,
    /// NixOS: options of its configuration.
    NixOs,
    /// Any other.
    Other,
}

/// What is read of `/etc/os-release`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsRelease {
    /// From `ID=`, else from `ID_LIKE=`.
    pub distribution: Distribution,
    /// `PRETTY_NAME=`, such as `Debian GNU/Linux 13 (trixie)`.
    pub name: Option<String>,
}

impl OsRelease {
    /// Reads the text of `/etc/os-release`; lines that os-release(5) does not allow are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let fields: BTreeMap<&str, String> = text.lines().filter_map(field).collect();
        let words = |key: &str| fields.get(key).map(String::as_str).unwrap_or_default().split_whitespace();
        let distribution = words("ID").chain(words("ID_LIKE")).find_map(known).unwrap_or(Distribution::Other);
        Self { distribution, name: fields.get("PRETTY_NAME").filter(|name| !name.is_empty()).cloned() }
    }
}

fn known(id: &str) -> Option<Distribution> {
    match id {
        "debian" | "ubuntu" => Some(Distribution::Debian),
        "fedora" | "rhel" | "centos" => Some(Distribution::Fedora),
        "nixos" => Some(Distribution::NixOs),
        _ => None,
    }
}

fn field(line: &str) -> Option<(&str, String)> {
    let (key, value) = line.trim().split_once('=')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_key.then(|| (key, unquoted(value)))
}

/// A value as the shell would read it: quotes of either kind around it, a backslash before what is meant literally.
fn unquoted(value: &str) -> String {
    let single = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    if let Some(literal) = single {
        return literal.to_owned();
    }
    let double = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let mut characters = double.unwrap_or(value).chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn relatives_are_known_by_what_they_are_like() {
        let of = |text: &str| OsRelease::parse(text).distribution;
        assert_eq!(of("ID=debian"), Distribution::Debian);
        assert_eq!(
            of("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            Distribution::Debian
        );
        assert_eq!(of("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\""), Distribution::Fedora);
        assert_eq!(of("ID=nixos"), Distribution::NixOs);
        assert_eq!(of("ID=arch"), Distribution::Other);
        assert_eq!(of("# ID=debian\n"), Distribution::Other);
        assert_eq!(of(""), Distribution::Other);
    }

    #[test]
    fn the_name_is_read_with_any_kind_of_quotes() {
        let name = |text: &str| OsRelease::parse(text).name.unwrap_or_default();
        assert_eq!(name("PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\""), "Debian GNU/Linux 13 (trixie)");
        assert_eq!(name("PRETTY_NAME='A \"b\" \\c'"), "A \"b\" \\c");
        assert_eq!(name("PRETTY_NAME=Arch"), "Arch");
        assert_eq!(name("PRETTY_NAME=\"\""), "");
    }

    proptest! {
        #[test]
        fn whatever_is_quoted_by_the_rules_is_read_as_it_was(name in "[ -~]{1,30}") {
            let mut quoted = String::new();
            for character in name.chars() {
                if "\"$`\\".contains(character) {
                    quoted.push('\\');
                }
                quoted.push(character);
            }
            let read = OsRelease::parse(&format!("ID=x\nPRETTY_NAME=\"{quoted}\"\n"));
            prop_assert_eq!(read.name, Some(name));
        }

        #[test]
        fn no_text_is_too_odd(text in "([A-Z_]{0,4}=?[\"'\\\\]{0,2}\\PC{0,9}[\"'\\\\]{0,2}\n){0,4}") {
            let read = OsRelease::parse(&text);
            prop_assert_eq!(read.distribution, Distribution::Other);
        }
    }
}
