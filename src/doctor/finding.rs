//! One line of the doctor's answer.

use std::fmt;

use serde::Serialize;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works with less, or it cannot be known from here.
    Warning,
    /// The fleet needs it and the host does not have it.
    Missing,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Missing => "missing",
        })
    }
}

/// What cannot work without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Break {
    /// What the config asks for, such as `socket = "private"`.
    pub what: String,
    /// The nearest mode that works on this host, as what to do: `set socket = "none"`.
    pub instead: Option<String>,
}

/// What was found of one subject. The fields of the JSON, too: additions are fine, changes are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub subject: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found.
    pub words: String,
    /// The command or setting that mends it.
    pub mend: Option<String>,
    /// What cannot work until then; `install-units` refuses it.
    pub breaks: Option<Break>,
}

impl Finding {
    fn new(subject: impl Into<String>, verdict: Verdict, words: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict, words: words.into(), mend: None, breaks: None }
    }

    pub(super) fn ok(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Ok, words)
    }

    pub(super) fn warning(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Warning, words)
    }

    pub(super) fn missing(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Missing, words)
    }

    /// What could not be read is neither good nor missing.
    pub(super) fn unknown(subject: impl Into<String>) -> Self {
        Self::warning(subject, "cannot be read from here")
    }

    pub(super) fn mended_by(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }

    pub(super) fn breaking(self, what: impl Into<String>, instead: Option<&str>) -> Self {
        Self { breaks: Some(Break { what: what.into(), instead: instead.map(str::to_owned) }), ..self }
    }

    /// Why the fleet cannot be installed, where this is a reason.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let breaks = self.breaks.as_ref()?;
        Some(format!("{} needs {}: {}", breaks.what, self.subject, self.words))
    }

    /// The next step: what mends it, or what works without it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let instead = self.breaks.as_ref().and_then(|breaks| breaks.instead.as_deref());
        match (self.mend.as_deref(), instead) {
            (Some(mend), Some(instead)) => Some(format!("{mend}, or {instead}")),
            (mend, instead) => mend.or(instead).map(str::to_owned),
        }
    }
}
