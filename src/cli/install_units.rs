//! `runnerctl install-units`: validate all → write → reload → start → verify.

use super::context::{Context, GlobalArgs, block_on};
use super::ending::{self, Patience};
use super::exit::Exit;
use super::failure::Failure;
use super::{diff, facts, github_client, held_back, output, power, progress};
use crate::apply::{self, Host};
use crate::config::{SocketMode, UnitFormat};
use crate::doctor::examine;
use crate::files::{self, Lock, Root};
use crate::fleet::Observed;
use crate::fleet::plan::{MayEnd, Permissions, Plan, Step};
use crate::programs;

/// Options of `install-units`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    patience: Patience,
    /// Do not wait: leave busy runners alone, and end with exit code 1 if there are any; for scripts
    #[arg(long, conflicts_with_all = ["timeout", "force"])]
    no_wait: bool,
    /// Write the units and start nothing that is not running
    #[arg(long)]
    no_start: bool,
}

impl Args {
    fn may_end(&self) -> MayEnd {
        match (self.patience.force, self.no_wait) {
            (true, _) => MayEnd::All,
            (false, true) => MayEnd::Idle,
            (false, false) => MayEnd::Stopped,
        }
    }
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    check_tokens(&context)?;
    warn_about_socket(&context);
    super::check::warn_about_http(&context.fleet);
    let on_host = context.root == Root::host();
    if on_host {
        check_host(&context, global)?;
    }
    let allowed = Permissions { may_end: args.may_end(), no_start: args.no_start || !on_host };
    block_on(install(args, &context, allowed))
}

async fn install(args: &Args, context: &Context, allowed: Permissions) -> Result<Exit, Failure> {
    let host = context.host().await?;
    if args.dry_run {
        diff::show(context, &apply::observe(&host).await?, allowed)?;
        return Ok(Exit::Done);
    }
    let _lock = lock(&host)?;
    apply::sweep(&host)?;
    let observed = apply::observe(&host).await?;
    let plan = plan(context, &observed, allowed)?;
    if plan.is_empty() && plan.held_back.is_empty() {
        output::say("nothing to do: the host is as the config says");
        return Ok(Exit::Done);
    }
    let say = &mut |step: &Step| output::say(&progress::words(step));
    let execution = apply::execute(&plan, &host, context.fleet.unit_limit(), say).await?;
    let mut all_well = match &host.systemd {
        Some(systemd) => power::tell_outcomes(context, systemd, &execution.outcomes).await?,
        None => true,
    };
    match allowed.may_end {
        MayEnd::Stopped if !plan.held_back.is_empty() => {
            let endings = ending::of(context, &host, args.patience.waiting)?;
            all_well &= held_back::change(context, &endings, &plan.held_back).await?;
        }
        _ => {
            progress::tell_held_back(&plan.held_back);
            all_well &= plan.held_back.is_empty();
        }
    }
    verify(context, &host, allowed).await?;
    if all_well && host.systemd.is_some() {
        output::say(&format!(
            "done; `runnerctl status{}` shows the fleet",
            context.fleet.layout.scope.option()
        ));
    }
    Ok(if all_well { Exit::Done } else { Exit::No })
}

/// What there is to do: the same for `diff`, `--dry-run` and the real run.
pub(super) fn plan(context: &Context, observed: &Observed, allowed: Permissions) -> Result<Plan, Failure> {
    let plan = Plan::install(&context.files(), observed, allowed)?
        .with_accounts(&context.fleet.accounts(), observed)?;
    Ok(if context.root == Root::host() { plan } else { plan.files_only() })
}

/// After the last step the same question has to have the answer "nothing to do", but for runners that did not start.
async fn verify(context: &Context, host: &Host, allowed: Permissions) -> Result<(), Failure> {
    let again = plan(context, &apply::observe(host).await?, Permissions { no_start: true, ..allowed })?;
    match again.steps.iter().find(|step| !matches!(step, Step::Restart(_))) {
        None => Ok(()),
        Some(step) => Err(Failure::new(
            format!("the host does not show what was done: still to do: {}", progress::words(step)),
            "another program may have changed it meanwhile; run install-units again",
        )),
    }
}

/// One run at a time.
pub(super) fn lock(host: &Host) -> Result<Lock, Failure> {
    Lock::take(&host.lock_file())?.ok_or_else(|| {
        Failure::new(
            "another runnerctl is changing this fleet",
            "wait until it has ended, then run this again",
        )
    })
}

/// A token that is missing is one runner's affair; a file that cannot be trusted is everybody's.
fn check_tokens(context: &Context) -> Result<(), Failure> {
    if context.fleet.github.has_api() {
        return github_client::check(context).map_err(|failure| {
            output::failure(&failure);
            Failure::new("nothing was changed", "mend that, then run this again")
        });
    }
    let place = &context.fleet.layout.tokens;
    if context.root != Root::host() && !context.root.at(place).exists() {
        return Ok(());
    }
    match context.tokens() {
        Ok(tokens) => {
            for runner in &context.fleet.runners {
                let registered = context.root.at(&runner.paths.identity_mark()).exists();
                if let (Err(error), false) = (tokens.of(runner.number), registered) {
                    let text =
                        format!("runner {} cannot register: {error} in {}", runner.number, place.display());
                    output::warn(&text, Some(error.hint()));
                }
            }
            Ok(())
        }
        Err(failure) => {
            failure.tell(place);
            Err(Failure::new("nothing was changed", "mend the tokens file, then run this again"))
        }
    }
}

fn warn_about_socket(context: &Context) {
    if context.fleet.runners.iter().any(|runner| runner.socket == SocketMode::Host) {
        output::warn(
            "socket = \"host\": whoever can run a workflow on these runners is root on this host",
            Some("use it for repositories you trust alone, or set socket = \"private\" or \"none\""),
        );
    }
}

/// What would fail later fails here, before anything is written, and all of it at once.
fn check_host(context: &Context, global: &GlobalArgs) -> Result<(), Failure> {
    let needs = facts::needs(context);
    let findings = examine(&block_on(async { Ok(facts::gather(global, &needs).await) })?, &needs);
    let refusals: Vec<_> =
        findings.iter().filter_map(|finding| Some((finding.refusal()?, finding.hint()))).collect();
    for (refusal, hint) in &refusals {
        output::error(refusal, hint.as_deref());
    }
    if !refusals.is_empty() {
        return Err(Failure::new(
            "nothing was changed: this host lacks what the config asks for",
            format!("`runnerctl doctor{}` shows the rest of it", global.repeated()),
        ));
    }
    if context.fleet.unit_format == UnitFormat::Quadlet {
        check_quadlet(context)?;
    }
    Ok(())
}

/// Podman's own generator reads the files before systemd would.
fn check_quadlet(context: &Context) -> Result<(), Failure> {
    // Where there is none the examination has refused already.
    let Some(generator) = programs::generator() else { return Ok(()) };
    let directory = tempfile::tempdir()?;
    for file in context.files().iter().filter(|file| file.path.starts_with(&context.fleet.layout.quadlet_dir))
    {
        files::write(&directory.path().join(file.name()), file.text.as_bytes(), file.mode)?;
    }
    programs::refuses(&generator, directory.path(), context.fleet.layout.scope).map_err(|error| Failure {
        message: format!("Podman's Quadlet refuses the files; nothing was changed: {error}"),
        hint: Some("set unit_format = \"service\" in the config, or install a newer Podman".to_owned()),
    })
}
