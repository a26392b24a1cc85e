//! The only writer of unit text: systemd.syntax(7), systemd.service(5) "Command lines", podman-systemd.unit(5).
//!
//! systemd expands `%` in almost every value and `$` in command lines; Quadlet copies `Environment=`, `Label=`, `PodmanArgs=`
//! and `Exec=` of a `[Container]` into a command line, so those are words of a command line as well.

use std::fmt::{Display, Write};

/// Builds one unit file from top to bottom.
#[derive(Debug, Default)]
pub struct UnitText(String);

impl UnitText {
    /// A file that begins with these comment lines.
    #[must_use]
    pub fn with_comment(lines: &[&str]) -> Self {
        let mut text = Self::default();
        for line in lines {
            text.push(&format!("# {}", without_controls(line)));
        }
        text
    }

    /// Begins a section.
    pub fn section(&mut self, name: &str) -> &mut Self {
        if !self.0.is_empty() {
            self.push("");
        }
        self.push(&format!("[{name}]"))
    }

    /// A line of our own making: no part of it comes from the user.
    pub fn plain(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.push(&without_controls(&format!("{key}={value}")))
    }

    /// A line, if there is a value.
    pub fn plain_if(&mut self, key: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.plain(key, value),
            None => self,
        }
    }

    /// Free text such as `Description=`: taken as it is but for `%`.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        let value = without_controls(value).replace('%', "%%");
        // A trailing backslash would continue the line.
        let value = value.trim_end_matches('\\');
        self.push(&format!("{key}={value}"))
    }

    /// Words of a command line; `prefix` is one of systemd's (`-`, `+`) or empty.
    pub fn command<S: AsRef<str>>(&mut self, key: &str, prefix: &str, words: &[S]) -> &mut Self {
        let words: Vec<String> = words.iter().map(|word| self::word(word.as_ref())).collect();
        self.push(&format!("{key}={prefix}{}", words.join(" ")))
    }

    /// `Environment=NAME=value` of a Quadlet `[Container]`, or another assignment that ends in a command line.
    pub fn assignment(&mut self, key: &str, name: &str, value: &str) -> &mut Self {
        let assignment = word(&format!("{name}={value}"));
        self.push(&format!("{key}={assignment}"))
    }

    /// The finished text.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }

    fn push(&mut self, line: &str) -> &mut Self {
        self.0.push_str(line);
        self.0.push('\n');
        self
    }
}

/// One word of a command line, quoted only where it must be.
#[must_use]
pub fn word(word: &str) -> String {
    let bare = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c));
    if bare {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '%' => quoted.push_str("%%"),
            '$' => quoted.push_str("$$"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => {
                // Writing to a String cannot fail.
                let _infallible = write!(quoted, "\\x{:02x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
