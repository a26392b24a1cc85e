//! `runnerctl prune`

use std::path::PathBuf;

use serde::Serialize;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::selection::Selection;
use crate::apply::prune::{self, Found};
use crate::apply::{Host, prune::words};
use crate::files::Lock;
use crate::fleet::Runner;
use crate::prune::{Kind, PrunePlan, Reason, Removal};
use crate::status::size;

/// Options of `prune`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Show what would go, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
    /// Where the control groups are: given to itself in the user namespace, from where no bus lets it in
    #[arg(long, hide = true, value_name = "DIR")]
    control_groups: Option<PathBuf>,
}

/// What went or would go. The fields of the JSON: additions are fine, changes are not.
#[derive(Debug, Serialize)]
struct Report {
    /// Nothing was deleted.
    dry_run: bool,
    removed: Vec<Removed>,
    /// Bytes that became free, at most: what other entries hold as well (hard links, layers) stays.
    freed_bytes: u64,
    /// Bytes that were free at first below the state directory; `null` where there is none yet.
    free_bytes: Option<u64>,
    /// Bytes that lack to `free_disk_min` afterwards.
    shortage_bytes: u64,
    /// Runners that hold more than their budget and were left alone, since a workflow job runs on them.
    busy: Vec<u16>,
    /// What could not be looked at or deleted.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Removed {
    runner: u16,
    kind: Kind,
    /// The path, quoted, or the image's names.
    name: String,
    bytes: u64,
    reason: Reason,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.selection.of(&context.fleet)?;
    block_on(async {
        let host = host(args, &context).await?;
        let _lock = if args.dry_run { None } else { Some(lock(&host)?) };
        let report = prune(args, &context, &host, &selected).await?;
        if args.json {
            output::json(&report)?;
        } else {
            tell(&report)?;
        }
        Ok(if report.problems.is_empty() { Exit::Done } else { Exit::No })
    })
}

/// The files of rootless containers belong to ids that only the user namespace maps, so there the rest happens inside of it.
async fn host(args: &Args, context: &Context) -> Result<Host, Failure> {
    if let Some(control_groups) = &args.control_groups {
        return Ok(Host {
            root: context.root.clone(),
            layout: context.fleet.layout.clone(),
            systemd: None,
            control_groups: control_groups.clone(),
        });
    }
    let host = context.host().await?;
    if context.is_rootless() {
        let control_groups = ["--control-groups".into(), host.control_groups.into()];
        return Err(context.become_unshared(&control_groups));
    }
    Ok(host)
}

fn lock(host: &Host) -> Result<Lock, Failure> {
    Lock::take(&host.prune_lock_file())?.ok_or_else(|| {
        Failure::new("another runnerctl prune is at work", "wait until it has ended, then run this again")
    })
}

async fn prune(args: &Args, context: &Context, host: &Host, selected: &[&Runner]) -> Result<Report, Failure> {
    let (fleet, podman) = (&context.fleet, &context.programs.podman);
    let mut problems = Vec::new();
    if !args.dry_run {
        let swept = selected.iter().map(|runner| prune::sweep_trash(host, runner));
        problems.extend(swept.filter_map(Result::err).map(|error| error.to_string()));
    }
    let Found { usages, free, problems: unseen } = prune::measure(host, fleet, selected, podman).await?;
    problems.extend(unseen);
    let plan = PrunePlan::new(&usages, &fleet.prune, free);
    let mut busy = plan.held_back.clone();
    let removed = if args.dry_run {
        plan.removals.clone()
    } else {
        let pruned = prune::prune(&plan, host, fleet, podman).await?;
        busy.extend(pruned.became_busy);
        problems.extend(pruned.problems);
        pruned.removed
    };
    let freed: u64 = removed.iter().map(|removal| removal.entry.bytes).sum();
    Ok(Report {
        dry_run: args.dry_run,
        removed: removed.iter().filter_map(|removal| Removed::new(removal, context)).collect(),
        freed_bytes: freed,
        free_bytes: (free < u64::MAX).then_some(free),
        shortage_bytes: fleet.prune.floor().saturating_sub(free.saturating_add(freed)),
        busy,
        problems,
    })
}

impl Removed {
    fn new(removal: &Removal, context: &Context) -> Option<Self> {
        Some(Self {
            runner: removal.runner,
            kind: removal.entry.kind,
            name: words(removal, context.fleet.runner(removal.runner)?),
            bytes: removal.entry.bytes,
            reason: removal.reason,
        })
    }
}

/// What goes is data; everything else is said beside.
fn tell(report: &Report) -> Result<(), Failure> {
    let (goes, frees) = if report.dry_run { ("would go", "would free") } else { ("deleted", "freed") };
    for removed in &report.removed {
        let (runner, name, reason) = (removed.runner, &removed.name, removed.reason.key());
        output::data(&format!("{goes}: {name} of runner {runner}, {} ({reason})\n", size(removed.bytes)))?;
    }
    if report.removed.is_empty() && report.problems.is_empty() {
        output::say("nothing to delete: every idle runner is within its budgets");
    } else if !report.removed.is_empty() {
        output::say(&format!("{frees} up to {}", size(report.freed_bytes)));
    }
    for runner in &report.busy {
        output::warn(
            &format!("runner {runner} runs a workflow job: it is left alone"),
            Some("it is looked at again at the next run"),
        );
    }
    if report.shortage_bytes > 0 {
        output::warn(
            &format!(
                "{} lack to free_disk_min: idle runners take no workflow job",
                size(report.shortage_bytes)
            ),
            Some("free some disk space, or lower prune.free_disk_min"),
        );
    }
    for problem in &report.problems {
        output::error(problem, None);
    }
    Ok(())
}
