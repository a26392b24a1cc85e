//! The lines of `runnerctl doctor`.

use super::Finding;

/// Findings for people: one line for each, and below it the next step, where there is one.
#[must_use]
pub fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or(0);
    let lines = findings.iter().map(|finding| {
        let line =
            format!("{:<8} {:<width$}  {}\n", finding.verdict.to_string(), finding.subject, finding.words);
        match finding.hint() {
            Some(hint) => format!("{line}         hint: {hint}\n"),
            None => line,
        }
    });
    lines.collect()
}
