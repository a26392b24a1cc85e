//! `runnerctl events`

use jiff::{SignedDuration, Timestamp};

use super::context::{Context, GlobalArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::selection::Selection;
use crate::fleet::Scope;
use crate::health::Event;
use crate::monitor;
use crate::reports::visible;

/// Options of `events`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Since when: a time such as "2026-11-23T18:00:00Z", or how long ago, such as "12h" [default: all that is kept]
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// As JSON, one event a line
    #[arg(long)]
    json: bool,
}

fn since(typed: &str) -> Result<Timestamp, String> {
    if let Ok(time) = typed.parse() {
        return Ok(time);
    }
    let ago = humantime::parse_duration(typed).ok().and_then(|ago| SignedDuration::try_from(ago).ok());
    let time = ago.and_then(|ago| Timestamp::now().checked_sub(ago).ok());
    time.ok_or_else(|| {
        "allowed: a time such as 2026-11-23T18:00:00Z, or how long ago, such as 12h".to_owned()
    })
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let selected = args.selection.of(&context.fleet)?;
    // What is about all of them is about each.
    let is_selected = |event: &Event| {
        event.runner.is_none_or(|number| selected.iter().any(|runner| runner.number == number))
    };
    let is_meant = |event: &Event| is_selected(event) && args.since.is_none_or(|since| event.time >= since);
    let layout = &context.fleet.layout;
    let of = |is_unit| monitor::log(&context.root, layout, is_unit);
    let events = match layout.scope {
        Scope::System => monitor::events(&[of(false), of(true)])?,
        Scope::User => monitor::events(&[of(false)])?,
    };
    let meant = events.iter().filter(|event| is_meant(event));
    let lines: String = meant.map(|event| if args.json { event.line() } else { in_words(event) }).collect();
    output::data(&lines)?;
    Ok(Exit::Done)
}

fn in_words(event: &Event) -> String {
    let time =
        event.time.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let whom = event.runner.map_or_else(|| "all".to_owned(), |number| format!("runner {number}"));
    format!("{time}  {whom:<10} {}: {}\n", event.what.words(), visible(&event.why))
}
