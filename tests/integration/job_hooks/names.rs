//! Names of workflows, workflow jobs and runners as names of directories.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::shell::Shell;

/// Any bytes but NUL, the kind of names that people choose, and such as look like something that was made of another name.
fn names() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(1_u8..=255, 0..90),
        "[A-Za-z0-9._-]{0,70}".prop_map(String::into_bytes),
        "(\\.github/workflows/)?[a-c ._/-]{0,3}(\\.ya?ml)?".prop_map(String::into_bytes),
        "[ab._/é -]{0,4}(--[0-9a-f]{9,11})?".prop_map(String::into_bytes),
        "\\PC{0,40}".prop_map(String::into_bytes),
    ]
}

fn is_plain(name: &[u8]) -> bool {
    (1..=64).contains(&name.len())
        && name[0] != b'.'
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

/// Asks for `count` names and what was made of each, too: a name that was made may be somebody's own.
fn check(shell: &mut Shell, count: usize) {
    let mut runner = TestRunner::deterministic();
    let names = names();
    let mut owners: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let mut asked = 0;
    while asked < count {
        let mut text = names.new_tree(&mut runner).unwrap().current();
        for _ in 0..2 {
            let name = shell.ask(&text);
            asked += 1;
            assert!(
                is_plain(&name),
                "{:?} -> {:?}",
                text.escape_ascii().to_string(),
                name.escape_ascii().to_string()
            );
            let owner = owners.entry(name.clone()).or_insert_with(|| text.clone());
            assert!(
                *owner == text,
                "{} and {} are both {}",
                owner.escape_ascii(),
                text.escape_ascii(),
                name.escape_ascii()
            );
            if name == text {
                break;
            }
            text = name;
        }
    }
}

/// A perfect digest without a process: texts are numbered.
const QUICK_DIGEST: &str = r#"
declare -A numbers=()
digest() {
    local number=${numbers["x$1"]-}
    [[ -n $number ]] || number=${#numbers[@]} numbers["x$1"]=$number
    printf -v REPLY %010x "$number"
}"#;

#[test]
fn no_two_texts_share_a_name_and_every_name_is_plain() {
    // 20480, and a million with PROPTEST_CASES=12500.
    let cases = usize::try_from(ProptestConfig::default().cases).unwrap();
    check(&mut Shell::new(QUICK_DIGEST, "workflow_name"), 80 * cases);
    check(&mut Shell::new("", "workflow_name"), 1_000);
}

#[test]
fn a_text_that_is_a_name_stays_as_it_is() {
    let mut shell = Shell::new("", "workflow_name");
    let longest = "a".repeat(64);
    for text in ["ci", "Deploy_2", "e2e.nightly", "-x", "a--b", &longest] {
        assert_eq!(shell.ask(text.as_bytes()), text.as_bytes());
    }
    assert_eq!(shell.ask(b".github/workflows/ci.yml"), b"ci.yml");
}

#[test]
fn a_text_that_is_no_name_can_be_told_and_has_a_digest() {
    let mut shell = Shell::new("", "workflow_name");
    for (text, beginning) in [
        ("CI / build", "CI___build--"),
        ("..", "_.--"),
        ("", "--"),
        ("ci.yml", "ci.yml--"),
        ("größe", "gr____e--"),
        (&"a".repeat(65), &format!("{}--", "a".repeat(52))),
    ] {
        let name = String::from_utf8(shell.ask(text.as_bytes())).unwrap();
        let digest = name.strip_prefix(beginning).unwrap_or_else(|| panic!("{text}: {name}"));
        assert!(digest.len() == 10 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
}
