//! The words of a rendered service's `ExecStart=`: what the same container takes without systemd around it.

use homelab_runners_vm::{Error, Result};

/// They speak to the unit around the container, and bare Podman has none; `--replace` is for what a killed unit left behind.
const OF_THE_UNIT: [&str; 3] = ["--sdnotify=conmon", "--cgroups=split", "--replace"];

/// For each runner's service of `runnerctl generate --format service` the arguments of `podman`, less those for systemd.
pub(crate) fn podman_arguments(services: &str) -> Result<Vec<Vec<String>>> {
    let found: Vec<Vec<String>> = services
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart="))
        .map(words)
        .filter(|words| words.get(1).is_some_and(|word| word == "run"))
        .map(|words| words.into_iter().skip(1).filter(|word| !OF_THE_UNIT.contains(&word.as_str())).collect())
        .collect();
    if found.is_empty() {
        return Err(Error::Unsupported("no `ExecStart=podman run` in what runnerctl generates".to_owned()));
    }
    Ok(found)
}

/// Takes a command line apart as systemd does, as far as our writer of units goes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            // A backslash escapes one character; `%%` and `$$` stand for one of them.
            '\\' | '%' | '$' => word.get_or_insert_default().extend(characters.next()),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::{podman_arguments, words};

    #[test]
    fn quotes_and_doubled_signs_are_undone() {
        assert_eq!(
            words(r#"a "b c" --d="e \"f\" 5%% $$HOME" """#),
            ["a", "b c", "--d=e \"f\" 5% $HOME", ""].map(str::to_owned)
        );
    }

    #[test]
    fn what_is_for_systemd_is_left_out() {
        let services = "[Service]\nExecStartPre=x\nExecStart=/usr/bin/podman run --replace --rm --sdnotify=conmon a\n\
                        ExecStart=/usr/bin/podman run --cgroups=split b\nExecStart=/usr/bin/runnerctl prune\n";
        let arguments = podman_arguments(services).unwrap_or_default();
        assert_eq!(arguments, [vec!["run", "--rm", "a"], vec!["run", "b"]]);
        assert!(podman_arguments("ExecStart=/bin/true\n").is_err());
    }
}
