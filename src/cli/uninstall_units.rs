//! `runnerctl uninstall-units`

use std::time::Duration;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{install_units, output, progress};
use crate::apply::{self, Host};
use crate::fleet::plan::{Permissions, Plan};

/// Options of `uninstall-units`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop runners although a workflow job runs on them; the workflow job is cancelled
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    block_on(async {
        let (host, limit) = host(global).await?;
        let _lock = install_units::lock(&host)?;
        apply::sweep(&host)?;
        let observed = apply::observe(&host).await?;
        let plan = Plan::uninstall(&observed, Permissions { force: args.force, no_start: true });
        let plan = if host.systemd.is_some() { plan } else { plan.files_only() };
        if plan.is_empty() && plan.held_back.is_empty() {
            output::say("nothing to do: no unit of ours is installed");
            return Ok(Exit::Done);
        }
        let tell = |step: &_| output::say(&progress::words(step));
        if args.dry_run {
            plan.steps.iter().for_each(tell);
        } else {
            apply::execute(&plan, &host, limit, &mut |step| tell(step)).await?;
            if plan.held_back.is_empty() {
                let kept = host.layout.state.display();
                output::say(&format!("done; identities, work folders and reports stay in {kept}"));
            }
        }
        progress::tell_held_back(&plan);
        Ok(if plan.held_back.is_empty() { Exit::Done } else { Exit::No })
    })
}

/// Removing works without a config, too: then everything is where it is by default.
async fn host(global: &GlobalArgs) -> Result<(Host, Duration), Failure> {
    if global.config_file()?.exists() {
        let context = Context::load(global)?;
        return Ok((context.host().await?, install_units::unit_limit(&context)));
    }
    let host = Host::connect(global.root(), global.layout()?).await?;
    Ok((host, Duration::from_secs(900)))
}
