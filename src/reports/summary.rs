//! The lines of `runnerctl reports list`.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use jiff::Timestamp;
use serde::Serialize;

use super::{Run, visible};
use crate::status::size;

/// One workflow run. The fields of the JSON: additions are fine, changes are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Name of the workflow's directory.
    pub workflow: String,
    /// Name of the run's directory.
    pub run_id: String,
    /// When its newest workflow job began, RFC 3339.
    pub began: String,
    /// The word of its outcome: `passed`, `flaky`, `failed`, `unknown`.
    pub outcome: &'static str,
    /// The word of its state: `running`, `complete`, `broken`.
    pub state: &'static str,
    /// Bytes on the disk.
    pub bytes: u64,
    /// How many workflow jobs filed something.
    pub reports: usize,
}

impl RunSummary {
    /// `run` as it stands at `now`, with its `bytes` on the disk.
    #[must_use]
    pub fn of(run: &Run, bytes: u64, now: Timestamp) -> Self {
        Self {
            workflow: run.workflow.clone(),
            run_id: run.run_id.clone(),
            began: run.began.to_string(),
            outcome: run.outcome().word(),
            state: run.state(now).word(),
            bytes,
            reports: run.reports().len(),
        }
    }
}

/// The runs as a table for people; `since` turns a time stamp into the reader's words.
#[must_use]
pub fn table(runs: &[RunSummary], since: &dyn Fn(&str) -> String) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["WORKFLOW", "RUN", "OUTCOME", "STATE", "AGE", "SIZE", "REPORTS"]);
    for run in runs {
        table.add_row([
            visible(&run.workflow),
            visible(&run.run_id),
            run.outcome.to_owned(),
            run.state.to_owned(),
            since(&run.began),
            size(run.bytes),
            run.reports.to_string(),
        ]);
    }
    for column in [5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.trim_fmt()
}
