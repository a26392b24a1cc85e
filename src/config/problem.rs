//! One thing that is wrong with the config, and all of them together.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong: where, which key, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the text it concerns; `None`: the file as a whole (a missing key).
    pub span: Option<Range<usize>>,
    /// The key with its tables, such as `limits.cpu_quota`; empty where the text is no TOML at all.
    pub key: String,
    /// What is wrong, without the key.
    pub message: String,
    /// What is allowed, or the next step.
    pub hint: Option<String>,
}

impl Problem {
    /// 1-based line and column (in characters) of the problem in `text`.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<(usize, usize)> {
        let before = text.get(..self.span.as_ref()?.start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..)?.chars().count() + 1;
        Some((before.matches('\n').count() + 1, column))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.key, self.message)
        }
    }
}

/// All problems of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds a problem of `key` at `span`.
    pub(super) fn add(&mut self, span: Option<Range<usize>>, key: &str, message: String, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.push(Problem { span, key: key.to_owned(), message, hint });
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the text; problems of the file as a whole come last.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    pub(super) fn sorted(mut self) -> Self {
        self.0.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
        self
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
