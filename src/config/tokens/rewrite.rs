//! Another token in the text of a `.env`, and every other byte as it was.

use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use super::{TokenError, Tokens, variable};
use crate::config::RegistrationToken;

/// `text` with `token` as the value of `RUNNER_TOKEN_number`, on a new last line if the variable is not there. Comments, quotes and line ends of all else stay.
///
/// # Errors
/// What is wrong with `text`, all of it; or the variable cannot be told from what is around it.
pub fn with_token(
    text: &str,
    number: u16,
    token: &RegistrationToken,
) -> Result<SecretString, Vec<TokenError>> {
    Tokens::parse(text)?;
    let variable = variable(number);
    let around = value_of(text, &variable).and_then(|at| Some((text.get(..at.start)?, text.get(at.end..)?)));
    let written = if let Some((before, after)) = around {
        [before, token.expose(), after].concat()
    } else {
        let line_break = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        format!("{text}{line_break}{variable}={}\n", token.expose())
    };
    let written = SecretString::from(written);
    // A value over several lines may hold what looks like the variable's own line.
    if is_changed_alone(text, written.expose_secret(), &variable, token) {
        Ok(written)
    } else {
        Err(vec![TokenError::Entangled { variable }])
    }
}

/// Where the value of `variable` stands, with its quotes.
fn value_of(text: &str, variable: &str) -> Option<Range<usize>> {
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(value) = value_in_line(line, variable) {
            return Some(line_start + value.start..line_start + value.end);
        }
        line_start += line.len();
    }
    None
}

fn value_in_line(line: &str, variable: &str) -> Option<Range<usize>> {
    let rest = line.trim_start();
    let exported = rest.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let rest = exported.unwrap_or(rest).trim_start().strip_prefix(variable)?;
    let rest = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
    let assigned = line.len() - rest.len();
    let value = rest.trim_start_matches([' ', '\t']);
    let length = match value.chars().next() {
        // Nothing is assigned, and a comment may follow.
        None | Some('#' | '\r' | '\n') => return Some(assigned..assigned),
        Some(quote @ ('"' | '\'')) => value.char_indices().skip(1).find(|(_, c)| *c == quote)?.0 + 1,
        Some(_) => value.find(char::is_whitespace).unwrap_or(value.len()),
    };
    let start = line.len() - value.len();
    Some(start..start + length)
}

fn is_changed_alone(old: &str, new: &str, variable: &str, token: &RegistrationToken) -> bool {
    let others = |text: &str| -> Vec<(String, String)> {
        pairs(text).into_iter().filter(|(name, _)| name != variable).collect()
    };
    let is_set =
        pairs(new).iter().filter(|(name, _)| name == variable).all(|(_, value)| value == token.expose());
    is_set && Tokens::parse(new).is_ok() && others(old) == others(new)
}

/// All variables; what cannot be read was told before.
fn pairs(text: &str) -> Vec<(String, String)> {
    dotenvy::from_read_iter(text.as_bytes()).filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn token() -> RegistrationToken {
        RegistrationToken::copied(SecretString::from("NEWTOKEN")).unwrap()
    }

    fn rewritten(text: &str) -> String {
        with_token(text, 2, &token()).ok().unwrap().expose_secret().to_owned()
    }

    #[test]
    fn the_value_alone_is_replaced() {
        for (old, new) in [
            ("RUNNER_TOKEN_2=OLD", "RUNNER_TOKEN_2=NEWTOKEN"),
            ("RUNNER_TOKEN_2=OLD\n", "RUNNER_TOKEN_2=NEWTOKEN\n"),
            (
                "# a\n\nRUNNER_TOKEN_1=A\r\nRUNNER_TOKEN_2=OLD\r\nX=y",
                "# a\n\nRUNNER_TOKEN_1=A\r\nRUNNER_TOKEN_2=NEWTOKEN\r\nX=y",
            ),
            (" export  RUNNER_TOKEN_2 = 'OLD' # mine\n", " export  RUNNER_TOKEN_2 = NEWTOKEN # mine\n"),
            ("RUNNER_TOKEN_2=\"OLD\"\n", "RUNNER_TOKEN_2=NEWTOKEN\n"),
            ("RUNNER_TOKEN_2=\nRUNNER_TOKEN_3=C\n", "RUNNER_TOKEN_2=NEWTOKEN\nRUNNER_TOKEN_3=C\n"),
            ("RUNNER_TOKEN_2= # still to come\n", "RUNNER_TOKEN_2=NEWTOKEN # still to come\n"),
            ("#RUNNER_TOKEN_2=OLD\n", "#RUNNER_TOKEN_2=OLD\nRUNNER_TOKEN_2=NEWTOKEN\n"),
            ("RUNNER_TOKEN_22=OLD", "RUNNER_TOKEN_22=OLD\nRUNNER_TOKEN_2=NEWTOKEN\n"),
            ("", "RUNNER_TOKEN_2=NEWTOKEN\n"),
        ] {
            assert_eq!(rewritten(old), new);
        }
    }

    #[test]
    fn what_cannot_be_read_or_told_apart_is_refused_without_showing_a_token() {
        for (text, told) in [
            ("RUNNER_TOKEN_2 SECRET\nRUNNER_TOKEN_1=\"SECRET\n", "line 1 is not NAME=value"),
            ("RUNNER_TOKEN_2=SECRET\nRUNNER_TOKEN_2=SECRET\n", "RUNNER_TOKEN_2 is set twice"),
            ("X=\"a\nRUNNER_TOKEN_2=SECRET\n\"\n", "RUNNER_TOKEN_2 is part of another value"),
        ] {
            let errors = with_token(text, 2, &token()).err().unwrap();
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert!(said.iter().any(|said| said == told), "{said:?}");
            assert!(!said.concat().contains("SECRET"), "{said:?}");
        }
    }

    proptest! {
        /// Whatever the file is like, either it is refused, or the token is there and every line of others is as it was.
        #[test]
        fn the_token_is_there_and_nothing_else_has_changed(
            lines in proptest::collection::vec(
                prop_oneof![
                    "(export )?RUNNER_TOKEN_[1-3] ?= ?[A-Z0-9]{0,6}( # [a-z]{0,4})?",
                    "RUNNER_TOKEN_[1-3]=[\"'][A-Z0-9]{1,6}[\"']",
                    "[A-Z_]{1,4}=[a-z \"'#$]{0,6}",
                    "#.{0,9}",
                    "[ \t]{0,2}",
                ],
                0..6,
            ),
            line_break in prop_oneof![Just("\n"), Just("\r\n")],
            has_last: bool,
        ) {
            let text = lines.join(line_break) + if has_last { line_break } else { "" };
            let Ok(written) = with_token(&text, 2, &token()) else { return Ok(()) };
            let written = written.expose_secret();
            let tokens = Tokens::parse(written).ok().unwrap();
            prop_assert_eq!(tokens.of(2).unwrap().expose(), "NEWTOKEN");
            let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
            let (mut before, after) = (lines(&text), lines(written));
            if after.len() == before.len() {
                let changed = before.iter().zip(&after).filter(|(old, new)| old != new).count();
                prop_assert!(changed <= 1, "{:?} {:?}", text, written);
            } else {
                // A new last line, behind one that may have had no end.
                if let Some(last) = before.last_mut().filter(|last| !last.ends_with('\n')) {
                    last.push('\n');
                }
                before.push("RUNNER_TOKEN_2=NEWTOKEN\n".to_owned());
                prop_assert_eq!(before, after);
            }
        }
    }
}
