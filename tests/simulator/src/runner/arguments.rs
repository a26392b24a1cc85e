//! The command line, parsed as `CommandLineParser.cs` does, and the inputs from the environment.

use std::collections::{HashMap, HashSet};

/// Arguments and flags that any command takes.
const ANY_COMMAND: &[&str] = &["help", "version", "commit", "check", "url", "pat"];
const CONFIGURE: &[&str] = &[
    "url",
    "token",
    "pat",
    "name",
    "labels",
    "runnergroup",
    "work",
    "auth",
    "username",
    "monitorsocketaddress",
    "unattended",
    "replace",
    "ephemeral",
    "disableupdate",
    "no-default-labels",
    "generateserviceconfig",
    "runasservice",
];
const REMOVE: &[&str] = &["token", "pat", "local"];
const RUN: &[&str] = &["jitconfig", "startuptype", "once"];

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    commands: Vec<String>,
    values: HashMap<String, String>,
    flags: HashSet<String>,
    inputs: HashMap<String, String>,
}

impl Arguments {
    /// Reads the words after the program's name. Of an argument given twice the first wins; a value that starts with
    /// a hyphen is ignored.
    pub(crate) fn parse(words: &[String], inputs: HashMap<String, String>) -> Self {
        let mut arguments =
            Self { commands: Vec::new(), values: HashMap::new(), flags: HashSet::new(), inputs };
        let mut pending: Option<String> = None;
        for word in words {
            if let Some(name) = word.strip_prefix("--") {
                arguments.flags.extend(pending.replace(name.to_ascii_lowercase()));
            } else if word.starts_with('-') {
                // Neither a name nor a value.
            } else if let Some(name) = pending.take() {
                arguments.values.entry(name).or_insert_with(|| word.clone());
            } else {
                arguments.commands.push(word.to_ascii_lowercase());
            }
        }
        arguments.flags.extend(pending);
        arguments
    }

    pub(crate) fn command(&self) -> &str {
        self.commands.first().map_or("run", String::as_str)
    }

    /// An argument, or else the input of its name; an empty one counts as missing.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let given = self.values.get(name).or_else(|| self.inputs.get(name));
        given.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A flag, or the input of its name with the value `true`.
    pub(crate) fn has_flag(&self, name: &str) -> bool {
        self.flags.contains(name)
            || self.inputs.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The warning about arguments that the command does not know, if there are any.
    pub(crate) fn unrecognized(&self) -> Option<String> {
        let command = self.command();
        let known = match command {
            "configure" => CONFIGURE,
            "remove" => REMOVE,
            _ => RUN,
        };
        let mut unknown: Vec<&str> = self
            .values
            .keys()
            .chain(&self.flags)
            .map(String::as_str)
            .filter(|name| !known.contains(name) && !ANY_COMMAND.contains(name))
            .chain(self.commands.iter().skip(1).map(String::as_str))
            .collect();
        unknown.sort_unstable();
        (!unknown.is_empty()).then(|| {
            format!(
                "Unrecognized command-line input arguments for command {command}: '{}'. For usage refer to: \
                 .\\config.cmd --help or ./config.sh --help",
                unknown.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Arguments {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Arguments::parse(&words, HashMap::new())
    }

    #[test]
    fn the_first_of_two_values_wins_and_values_with_a_hyphen_are_ignored() {
        let arguments = parse(&["configure", "--name", "a", "--name", "b", "--work", "-x", "--replace"]);
        assert_eq!(arguments.command(), "configure");
        assert_eq!(arguments.value("name"), Some("a"));
        assert_eq!(arguments.value("work"), None);
        assert!(arguments.has_flag("replace"));
    }

    #[test]
    fn an_empty_value_is_missing_and_unknown_words_are_warned_about() {
        let arguments = parse(&["remove", "--token", "", "--colour", "red", "extra"]);
        assert_eq!(arguments.value("token"), None);
        assert!(arguments.unrecognized().is_some_and(|warning| warning.contains("'colour, extra'")));
    }

    #[test]
    fn inputs_stand_in_for_arguments_and_flags() {
        let inputs = [("token", "secret"), ("replace", "true"), ("ephemeral", "1")];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let arguments = Arguments::parse(&["configure".to_owned()], inputs);
        assert_eq!(arguments.value("token"), Some("secret"));
        assert!(arguments.has_flag("replace") && !arguments.has_flag("ephemeral"));
    }
}
