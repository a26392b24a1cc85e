//! `runnerctl gc`: registrations of runners that the fleet has no more.

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{ending, github_client, output};
use crate::apply::Host;
use crate::apply::registrations::{self, Kept, StaysError};
use crate::config::GithubUrl;
use crate::fleet::names;
use crate::github::{Client, Removal};

/// Options of `gc`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let client = github_client::of(&context)?.ok_or_else(|| github_client::none("gc"))?;
    block_on(async {
        let host = context.host().await?;
        let stale = stale(&context, &host).await?;
        if stale.is_empty() {
            output::say(
                "nothing to remove: every registration of this host belongs to a runner of the fleet",
            );
            return Ok(Exit::Done);
        }
        let url = &context.fleet.url;
        if args.dry_run {
            for kept in &stale {
                match kept.elsewhere(url) {
                    None => output::say(&format!("would remove {}", words(kept))),
                    Some(error) => tell_stays(kept, &error),
                }
            }
            return Ok(Exit::Done);
        }
        Ok(if remove(&host, &client, url, &stale).await { Exit::Done } else { Exit::No })
    })
}

/// What the fleet has no runner for, and does not run any more.
async fn stale(context: &Context, host: &Host) -> Result<Vec<Kept>, Failure> {
    let systemd = host.systemd.as_ref().ok_or_else(ending::nothing_runs)?;
    let mut stale = Vec::new();
    for kept in registrations::kept(host)? {
        if context.fleet.runner(kept.number).is_some() {
            continue;
        }
        let states = systemd.observe(&[names::service(kept.number).as_str()]).await?;
        if !states.iter().any(|state| state.active_state.is_started()) {
            stale.push(kept);
        }
    }
    Ok(stale)
}

fn words(kept: &Kept) -> String {
    match kept.note.id {
        Some(id) => format!("{} (id {id})", kept.note.name),
        None => format!("{}, if GitHub has it", kept.note.name),
    }
}

/// Says why a registration stays.
pub(super) fn tell_stays(kept: &Kept, error: &StaysError) {
    output::error(&format!("{}: {error}", kept.note.name), error.hint().as_deref());
}

/// Removes them at GitHub, where `url` is, and says so; are all gone?
pub(super) async fn remove(host: &Host, client: &Client, url: &GithubUrl, kept: &[Kept]) -> bool {
    let mut all_gone = true;
    for kept in kept {
        let name = &kept.note.name;
        match registrations::remove(host, client, url, kept).await {
            Ok(Removal::Removed) => output::say(&format!("{name}: removed at GitHub")),
            Ok(Removal::AlreadyGone) => output::say(&format!("{name}: was not there any more")),
            Ok(Removal::Busy) => {
                all_gone = false;
                let again = "GitHub calls it busy; try again a minute after its workflow job has ended";
                output::warn(&format!("{name}: stays registered"), Some(again));
            }
            Err(error) => {
                all_gone = false;
                tell_stays(kept, &error);
            }
        }
    }
    all_gone
}
