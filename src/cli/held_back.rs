//! The runners that `install-units` holds back, since they run with something else than their new unit: each is changed as soon as no workflow job runs on it.

use super::context::Context;
use super::ending::{self, Endings};
use super::failure::Failure;
use super::{install_units, output, power, progress};
use crate::apply::drain::{self, News};
use crate::apply::when_idle::{Changed, Spectator, WhenIdle};
use crate::fleet::plan::{HeldBack, MayEnd, Permissions, Step};

/// What a runner that has ended is changed with: files and no start. What else is not running was started before, or stopped by somebody.
const ENDED: Permissions = Permissions { may_end: MayEnd::Stopped, no_start: true };

/// Waits for each of `held_back`, changes it, and starts it again if the config has it; is all well?
///
/// # Errors
/// It was interrupted; or the host could not be read or changed.
pub(super) async fn change(
    context: &Context,
    endings: &Endings<'_>,
    held_back: &[(u16, HeldBack)],
) -> Result<bool, Failure> {
    let plan = |observed: &_| install_units::plan(context, observed, ENDED);
    let when_idle = WhenIdle::new(endings.drain(), &plan);
    let each = held_back.iter().map(|(number, _)| one(context, endings, &when_idle, *number));
    let interrupt = async {
        interrupted().await;
        output::say("interrupted: what has begun is finished; Ctrl-C again leaves that to systemd");
    };
    let all = ending::all_well(each);
    when_idle.unless(interrupt, interrupted(), all).await.unwrap_or_else(|| {
        Err(Failure::new(
            "interrupted: what is done is done; runners that were waited for go on with their old unit",
            "run install-units again: it goes on from here",
        ))
    })
}

/// Whoever cannot be told of Ctrl-C is ended by it.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn one(
    context: &Context,
    endings: &Endings<'_>,
    when_idle: &WhenIdle<'_, Failure>,
    number: u16,
) -> Result<bool, Failure> {
    let is_wanted = context.fleet.runner(number).is_some();
    let mut told = Told { endings, number };
    match when_idle.change(number, is_wanted, &mut told).await? {
        Changed::Left(drained) => endings.tell(number, &drained).await,
        Changed::HeldBack(why) => {
            progress::tell_held_back(&[(number, why)]);
            Ok(false)
        }
        Changed::Done(execution) => {
            if is_wanted && drain::is_marked(&endings.host().root, &endings.host().layout.runner(number)) {
                power::tell_drained(number);
            }
            power::tell_outcomes(context, endings.systemd(), &execution.outcomes).await
        }
    }
}

/// In the words of all other commands.
struct Told<'a> {
    endings: &'a Endings<'a>,
    number: u16,
}

impl Spectator for Told<'_> {
    fn news(&mut self, news: News) {
        self.endings.tell_news(self.number, &news);
    }

    fn step(&mut self, step: &Step) {
        output::say(&progress::words(step));
    }
}
