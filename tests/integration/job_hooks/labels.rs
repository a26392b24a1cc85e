//! JSON out of bash.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::shell::Shell;

/// What a reader shall see: what is no UTF-8 is replaced byte by byte, and the rest is cut.
fn expected(bytes: &[u8]) -> String {
    let chunks = bytes.utf8_chunks();
    let text: String = chunks
        .flat_map(|chunk| [chunk.valid().to_owned(), "\u{fffd}".repeat(chunk.invalid().len())])
        .collect();
    text.chars().take(200).collect()
}

#[test]
fn any_bytes_become_a_json_string() {
    let mut shell = Shell::new("", "json_string");
    let bytes = prop_oneof![
        prop::collection::vec(1_u8..=255, 0..300),
        prop::collection::vec(
            prop::sample::select(b"\"\\\x01\x1f\x7f\n\xc2\xe0\xe2\xed\xf0\xf4\x80\x9f\xa0\xbf".to_vec()),
            0..12
        ),
        "\\PC{0,260}|[\\x01-\\x7f]{0,20}".prop_map(String::into_bytes),
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..4_000 {
        let question = bytes.new_tree(&mut runner).unwrap().current();
        let answer = shell.ask(&question);
        let read: Result<String, _> = serde_json::from_slice(&answer);
        assert_eq!(read.ok(), Some(expected(&question)), "{}", question.escape_ascii());
        assert!(answer.len() <= 1202, "nine of them are more than a reader takes");
    }
}
