//! Decodes the whole file although parts of it are wrong.
//!
//! serde stops at its first complaint. Here the entry that it complains about is noted, cut out of the parsed tree, and
//! the rest is decoded again, until serde is content: so a file with five mistakes is told all five.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::problem::{Problem, Problems};
use super::raw::RawConfig;

/// Decodes `text`; what could not be decoded is missing in the result and named in the problems.
pub(super) fn decode(text: &str) -> (RawConfig, Problems) {
    let mut problems = Problems::default();
    let (mut tree, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        problems.push(Problem {
            span: error.span(),
            key: String::new(),
            message: error.message().to_owned(),
            hint: None,
        });
    }
    // Each round removes one entry, so this ends.
    loop {
        let error = match RawConfig::deserialize(toml::de::Deserializer::from(tree.clone())) {
            Ok(raw) => return (raw, problems),
            Err(error) => error,
        };
        let removed = error.span().and_then(|span| remove(tree.get_mut(), &span));
        let unknown = removed.is_none();
        problems.push(describe(&error, removed));
        if unknown {
            return (RawConfig::default(), problems);
        }
    }
}

/// An entry that was cut out: its dotted key and where the key stands.
struct Removed {
    key: String,
    key_span: Range<usize>,
}

/// Cuts the innermost entry whose key or value holds `span` out of `table`.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<Removed> {
    let holds = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let name = key.get_ref().to_string();
        if let DeValue::Table(inner) = value.get_mut()
            && let Some(removed) = remove(inner, span)
        {
            return Some(Removed { key: format!("{name}.{}", removed.key), ..removed });
        }
        if holds(&key.span()) || holds(&value.span()) {
            found = Some(Removed { key: name, key_span: key.span() });
        }
    }
    let removed = found?;
    table.remove(removed.key.as_str());
    Some(removed)
}

fn describe(error: &Error, removed: Option<Removed>) -> Problem {
    let (key, key_span) = removed.map_or((String::new(), None), |r| (r.key, Some(r.key_span)));
    let message = error.message();
    if message.starts_with("unknown field") {
        let allowed = backticked(message).into_iter().skip(1).collect::<Vec<_>>();
        let name = key.rsplit('.').next().unwrap_or_default();
        let hint = match suggestion(name, &allowed) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("allowed here: {}", allowed.join(", ")),
        };
        return Problem { span: key_span, key, message: "unknown key".to_owned(), hint: Some(hint) };
    }
    if message.starts_with("unknown variant") {
        let words = backticked(message);
        let (word, allowed) = words.split_first().map_or(("", &[][..]), |(word, rest)| (*word, rest));
        let hint = match suggestion(word, allowed) {
            Some(near) => format!("did you mean \"{near}\"? allowed: \"{}\"", allowed.join("\", \"")),
            None => format!("allowed: \"{}\"", allowed.join("\", \"")),
        };
        return Problem {
            span: error.span(),
            key,
            message: format!("unknown word \"{word}\""),
            hint: Some(hint),
        };
    }
    // Types that check themselves say what is allowed behind a semicolon.
    let (message, hint) = message.split_once("; ").map_or((message, None), |(what, hint)| (what, Some(hint)));
    Problem { span: error.span(), key, message: message.to_owned(), hint: hint.map(str::to_owned) }
}

/// The words between backticks, which is how serde quotes names.
fn backticked(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// The allowed word that `word` was probably meant to be.
fn suggestion<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    allowed
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The value without its place in the text.
pub(super) fn bare<T: Clone>(spanned: Option<&Spanned<T>>) -> Option<T> {
    spanned.map(|value| value.get_ref().clone())
}
