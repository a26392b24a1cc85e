//! What `src/lib.rs` says of the parts: which of them may use what.
//!
//! Read from the text of `src`, without comments and without tests.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;

use homelab_runners::config::{
    AppKey, InstallationToken, JitConfig, NotifyToken, PersonalAccessToken, RegistrationToken, RemovalToken,
};

use crate::golden::manifest_dir;

const CORE: [&str; 11] =
    ["config", "doctor", "fleet", "units", "runner", "status", "health", "why", "prune", "reports", "page"];
const EDGES: [&str; 10] = [
    "files",
    "http",
    "host_facts",
    "systemd",
    "programs",
    "control_group",
    "mounts",
    "report_files",
    "github",
    "webhook",
];
const SHELL: [&str; 4] = ["apply", "cli", "monitor", "unit_step"];

/// The code of every file below `src`, by its path from there.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let src = manifest_dir().join("src");
    let mut left = vec![src.clone()];
    while let Some(directory) = left.pop() {
        for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !is_test {
                let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
                found.insert(name, code(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 50, "{:?}", found.keys());
    found
}

/// `text` without comments, and without what only tests see: by our rule the last thing in a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

/// Each of `words` in the code of the files that `is_meant` picks, as `file: word`.
fn uses(is_meant: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let sources = sources();
    let meant = sources.iter().filter(|(path, _)| is_meant(path));
    let of_file = |(path, code): (&String, &String)| {
        let before = |at: usize| code.get(..at).unwrap();
        let names = |word: &&&str| {
            code.match_indices(**word).any(|(at, _)| {
                // `print!` is no part of `eprint!`, nor `tokio` of another name.
                !before(at).ends_with(|c: char| c.is_alphanumeric() || c == '_')
            })
        };
        words.iter().filter(names).map(|word| format!("{path}: {word}")).collect::<Vec<_>>()
    };
    meant.flat_map(of_file).collect()
}

#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_part_is_core_edge_or_shell() {
    let modules: Vec<String> = sources().into_keys().map(|path| module(&path).to_owned()).collect();
    for found in modules {
        let known = CORE.iter().chain(&EDGES).chain(&SHELL).any(|part| *part == found);
        assert!(known || found == "lib" || found == "main", "{found} is in no list here");
    }
}

#[test]
fn the_core_has_no_input_and_no_output_and_reads_no_clock() {
    let outside = [
        "tokio",
        "zbus",
        "rustix",
        "tempfile",
        "std::fs",
        "std::process",
        "std::env",
        "std::io",
        "std::net::Tcp",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "std::thread",
    ];
    let is_core = |path: &str| CORE.contains(&module(path));
    assert_none(&uses(is_core, &outside));
    let parts: Vec<String> = EDGES.iter().chain(&SHELL).map(|part| format!("crate::{part}")).collect();
    assert_none(&uses(is_core, &parts.iter().map(String::as_str).collect::<Vec<_>>()));
    // Imports in braces would be missed above.
    assert_none(&uses(|_| true, &["use crate::{", "use std::{fs", "use std::{env", "use std::{process"]));
}

#[test]
fn no_edge_knows_another_edge_or_the_shell() {
    for edge in EDGES {
        let others = EDGES.iter().filter(|other| **other != edge).chain(&SHELL);
        let others: Vec<String> = others.map(|other| format!("crate::{other}")).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        assert_none(&uses(|path| module(path) == edge, &others));
    }
}

#[test]
fn one_part_alone_starts_processes() {
    let words = ["process::Command", "Command::new(", "tokio::process", "execve"];
    assert_none(&uses(|path| module(path) != "programs", &words));
    assert_eq!(uses(|path| path == "programs/mod.rs", &["Command::new("]).len(), 1, "the test is blind");
}

/// Sections and settings begin in one place: the others name the settings, and `units::syntax` writes them.
#[test]
fn one_file_alone_writes_unit_text() {
    let words = ["[Unit]", "[Service]", "[Container]", "[Slice]", "ExecStart=", "Environment=", "Volume="];
    assert_none(&uses(|path| !path.starts_with("config/"), &words));
    assert_eq!(uses(|path| path == "units/syntax.rs", &["push_str(line)"]).len(), 1, "the test is blind");
}

#[test]
fn one_file_alone_prints() {
    let words = [
        "println!",
        "print!",
        "eprintln!",
        "eprint!",
        "dbg!",
        "io::stdout(",
        "anstream::stdout",
        "anstream::stderr",
    ];
    assert_none(&uses(|path| path != "cli/output.rs", &words));
    assert_eq!(uses(|path| path == "cli/output.rs", &["anstream::stdout"]).len(), 1, "the test is blind");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for path in sources().keys() {
        let lines = fs::read_to_string(manifest_dir().join("src").join(path)).unwrap().lines().count();
        assert!(lines <= 400, "{path} has {lines} lines");
    }
}

#[test]
fn no_module_is_a_drawer() {
    for path in sources().keys() {
        let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
        let drawers = ["util", "utils", "helper", "helpers", "common", "misc", "shared"];
        let in_drawer = path.split('/').any(|part| drawers.contains(&part));
        assert!(!drawers.contains(&name) && !in_drawer, "{path}");
    }
}

/// Fails to compile when the type has one of the traits: then `check` has two meanings.
macro_rules! assert_has_none_of {
    ($type:ty: $($trait:path),+) => {$({
        trait HasIt<Meaning> {
            fn check() {}
        }
        struct Has;
        impl<T: ?Sized> HasIt<()> for T {}
        impl<T: ?Sized + $trait> HasIt<Has> for T {}
        <$type as HasIt<_>>::check();
    })+};
}

#[test]
fn no_secret_can_be_printed_copied_or_serialised() {
    assert_has_none_of!(RegistrationToken: Debug, Display, Clone, serde::Serialize);
    assert_has_none_of!(RemovalToken: Debug, Display, Clone, serde::Serialize);
    assert_has_none_of!(PersonalAccessToken: Debug, Display, Clone, serde::Serialize);
    assert_has_none_of!(AppKey: Debug, Display, Clone, serde::Serialize);
    assert_has_none_of!(InstallationToken: Debug, Display, Clone, serde::Serialize);
    assert_has_none_of!(JitConfig: Debug, Display, Clone, serde::Serialize);
    assert_has_none_of!(NotifyToken: Debug, Display, Clone, serde::Serialize);
}

#[test]
fn one_file_alone_holds_the_types_of_secrets() {
    let has_one = |code: &str| code.contains("(SecretString);");
    let files: Vec<String> =
        sources().into_iter().filter(|(_, code)| has_one(code)).map(|(path, _)| path).collect();
    assert_eq!(files, ["config/credential.rs"]);
}
