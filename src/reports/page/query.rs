//! What is asked of the index.

use jiff::Timestamp;
use serde::Deserialize;

use crate::reports::{Report, Run, encoded};

/// The index's query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Directory of one workflow; empty: all.
    pub workflow: String,
    /// The word of the run's [`Outcome`](crate::reports::Outcome); empty: all.
    pub outcome: String,
    /// The word of the run's [`State`](crate::reports::State); empty: all.
    pub state: String,
    /// Text that the names or labels of one of the run's reports contain, in any case.
    pub q: String,
    /// From 0.
    pub page: usize,
}

impl Query {
    /// Is `run` asked for, as it stands at `now`?
    #[must_use]
    pub fn wants(&self, run: &Run, now: Timestamp) -> bool {
        (self.workflow.is_empty() || self.workflow == run.workflow)
            && (self.outcome.is_empty() || self.outcome == run.outcome().word())
            && (self.state.is_empty() || self.state == run.state(now).word())
            && (self.q.is_empty() || self.is_found_in(run))
    }

    fn is_found_in(&self, run: &Run) -> bool {
        let text = self.q.to_lowercase();
        run.reports().iter().any(|report| texts(report).any(|field| field.to_lowercase().contains(&text)))
    }

    pub(super) fn url(&self, page: usize) -> String {
        let fields = [
            ("workflow", &self.workflow),
            ("outcome", &self.outcome),
            ("state", &self.state),
            ("q", &self.q),
            ("page", &if page > 0 { page.to_string() } else { String::new() }),
        ];
        let given: Vec<String> = fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        if given.is_empty() { "/".to_owned() } else { format!("/?{}", given.join("&")) }
    }
}

fn texts(report: &Report) -> impl Iterator<Item = &str> {
    let labels = report.started.iter().flat_map(|label| {
        [
            &label.repository,
            &label.workflow,
            &label.workflow_job,
            &label.runner,
            &label.git_ref,
            &label.sha,
            &label.actor,
        ]
    });
    [&report.workflow, &report.run_id, &report.directory].into_iter().chain(labels).map(String::as_str)
}
