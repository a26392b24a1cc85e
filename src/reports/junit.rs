//! The counts of a `JUnit` report, as pytest, Surefire, Jest, Playwright and others write them. There is no standard; this is what they have in common.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::Stats;

/// The counts in the first part of an XML file: those of its root, else the sum of the suites right below it, where all of them are there.
#[must_use]
pub fn junit(text: &str) -> Option<Stats> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut sum) = (0_u32, Stats::default());
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                if let Some(stats) = counted(&tag, depth)? {
                    if depth == 0 {
                        return Some(stats);
                    }
                    sum = plus(sum, stats);
                }
                depth = depth.checked_add(1)?;
            }
            Event::Empty(tag) => {
                let stats = counted(&tag, depth)?;
                if depth == 0 {
                    return stats;
                }
                sum = plus(sum, stats.unwrap_or_default());
            }
            Event::End(_) if depth <= 1 => return Some(sum),
            Event::End(_) => depth -= 1,
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// `None`: this is no `JUnit` report. `Some(None)`: an element that counts nothing.
#[expect(clippy::option_option, reason = "the outer one ends the reading")]
fn counted(tag: &BytesStart<'_>, depth: u32) -> Option<Option<Stats>> {
    match (depth, tag.name().as_ref()) {
        (0, "testsuites") | (1, "testsuite") => Some(stats(tag)),
        (0, "testsuite") => stats(tag).map(Some),
        (0, _) => None,
        _ => Some(None),
    }
}

fn stats(tag: &BytesStart<'_>) -> Option<Stats> {
    let value = |name: &str| Some(tag.try_get_attribute(name).ok()??.value.into_owned());
    let count = |name: &str| value(name).and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    let all: u64 = value("tests")?.trim().parse().ok()?;
    let unexpected = count("failures").saturating_add(count("errors"));
    let skipped = count("skipped").max(count("disabled"));
    Some(Stats {
        milliseconds: value("time").and_then(|text| milliseconds(&text)).unwrap_or(0),
        expected: all.saturating_sub(unexpected).saturating_sub(skipped),
        skipped,
        unexpected,
        flaky: 0,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast to an integer is clamped, and shown"
)]
fn milliseconds(seconds: &str) -> Option<u64> {
    seconds.trim().parse().ok().map(|seconds: f64| (seconds * 1000.0) as u64)
}

fn plus(one: Stats, other: Stats) -> Stats {
    Stats {
        milliseconds: one.milliseconds.saturating_add(other.milliseconds),
        expected: one.expected.saturating_add(other.expected),
        skipped: one.skipped.saturating_add(other.skipped),
        unexpected: one.unexpected.saturating_add(other.unexpected),
        flaky: one.flaky.saturating_add(other.flaky),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Stats, junit};

    const SUM: Stats = Stats { milliseconds: 1500, expected: 3, skipped: 1, unexpected: 2, flaky: 0 };

    #[test]
    fn the_counts_are_those_of_the_root_however_much_follows() {
        let root = r#"<?xml version="1.0"?><!-- x --><testsuites id="" tests="6" failures="1" errors="1" skipped="1" time="1.5">"#;
        assert_eq!(junit(root), Some(SUM));
        assert_eq!(junit(&format!("{root}<testsuite tests=\"99\"><testcase name=\"a")), Some(SUM));
        let suite = r#"<testsuite name="S" time="1.5" tests="6" errors="1" skipped="1" failures="1"/>"#;
        assert_eq!(junit(suite), Some(SUM));
    }

    #[test]
    fn suites_are_added_up_where_the_root_counts_nothing() {
        let pytest = r#"<testsuites name="pytest tests">
            <testsuite tests="4" failures="1" errors="0" skipped="1" time="1"><testcase/><testsuite tests="50"/></testsuite>
            <testsuite tests="2" errors="1" time="0.5"/></testsuites>"#;
        assert_eq!(junit(pytest), Some(SUM));
        // The rest of the file might say something else.
        let (cut, _) = pytest.rsplit_once("<testsuite ").unwrap_or_default();
        assert_eq!(junit(cut), None);
    }

    #[test]
    fn what_is_no_junit_report_has_no_counts() {
        for text in [
            "",
            "x",
            "<coverage tests=\"1\"><testsuite tests=\"1\"/></coverage>",
            "<testsuite/>",
            "<testsuite tests=\"-1\"/>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a/>",
        ] {
            assert_eq!(junit(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_file_ends_the_server(text in "(<testsuites? |</testsuites?>|tests=\"|[\"<>/!&;0-9]|\\PC){0,40}") {
            let _read = junit(&text);
        }
    }
}
