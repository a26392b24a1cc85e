//! The process' environment as the runner sees it: its inputs are taken out, the `.env` file is put in.
//!
//! It is a copy, since the real environment of a process cannot be changed safely. Child processes get the copy.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const INPUT_PREFIX: &str = "ACTIONS_RUNNER_INPUT_";

/// Names and values of variables.
#[derive(Debug)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process and those of the `.env` file in the runner's root, which win.
    pub(crate) fn load(root: &Path) -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let mut variables: BTreeMap<String, String> =
            std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect();
        if let Ok(text) = std::fs::read_to_string(root.join(".env")) {
            variables.extend(env_file(&text));
        }
        Self(variables)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Takes every `ACTIONS_RUNNER_INPUT_<NAME>` out, by lower-case name, so that no child inherits a token.
    pub(crate) fn take_inputs(&mut self) -> HashMap<String, String> {
        let mut inputs = HashMap::new();
        self.0.retain(|name, value| {
            let upper = name.to_ascii_uppercase();
            match upper.strip_prefix(INPUT_PREFIX) {
                Some(input) => {
                    inputs.insert(input.to_ascii_lowercase(), std::mem::take(value));
                    false
                }
                None => true,
            }
        });
        inputs
    }
}

/// `NAME=VALUE` lines, without quoting or comments.
fn env_file(text: &str) -> impl Iterator<Item = (String, String)> {
    text.trim_start_matches('\u{feff}').lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_taken_whatever_their_case() {
        let variable = |name: &str| (name.to_owned(), "x".to_owned());
        let names = ["ACTIONS_RUNNER_INPUT_TOKEN", "actions_runner_input_no-default-labels", "PATH"];
        let mut environment = Environment(names.map(variable).into());
        let inputs = environment.take_inputs();
        assert!(inputs.contains_key("token") && inputs.contains_key("no-default-labels"));
        assert_eq!(environment.all().keys().collect::<Vec<_>>(), ["PATH"]);
    }

    #[test]
    fn the_env_file_has_no_quoting() {
        let variables: Vec<_> = env_file("A=\"b c\"\n=x\n\nB=1=2").collect();
        assert_eq!(variables, [("A".into(), "\"b c\"".into()), ("B".into(), "1=2".into())]);
    }
}
