//! The files through which a step talks back: `$GITHUB_ENV`, `$GITHUB_PATH`, `$GITHUB_OUTPUT`, `$GITHUB_STATE` and
//! `$GITHUB_STEP_SUMMARY`. Each step gets fresh ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::identifier;

/// Variables that a step may not set for later steps.
const BLOCKED: &[&str] = &["NODE_OPTIONS"];

/// The files of one step.
#[derive(Debug)]
pub(crate) struct FileCommands {
    env: PathBuf,
    path: PathBuf,
    output: PathBuf,
    state: PathBuf,
    summary: PathBuf,
}

impl FileCommands {
    /// Makes the directory, too, if a step has deleted it.
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let file = |kind: &str| {
            let path = directory.join(format!("{kind}_{}", identifier::guid()));
            fs::write(&path, "").map(|()| path)
        };
        Ok(Self {
            env: file("set_env")?,
            path: file("add_path")?,
            output: file("set_output")?,
            state: file("save_state")?,
            summary: file("step_summary")?,
        })
    }

    /// The variables that name the files.
    pub(crate) fn variables(&self) -> [(&'static str, &Path); 5] {
        [
            ("GITHUB_ENV", &self.env),
            ("GITHUB_PATH", &self.path),
            ("GITHUB_OUTPUT", &self.output),
            ("GITHUB_STATE", &self.state),
            ("GITHUB_STEP_SUMMARY", &self.summary),
        ]
    }

    /// Variables for the steps to come.
    pub(crate) fn new_variables(&self) -> Result<Vec<(String, String)>, String> {
        let text = fs::read_to_string(&self.env).unwrap_or_default();
        let variables = parse(&text)?;
        match variables
            .iter()
            .find(|(name, _)| BLOCKED.iter().any(|blocked| name.eq_ignore_ascii_case(blocked)))
        {
            Some((name, _)) => {
                Err(format!("Can't store {name} output parameter using '$GITHUB_ENV' command."))
            }
            None => Ok(variables),
        }
    }

    /// Directories to be put before `PATH` for the steps to come, the last one first.
    pub(crate) fn new_path_entries(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
    }

    pub(crate) fn summary(&self) -> String {
        fs::read_to_string(&self.summary).unwrap_or_default()
    }
}

/// Reads `NAME=VALUE` lines and `NAME<<DELIMITER` blocks.
fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let equals = line.find('=').unwrap_or(usize::MAX);
        let heredoc = line.find("<<").unwrap_or(usize::MAX);
        if let Some((name, delimiter)) = line.split_once("<<").filter(|_| heredoc < equals) {
            let mut block = Vec::new();
            loop {
                match lines.next() {
                    Some(end) if end == delimiter => break,
                    Some(line) => block.push(line),
                    None => return Err(format!("Invalid value. Matching delimiter not found '{delimiter}'")),
                }
            }
            variables.push((name.to_owned(), block.join("\n")));
        } else if let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.is_empty()) {
            variables.push((name.to_owned(), value.to_owned()));
        } else {
            return Err(format!("Invalid format '{line}'"));
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_blocks_set_variables() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            parse("A=1=2\n\nB<<EOF\nx\ny=z\nEOF\nC=<<\n"),
            Ok(vec![pair("A", "1=2"), pair("B", "x\ny=z"), pair("C", "<<")])
        );
    }

    #[test]
    fn a_line_without_a_name_or_a_block_without_an_end_is_refused() {
        assert!(parse("nothing").is_err());
        assert!(parse("=x").is_err());
        assert!(parse("A<<EOF\nx").is_err());
    }
}
