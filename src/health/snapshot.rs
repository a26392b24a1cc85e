//! All that is known at one moment: what is served, and nothing else.

use jiff::Timestamp;
use serde::Serialize;

use super::event::Event;
use super::history::Minute;
use super::queue::Queue;
use super::verdict::Verdict;
use super::witness::{Usage, Witnesses, WorkflowJob};
use crate::status::ImageAge;

/// The fleet at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Snapshot {
    /// When.
    pub time: Timestamp,
    /// Are runners restarted, or only watched?
    pub may_heal: bool,
    /// By number.
    pub runners: Vec<RunnerHealth>,
    /// The newest, oldest first.
    #[serde(skip)]
    pub events: Vec<Event>,
    /// What waits at GitHub.
    #[serde(skip)]
    pub queue: Queue,
}

/// One runner at that moment. The fields of the JSON, too: additions are fine, changes are not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunnerHealth {
    /// From 1.
    pub number: u16,
    /// At GitHub and of the container.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// Who says what, and who is wrong.
    pub why: &'static str,
    /// The next step, where there is one.
    pub hint: Option<String>,
    /// Since when the verdict is this.
    pub since: Timestamp,
    /// How often this monitor has restarted it.
    pub heals: u32,
    /// It is doing so.
    pub healing: bool,
    /// What the three say.
    pub witnesses: Witnesses,
    /// What it uses; `null` before the first look.
    pub usage: Option<Usage>,
    /// The workflow job that it says it runs; `null` where it runs none, or does not say.
    pub workflow_job: Option<WorkflowJob>,
    /// The image of its container, how old that is and until when GitHub takes it; `null` where that is not known.
    pub image: Option<ImageAge>,
    /// What it used in the last hour, oldest first.
    #[serde(skip)]
    pub history: Vec<Minute>,
}

impl Snapshot {
    /// The runner of that number.
    #[must_use]
    pub fn runner(&self, number: u16) -> Option<&RunnerHealth> {
        self.runners.iter().find(|runner| runner.number == number)
    }

    /// Does every runner serve that nobody took out of service?
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.runners.iter().all(|runner| runner.verdict.is_serving() || runner.verdict == Verdict::Drained)
    }
}
