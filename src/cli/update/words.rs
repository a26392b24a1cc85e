//! What `runnerctl update` says meanwhile and at its end.

use super::super::context::Context;
use super::super::{ending, output};
use super::Outcome;
use crate::apply::Error;
use crate::apply::trial::Trouble;
use crate::apply::update::{End, News};
use crate::config::Image;
use crate::fleet::{OnImage, Runner, Standing, Update};
use crate::status;

const CHANGES: &str = "for another image set `image` in the config, then `runnerctl install-units`";

/// What there is to say of one image.
pub(super) struct Words<'a> {
    pub context: &'a Context,
    pub image: &'a Image,
    pub runners: &'a [&'a Runner],
}

impl Words<'_> {
    pub(super) fn pinned(&self) {
        output::say(&format!(
            "{} is pinned by its digest: there is nothing to update; {CHANGES}",
            self.image
        ));
    }

    pub(super) fn nothing_new(&self) {
        output::say(&format!("{}: nothing new", self.image));
        if self.image.version().is_some() {
            output::say(&format!("its tag names a version, and seldom means another image later: {CHANGES}"));
        }
    }

    pub(super) fn pull_failed(&self, error: &Error) {
        let engine = self.context.fleet.engine.program();
        let image = self.image;
        let registry = image.to_string();
        let registry = registry.split('/').next().unwrap_or_default().to_owned();
        let hint = error.hint().unwrap_or_else(|| {
            format!(
                "check the reference and the network, and log in where the registry wants it: {engine} login {registry}"
            )
        });
        output::error(&format!("cannot update {image}: {error}; no runner was touched"), Some(&hint));
    }

    pub(super) fn tell(&self, news: &News) {
        match news {
            News::Pulls => output::say(&format!("pulling {}", self.image)),
            News::Waits(numbers) => {
                let names: Vec<&str> = numbers.iter().map(|number| self.name(*number)).collect();
                output::say(&format!("waiting for one to be idle: {}", names.join(", ")));
            }
            News::Drains(number, news) => {
                ending::tell_news(self.name(*number), news);
            }
            News::Tries(number, true) => {
                output::say(&format!("{}: tries the new image first", self.name(*number)));
            }
            News::Tries(number, false) => output::say(&format!("{}: gets the new image", self.name(*number))),
            News::Replaced(number) => {
                output::say(&format!("{}: online with the new image", self.name(*number)));
            }
            News::PutsBack(number, trouble) => {
                let Some(runner) = self.runner(*number) else { return };
                let text = format!("{}: {}; it is put back", runner.name, self.words(runner, trouble));
                output::error(&text, None);
            }
        }
    }

    fn runner(&self, number: u16) -> Option<&Runner> {
        self.runners.iter().copied().find(|runner| runner.number == number)
    }

    fn name(&self, number: u16) -> &str {
        self.runner(number).map_or("a runner", |runner| &runner.name)
    }

    fn words(&self, runner: &Runner, trouble: &Trouble) -> String {
        let source = self.context.fleet.token_source(runner.number);
        let explanation = status::explain(trouble.exit_status, trouble.session.as_ref(), &source);
        let what = if trouble.was_online {
            "did not stay online with the new image"
        } else {
            "did not come online with the new image"
        };
        explanation.map_or_else(|| what.to_owned(), |why| format!("{what}: {}", why.cause))
    }

    /// The word for the report.
    pub(super) fn tell_end(&self, update: &Update, end: &End) -> Outcome {
        let image = self.image;
        let engine = self.context.fleet.engine.program();
        let user = self.context.fleet.layout.scope.option();
        match end {
            End::Done => {
                output::say(&format!("{image}: done, it is {} now", short(&update.new)));
                output::say(&format!("the old image stays: {engine} image prune removes what nobody uses"));
                Outcome::Updated
            }
            End::Busy(numbers) => {
                numbers.iter().copied().for_each(ending::tell_busy);
                Outcome::Busy
            }
            End::Interrupted => {
                output::say(&format!("{image}: not done; `runnerctl update{user}` goes on"));
                Outcome::Interrupted
            }
            End::Unwell(number) => {
                let hint = format!("see `runnerctl logs{user} {number}`; when it is online, run this again");
                output::error(
                    &format!("runner {number} has the new image and is not online: nothing else was touched"),
                    Some(&hint),
                );
                Outcome::Failed
            }
            End::Failed(number, is_back) => {
                let name = self.name(*number);
                let id = short(&update.new);
                let state = if *is_back {
                    "is online with the old image"
                } else {
                    "is not online with the old image either"
                };
                let hint = format!(
                    "read `runnerctl logs{user} {number}`, mend the image ({id}) or wait for the next one, then run this again"
                );
                output::error(
                    &format!(
                        "{image} does not work for {name}, which {state}; no other runner was touched after that"
                    ),
                    Some(&hint),
                );
                Outcome::Failed
            }
        }
    }

    /// Which runs what, unless that is plain.
    pub(super) fn tell_standings(&self, update: &Update, now: &[OnImage], outcome: Outcome) {
        for (runner, on) in self.runners.iter().zip(now) {
            let image = on.image.as_deref().map_or_else(|| "no image".to_owned(), |id| short(id).to_owned());
            let name = &runner.name;
            match update.standing(on) {
                Standing::Changed => {
                    let user = self.context.fleet.layout.scope.option();
                    let hint =
                        format!("run `runnerctl install-units{user}` first, and `restart` where it says so");
                    output::warn(
                        &format!("{name}: its unit is not the one of the config, or waits for a restart"),
                        Some(&hint),
                    );
                }
                Standing::Stopped => output::say(&format!(
                    "{name}: is stopped, and starts on what {} means then",
                    runner.image
                )),
                Standing::Drained => output::say(&format!(
                    "{name}: is drained, and comes back on what {} means then",
                    runner.image
                )),
                Standing::Current if matches!(outcome, Outcome::Updated | Outcome::NothingNew) => {}
                Standing::Current => output::say(&format!("{name}: runs the new image ({image})")),
                Standing::Outdated if outcome == Outcome::DryRun => {
                    output::say(&format!("{name}: runs {image}, and would get {}", short(&update.new)));
                }
                Standing::Outdated => output::say(&format!("{name}: runs the old image ({image})")),
            }
        }
    }
}

/// As the engines print ids.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
