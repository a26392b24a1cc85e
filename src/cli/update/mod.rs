//! `runnerctl update`

mod words;

use std::collections::BTreeSet;

use serde::Serialize;
use tokio::sync::watch;

use super::context::{Context, GlobalArgs, block_on};
use super::ending::{self, Patience};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::selection::Selection;
use crate::apply::trial;
use crate::apply::update::{News, Updater};
use crate::apply::{Error, Host};
use crate::config::Image;
use crate::files::Lock;
use crate::fleet::{Runner, Standing};
use words::Words;

/// Options of `update`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    patience: Patience,
    /// Pull nothing and change nothing: compare with what the engine has already
    #[arg(long)]
    dry_run: bool,
    /// What became of each image and runner, as JSON
    #[arg(long)]
    json: bool,
}

/// What became of one image. The fields are those of the JSON: additions are fine, changes are not.
#[derive(Debug, Serialize)]
struct Report {
    /// The reference, as in the config.
    image: String,
    outcome: Outcome,
    /// The id that the reference meant before.
    before: Option<String>,
    /// The id of the new image.
    new: Option<String>,
    runners: Vec<RunnerReport>,
}

#[derive(Debug, Serialize)]
struct RunnerReport {
    number: u16,
    name: String,
    /// The id of the image that it runs.
    image: Option<String>,
    standing: Standing,
}

/// How the update of an image ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// By its digest.
    Pinned,
    PullFailed,
    NothingNew,
    DryRun,
    Updated,
    /// The time was up, and workflow jobs still ran.
    Busy,
    Interrupted,
    /// The new image did not work.
    Failed,
}

impl Outcome {
    fn is_well(self) -> bool {
        matches!(self, Self::Pinned | Self::NothingNew | Self::DryRun | Self::Updated)
    }
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.selection.of(&context.fleet)?;
    block_on(async {
        let host = context.host().await?;
        let endings = ending::of(&context, &host, args.patience.waiting)?;
        let _lock = if args.dry_run { None } else { Some(begin(&host).await?) };
        let (sender, interrupted) = watch::channel(false);
        let engine = &context.programs.engine;
        let updater = Updater { drain: endings.drain(), engine, force: args.patience.force, interrupted };
        let command = Command { args, context: &context, updater };
        let reports = tokio::select! {
            reports = command.all(&selected) => reports?,
            leaves = interruption(&sender) => return Err(leaves.err().unwrap_or_else(|| Failure::new(
                "interrupted twice: a runner may be stopped",
                "`runnerctl up` starts it, and `runnerctl update` goes on",
            ))),
        };
        if args.json {
            output::json(&reports)?;
        }
        let is_well = |report: &Report| {
            let is_changed = |runner: &RunnerReport| runner.standing == Standing::Changed;
            report.outcome.is_well() && !report.runners.iter().any(is_changed)
        };
        Ok(if reports.iter().all(is_well) { Exit::Done } else { Exit::No })
    })
}

/// One update at a time; what one left that was killed goes first.
async fn begin(host: &Host) -> Result<Lock, Failure> {
    let lock = Lock::take(&host.update_lock_file())?.ok_or_else(|| {
        Failure::new(
            "another runnerctl is updating this fleet",
            "wait until it has ended, then run this again",
        )
    })?;
    if let (true, Some(systemd)) = (trial::sweep(host)?, &host.systemd) {
        systemd.reload().await?;
    }
    Ok(lock)
}

/// The first one ends the update as soon as no runner is out of service, the second one at once.
async fn interruption(sender: &watch::Sender<bool>) -> Result<(), Failure> {
    tokio::signal::ctrl_c().await?;
    output::say("interrupted: a runner that is being replaced is seen to first (once more: leave at once)");
    sender.send_replace(true);
    Ok(tokio::signal::ctrl_c().await?)
}

struct Command<'a> {
    args: &'a Args,
    context: &'a Context,
    updater: Updater<'a>,
}

impl Command<'_> {
    /// One image after the other; the first that fails is the last.
    async fn all(&self, selected: &[&Runner]) -> Result<Vec<Report>, Failure> {
        let mut reports: Vec<Report> = Vec::new();
        for (image, runners) in by_image(selected) {
            let report = self.one(image, &runners).await?;
            let goes_on = report.outcome.is_well();
            reports.push(report);
            if !goes_on {
                break;
            }
        }
        Ok(reports)
    }

    async fn one(&self, image: &Image, runners: &[&Runner]) -> Result<Report, Failure> {
        let words = Words { context: self.context, image, runners };
        let without = |outcome| Report {
            image: image.to_string(),
            outcome,
            before: None,
            new: None,
            runners: Vec::new(),
        };
        if image.is_digest() {
            words.pinned();
            return Ok(without(Outcome::Pinned));
        }
        let mut tell = |news: News| words.tell(&news);
        let update = match self.updater.pull(image, self.args.dry_run, &mut tell).await {
            Ok(Some(update)) => update,
            Ok(None) => return Ok(without(Outcome::Interrupted)),
            Err(error @ (Error::Program(_) | Error::NoImage(_))) => {
                words.pull_failed(&error);
                return Ok(without(Outcome::PullFailed));
            }
            Err(error) => return Err(error.into()),
        };
        let before = self.updater.look(image, runners, &BTreeSet::new()).await?;
        let is_new = before.iter().any(|on| update.standing(on) == Standing::Outdated);
        let outcome = if self.args.dry_run {
            Outcome::DryRun
        } else if is_new {
            words.tell_end(&update, &self.updater.roll(&update, image, runners, &mut tell).await?)
        } else {
            words.nothing_new();
            Outcome::NothingNew
        };
        let now = self.updater.look(image, runners, &BTreeSet::new()).await?;
        words.tell_standings(&update, &now, outcome);
        let runners = runners.iter().zip(now).map(|(runner, on)| RunnerReport {
            number: runner.number,
            name: runner.name.clone(),
            standing: update.standing(&on),
            image: on.image,
        });
        let runners = runners.collect();
        Ok(Report {
            image: image.to_string(),
            outcome,
            before: update.before,
            new: Some(update.new),
            runners,
        })
    }
}

/// Images in the order of their first runners.
fn by_image<'a>(selected: &[&'a Runner]) -> Vec<(&'a Image, Vec<&'a Runner>)> {
    let mut images: Vec<(&Image, Vec<&Runner>)> = Vec::new();
    for runner in selected {
        match images.iter_mut().find(|(image, _)| **image == runner.image) {
            Some((_, runners)) => runners.push(runner),
            None => images.push((&runner.image, vec![runner])),
        }
    }
    images
}
