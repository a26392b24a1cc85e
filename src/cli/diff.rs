//! `runnerctl diff`: exactly the plan that `install-units` would carry out.

use similar::TextDiff;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{install_units, output, progress};
use crate::apply;
use crate::fleet::plan::{MayEnd, Permissions, Step};
use crate::fleet::{FoundFile, Observed};
use crate::units::UnitFile;

/// Options of `diff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As if runners with a running workflow job could be ended
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let observed = block_on(async { Ok(apply::observe(&context.host().await?).await?) })?;
    let may_end = if args.force { MayEnd::All } else { MayEnd::Stopped };
    let is_same = show(&context, &observed, Permissions { may_end, no_start: false })?;
    Ok(if is_same { Exit::Done } else { Exit::No })
}

/// Shows the steps, and what changes in each file; is there nothing to do?
pub(super) fn show(context: &Context, observed: &Observed, allowed: Permissions) -> Result<bool, Failure> {
    // Who waits for runners ends them all in the end.
    let waits = allowed.may_end == MayEnd::Stopped;
    let shown = if waits { Permissions { may_end: MayEnd::All, ..allowed } } else { allowed };
    let plan = install_units::plan(context, observed, shown)?;
    let is_same = plan.is_empty() && plan.held_back.is_empty();
    if is_same {
        output::say("nothing to do: the host is as the config says");
    }
    for step in &plan.steps {
        output::data(&format!("{}\n", progress::words(step)))?;
        if let Step::Write(file) = step {
            output::data(&text_diff(file, observed))?;
        }
    }
    if waits {
        let now = Permissions { may_end: MayEnd::Idle, ..allowed };
        progress::tell_waiting(&install_units::plan(context, observed, now)?.held_back);
    } else {
        progress::tell_held_back(&plan.held_back);
    }
    Ok(is_same)
}

fn text_diff(file: &UnitFile, observed: &Observed) -> String {
    let Some(FoundFile::Ours { text: old, .. }) = observed.files.get(&file.path) else {
        return String::new();
    };
    TextDiff::from_lines(old.as_str(), file.text.as_str())
        .unified_diff()
        .context_radius(1)
        .to_string()
        .lines()
        .fold(String::new(), |text, line| text + "    " + line + "\n")
}
