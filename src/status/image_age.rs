//! How old the images of runners are, and when that begins to matter.
//!
//! GitHub gives a runner no more workflow jobs 30 days after a newer version of its program came out. When that was, only GitHub knows; but an image
//! cannot be older than the version that came after its own. So whoever is younger than 30 days is safe, and the warning comes well before.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Explanation, RunnerStatus};
use crate::config::Image;

/// Days that GitHub gives a version after the next one came out.
const LIMIT_DAYS: i64 = 30;

/// From this age on it is time to look for a newer one.
const WARN_DAYS: i64 = 20;

/// The image of a runner. The fields are those of the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageAge {
    /// As in the config.
    pub reference: String,
    /// The id of the image that the container runs: 64 hexadecimal digits.
    pub id: String,
    /// The version of the runner, where the tag of the reference names it.
    pub runner_version: Option<String>,
    /// When it was built, RFC 3339.
    pub created: String,
    /// Whole days since then.
    pub days: i64,
    /// GitHub refuses its version from this day on at the earliest, `YYYY-MM-DD` in UTC.
    pub deadline: String,
    /// Does the reference name one version, or one image, for ever?
    #[serde(skip)]
    pub is_fixed: bool,
}

impl ImageAge {
    /// The image `id` of the reference `image`, built at `created`, as it stands `now`; `None` where that is no time.
    #[must_use]
    pub fn new(image: &Image, id: &str, created: &str, now: Timestamp) -> Option<Self> {
        let built: Timestamp = created.parse().ok()?;
        let runner_version = image.version().map(str::to_owned);
        let deadline = built.saturating_add(SignedDuration::from_hours(24 * LIMIT_DAYS)).ok()?;
        Some(Self {
            reference: image.to_string(),
            id: id.to_owned(),
            is_fixed: image.is_digest() || runner_version.is_some(),
            runner_version,
            created: created.to_owned(),
            days: now.duration_since(built).as_hours().max(0) / 24,
            deadline: deadline.strftime("%Y-%m-%d").to_string(),
        })
    }

    /// Is it time to look for a newer one?
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.days >= WARN_DAYS
    }

    /// What it is and what comes of that, to be put behind "runs".
    #[must_use]
    pub fn words(&self) -> String {
        format!(
            "an image that is {} days old ({}): GitHub gives a version of the runner no workflow jobs {LIMIT_DAYS} days after the next one came out, for this one from {} on at the earliest",
            self.days, self.reference, self.deadline
        )
    }
}

/// What to say of images that have become old, one sentence for each; `user` is what comes after `runnerctl`.
#[must_use]
pub fn old_images(runners: &[RunnerStatus], user: &str) -> Vec<Explanation> {
    let mut told: Vec<&str> = Vec::new();
    let mut warnings = Vec::new();
    for image in runners.iter().filter_map(|runner| runner.image.as_ref()) {
        if !image.is_old() || told.contains(&image.id.as_str()) {
            continue;
        }
        told.push(&image.id);
        let of: Vec<String> = runners
            .iter()
            .filter(|runner| runner.image.as_ref().is_some_and(|other| other.id == image.id))
            .map(|runner| runner.number.to_string())
            .collect();
        let (runner, run) = if of.len() == 1 { ("runner", "runs") } else { ("runners", "run") };
        let cause = format!("{runner} {} {run} {}", of.join(", "), image.words());
        let hint = if image.is_fixed {
            format!("set a newer `image` in the config, then run `runnerctl install-units{user}`")
        } else {
            format!("run `runnerctl update{user}`")
        };
        warnings.push(Explanation { cause, hint: Some(hint) });
    }
    warnings
}
