//! `runnerctl reports prune`

use std::collections::HashSet;
use std::ffi::OsString;

use jiff::Timestamp;
use rustix::process::geteuid;
use serde::Serialize;

use crate::apply::retention::{self, Found, Pruned, Reports, words};
use crate::cli::context::{Context, GlobalArgs};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::config::Retention;
use crate::reports::{Exceeded, Held, Reason, Removal, RetentionPlan, over_budget};
use crate::status::size;

/// Options of `reports prune`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Show what would go, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// What went or would go. The fields of the JSON: additions are fine, changes are not.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Nothing was deleted.
    dry_run: bool,
    /// What ended longest ago first.
    removed: Vec<Removed>,
    /// Bytes that became free, at most: what has other names elsewhere (hard links) stays.
    freed_bytes: u64,
    /// Bytes on the disk afterwards.
    left_bytes: u64,
    /// Budgets that are not kept since what is left has to stay.
    exceeded: Vec<Over>,
    /// Directories of workflows that file no reports until they take less of the disk.
    over_budget: Vec<String>,
    /// What was written to after the plan was made: it stays.
    changed: Vec<String>,
    /// What could not be looked at or deleted.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Removed {
    workflow: String,
    /// `null`: it bears the name above itself.
    name: Option<String>,
    /// It is a workflow run, and no junk.
    run: bool,
    bytes: u64,
    reason: Reason,
    #[serde(skip)]
    words: String,
}

#[derive(Debug, Serialize)]
struct Over {
    /// `null`: all together.
    workflow: Option<String>,
    budget: Reason,
    /// Bytes, or runs for `runs_max`.
    by: u64,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    // In the user namespace we are its root.
    if context.is_rootless() && !geteuid().is_root() {
        return Err(context.become_unshared(&[]));
    }
    let place = context.root.at(&context.fleet.layout.reports);
    let report = match Reports::open(&place)? {
        Some(mut reports) => prune(args, &mut reports, &context.fleet.reports.retention)?,
        None => Report { dry_run: args.dry_run, ..Report::default() },
    };
    if args.json {
        output::json(&report)?;
    } else {
        tell(&report)?;
    }
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::No })
}

fn prune(args: &Args, reports: &mut Reports, retention: &Retention) -> Result<Report, Failure> {
    let now = Timestamp::now();
    if args.dry_run {
        let Found { held, problems } = reports.measure(now)?;
        let plan = RetentionPlan::new(&held, retention, now);
        let over: Vec<OsString> =
            over_budget(left(&held, &plan.removals), retention).into_iter().map(Into::into).collect();
        let pruned = Pruned { removed: plan.removals.clone(), problems, ..Pruned::default() };
        return Ok(Report::of(&held, &plan, pruned, &over, true));
    }
    let (own, lock) = reports.own()?;
    let _lock = lock.ok_or_else(|| {
        Failure::new(
            "another runnerctl reports prune is at work",
            "wait until it has ended, then run this again",
        )
    })?;
    let swept = reports.sweep(&own).err().map(|error| error.to_string());
    let Found { held, problems } = reports.measure(now)?;
    let plan = RetentionPlan::new(&held, retention, now);
    let mut pruned = reports.prune(&plan, &own, now)?;
    let over = retention::mark(&own, left(&held, &pruned.removed), retention)?;
    pruned.problems = swept.into_iter().chain(problems).chain(pruned.problems).collect();
    Ok(Report::of(&held, &plan, pruned, &over, false))
}

fn left<'a>(held: &'a [Held], removed: &[Removal]) -> impl Iterator<Item = &'a Held> {
    let gone: HashSet<_> =
        removed.iter().map(|removal| (removal.held.workflow.clone(), removal.held.name.clone())).collect();
    held.iter().filter(move |held| !gone.contains(&(held.workflow.clone(), held.name.clone())))
}

impl Report {
    fn of(held: &[Held], plan: &RetentionPlan, pruned: Pruned, over: &[OsString], dry_run: bool) -> Self {
        Self {
            dry_run,
            freed_bytes: pruned.removed.iter().map(|removal| removal.held.bytes).sum(),
            left_bytes: left(held, &pruned.removed).map(|held| held.bytes).sum(),
            removed: pruned.removed.iter().map(Removed::of).collect(),
            exceeded: plan.exceeded.iter().map(Over::of).collect(),
            over_budget: over.iter().map(|name| name.to_string_lossy().into_owned()).collect(),
            changed: pruned.changed.iter().map(words).collect(),
            problems: pruned.problems,
        }
    }
}

impl Removed {
    fn of(removal: &Removal) -> Self {
        let held = &removal.held;
        Self {
            workflow: held.workflow.to_string_lossy().into_owned(),
            name: held.name.as_ref().map(|name| name.to_string_lossy().into_owned()),
            run: held.run.is_some(),
            bytes: held.bytes,
            reason: removal.reason,
            words: words(held),
        }
    }
}

impl Over {
    fn of(exceeded: &Exceeded) -> Self {
        Self {
            workflow: exceeded.workflow.as_ref().map(|name| name.to_string_lossy().into_owned()),
            budget: exceeded.budget,
            by: exceeded.by,
        }
    }

    fn sentence(&self) -> String {
        let whose =
            self.workflow.as_ref().map_or_else(|| "all reports".to_owned(), |name| format!("{name:?}"));
        let by = match self.budget {
            Reason::RunsMax => format!("{} runs", self.by),
            _ => size(self.by),
        };
        format!("{whose} has {by} more than {}, and what is left has to stay", self.budget.key())
    }
}

/// What goes is data; everything else is said beside.
fn tell(report: &Report) -> Result<(), Failure> {
    let (goes, frees) = if report.dry_run { ("would go", "would free") } else { ("deleted", "freed") };
    for removed in &report.removed {
        output::data(&format!(
            "{goes}: {}, {} ({})\n",
            removed.words,
            size(removed.bytes),
            removed.reason.key()
        ))?;
    }
    if !report.removed.is_empty() {
        output::say(&format!(
            "{frees} up to {}; {} of reports stay",
            size(report.freed_bytes),
            size(report.left_bytes)
        ));
    } else if report.problems.is_empty() {
        output::say("nothing to delete: the reports keep within their budgets, or have to stay");
    }
    for changed in &report.changed {
        output::warn(
            &format!("{changed} was written to meanwhile: it is left alone"),
            Some("it is looked at again at the next run"),
        );
    }
    for over in &report.exceeded {
        let hint = "running ones, the newest run of a workflow, its last good and its last failing one stay; \
                    raise the budget in [reports.retention], or delete some by hand";
        output::warn(&over.sentence(), Some(hint));
    }
    for workflow in &report.over_budget {
        output::warn(
            &format!("{workflow:?} holds too much: its next workflow jobs file no report"),
            Some("that ends with the first run that finds it below workflow_max"),
        );
    }
    for problem in &report.problems {
        output::error(problem, None);
    }
    Ok(())
}
