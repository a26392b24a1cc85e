//! `runnerctl notify-test`

use jiff::Timestamp;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{ending, notify_receivers, output};
use crate::files::Root;
use crate::health::{Message, Notice};

pub(super) fn run(global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    if context.root != Root::host() {
        return Err(ending::nothing_runs());
    }
    let receivers = notify_receivers::of(&context)?;
    let receivers: Vec<_> = receivers.command.into_iter().chain(receivers.webhook).collect();
    if receivers.is_empty() {
        output::error(
            "the config names nobody to tell anything",
            Some("add [notify] with command or webhook: docs/monitor.md"),
        );
        return Ok(Exit::No);
    }
    let message = Message::from(Notice::test(Timestamp::now()));
    let host = notify_receivers::host_name();
    let mut exit = Exit::Done;
    for receiver in receivers {
        let name = receiver.name();
        match block_on(async { Ok(receiver.deliver(&message, &host).await) })? {
            Ok(()) => output::say(&format!("{name} took the test message")),
            Err(refusal) => {
                output::error(
                    &format!("{name} did not take the test message: {}", refusal.reason),
                    refusal.hint,
                );
                exit = Exit::No;
            }
        }
    }
    Ok(exit)
}
