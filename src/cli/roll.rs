//! `runnerctl roll`: after a switch of NixOS, or another who puts units into place.

use super::context::{Context, GlobalArgs, block_on};
use super::ending::{self, Waiting};
use super::exit::Exit;
use super::failure::Failure;
use super::{install_units, output, power};
use crate::apply::{self, Host, roll};
use crate::fleet::{Roll, names};
use crate::systemd::{Systemd, UnitJob};

/// Options of `roll`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Change nothing; say whether a runner that the config has no more runs a workflow job
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    block_on(async {
        let host = context.host().await?;
        let Some(systemd) = &host.systemd else {
            return Err(ending::nothing_runs());
        };
        if args.check {
            return check(&context, &host, systemd).await;
        }
        write_scripts(&context, &host)?;
        let removed =
            roll::remove_leftovers(&host, systemd, &context.fleet, &context.programs.podman).await?;
        for number in removed {
            output::say(&format!(
                "runner {number} is gone: removed the network and the images of its engine"
            ));
        }
        roll_all(&context, &host, systemd).await
    })
}

async fn check(context: &Context, host: &Host, systemd: &Systemd) -> Result<Exit, Failure> {
    let busy = roll::busy_leftovers(host, systemd, &context.fleet).await?;
    for number in &busy {
        output::warn(
            &format!("runner {number} is to be removed and runs a workflow job, which would be cancelled"),
            Some(&format!(
                "wait until it is idle (`runnerctl status`), or cancel it: systemctl stop {}",
                names::service(*number)
            )),
        );
    }
    Ok(if busy.is_empty() { Exit::Done } else { Exit::No })
}

/// What the containers run lies with the state: a running container must see it change as one piece, and never lose it.
fn write_scripts(context: &Context, host: &Host) -> Result<(), Failure> {
    let _lock = install_units::lock(host)?;
    apply::sweep(host)?;
    let files = context.files();
    let scripts: Vec<_> =
        files.iter().filter(|file| file.path.starts_with(&context.fleet.layout.scripts)).collect();
    for name in roll::write_files(host, &scripts)? {
        output::say(&format!("wrote {name}"));
    }
    Ok(())
}

/// Until every runner of the fleet has its new text, or had its chance.
async fn roll_all(context: &Context, host: &Host, systemd: &Systemd) -> Result<Exit, Failure> {
    let todo = Roll::of(&roll::fleet_now(host, systemd, &context.fleet).await?);
    let starts: Vec<UnitJob> = todo.start.iter().map(UnitJob::start).collect();
    let are_started = power::run_jobs(context, systemd, &starts).await?;
    let endings = ending::of(context, host, Waiting { timeout: None })?;
    let are_restarted = ending::all_well(todo.restart.iter().map(|number| endings.restart(*number))).await?;
    Ok(if are_started && are_restarted { Exit::Done } else { Exit::No })
}
