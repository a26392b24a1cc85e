//! Results of steps and of the workflow job.

use serde_json::{Value, json};

/// `TaskResult` of the real runner, with its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskResult {
    Succeeded = 0,
    Failed = 2,
    Canceled = 3,
    Skipped = 4,
}

impl TaskResult {
    /// The word that the run service wants.
    pub(crate) fn conclusion(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
        }
    }

    /// Adds the result of one more step: a cancellation outweighs a failure, a failure a success.
    pub(crate) fn and(self, step: Self) -> Self {
        match (self, step) {
            (Self::Canceled, _) | (_, Self::Canceled) => Self::Canceled,
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            _ => Self::Succeeded,
        }
    }
}

/// What came of a step.
#[derive(Debug)]
pub(crate) struct StepResult {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) result: TaskResult,
    pub(crate) started_at: jiff::Timestamp,
    pub(crate) completed_at: jiff::Timestamp,
    pub(crate) log: String,
    pub(crate) summary: String,
}

impl StepResult {
    pub(crate) fn json(&self, number: usize) -> Value {
        json!({
            "external_id": self.id,
            "number": number,
            "name": self.name,
            "status": "completed",
            "conclusion": self.result.conclusion(),
            "started_at": format!("{:.3}", self.started_at),
            "completed_at": format!("{:.3}", self.completed_at),
            "log": self.log,
            "summary": self.summary,
        })
    }
}
