//! `runnerctl uninstall-units`

use std::time::Duration;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{gc, github_client, install_units, output, progress};
use crate::apply::{self, Host, registrations};
use crate::config::GithubUrl;
use crate::files::Root;
use crate::fleet::plan::{MayEnd, Permissions, Plan};
use crate::github::Client;

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
        let Found { host, limit, github } = host(global).await?;
        let _lock = install_units::lock(&host)?;
        apply::sweep(&host)?;
        let observed = apply::observe(&host).await?;
        let may_end = if args.force { MayEnd::All } else { MayEnd::Idle };
        let plan = Plan::uninstall(&observed, Permissions { may_end, no_start: true });
        let plan = if host.systemd.is_some() { plan } else { plan.files_only() };
        if plan.is_empty() && plan.held_back.is_empty() {
            output::say("nothing to do: no unit of ours is installed");
            return remove_registrations(&host, github.as_ref(), args.dry_run).await;
        }
        let tell = |step: &_| output::say(&progress::words(step));
        if args.dry_run {
            plan.steps.iter().for_each(tell);
        } else {
            apply::execute(&plan, &host, limit, &mut |step| tell(step)).await?;
        }
        progress::tell_held_back(&plan.held_back);
        if !plan.held_back.is_empty() {
            return Ok(Exit::No);
        }
        let exit = remove_registrations(&host, github.as_ref(), args.dry_run).await?;
        if !args.dry_run {
            let identities = if github.is_some() { "" } else { "identities, " };
            let kept = host.layout.state.display();
            output::say(&format!("done; {identities}work folders and reports stay in {kept}"));
        }
        Ok(exit)
    })
}

/// Where this host may, no runner stays behind at GitHub. Without that the identities stay: they make the way back short.
async fn remove_registrations(
    host: &Host,
    github: Option<&(Client, GithubUrl)>,
    is_dry: bool,
) -> Result<Exit, Failure> {
    let Some((client, url)) = github else { return Ok(Exit::Done) };
    let kept = registrations::kept(host)?;
    if is_dry {
        for kept in &kept {
            match kept.elsewhere(url) {
                None => output::say(&format!("remove {} at GitHub", kept.note.name)),
                Some(error) => gc::tell_stays(kept, &error),
            }
        }
        return Ok(Exit::Done);
    }
    Ok(if gc::remove(host, client, url, &kept).await { Exit::Done } else { Exit::No })
}

struct Found {
    host: Host,
    limit: Duration,
    github: Option<(Client, GithubUrl)>,
}

/// Removing works without a config, too: then everything is where it is by default.
async fn host(global: &GlobalArgs) -> Result<Found, Failure> {
    if global.config_file()?.exists() {
        let context = Context::load(global)?;
        let client = if context.root == Root::host() { github_client::of(&context)? } else { None };
        let limit = context.fleet.unit_limit();
        let github = client.map(|client| (client, context.fleet.url.clone()));
        return Ok(Found { host: context.host().await?, limit, github });
    }
    let host = Host::connect(global.root(), global.layout()?).await?;
    Ok(Found { host, limit: Duration::from_secs(900), github: None })
}
