//! `runnerctl diff`: exactly the plan that `install-units` would carry out.

use similar::TextDiff;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{install_units, output, progress};
use crate::apply;
use crate::fleet::plan::{Permissions, Plan, Step};
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
    let (plan, observed) = block_on(async {
        let observed = apply::observe(&context.host().await?).await?;
        let allowed = Permissions { force: args.force, no_start: false };
        Ok((install_units::plan(&context, &observed, allowed)?, observed))
    })?;
    show(&plan, &observed)?;
    Ok(if plan.is_empty() && plan.held_back.is_empty() { Exit::Done } else { Exit::No })
}

/// Shows the steps, and what changes in each file.
pub(super) fn show(plan: &Plan, observed: &Observed) -> Result<(), Failure> {
    if plan.is_empty() && plan.held_back.is_empty() {
        output::say("nothing to do: the host is as the config says");
    }
    for step in &plan.steps {
        output::data(&format!("{}\n", progress::words(step)))?;
        if let Step::Write(file) = step {
            output::data(&text_diff(file, observed))?;
        }
    }
    progress::tell_held_back(plan);
    Ok(())
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
