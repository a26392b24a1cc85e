//! `runnerctl events`

use std::pin::pin;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::interval;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::selection::Selection;
use super::{output, serving};
use crate::files::{Follower, Log};
use crate::fleet::Scope;
use crate::health::Event;
use crate::monitor;
use crate::reports::visible;

/// A new event is shown within this.
const LOOK: Duration = Duration::from_millis(500);

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
    /// Go on showing what happens
    #[arg(long, short)]
    follow: bool,
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
    let shown = |events: Vec<Event>| -> String {
        let meant = events.iter().filter(|event| is_meant(event));
        meant.map(|event| if args.json { event.line() } else { in_words(event) }).collect()
    };
    let layout = &context.fleet.layout;
    let of = |is_unit| monitor::log(&context.root, layout, is_unit);
    let logs = match layout.scope {
        Scope::System => vec![of(false), of(true)],
        Scope::User => vec![of(false)],
    };
    if args.follow {
        block_on(follow(&logs, &shown))?;
    } else {
        output::data(&shown(monitor::events(&logs)?))?;
    }
    Ok(Exit::Done)
}

/// Until it is told to end, or nobody reads any more.
async fn follow(logs: &[Log], shown: &impl Fn(Vec<Event>) -> String) -> Result<(), Failure> {
    let mut end = pin!(serving::end()?);
    let mut followers: Vec<_> = logs.iter().map(Log::follow).collect();
    let mut looks = interval(LOOK);
    loop {
        tokio::select! {
            () = &mut end => return Ok(()),
            _ = looks.tick() => {}
        }
        let news = followers.iter_mut().map(Follower::news).collect::<Result<Vec<_>, _>>()?;
        let news = shown(monitor::in_lines(&news));
        if !news.is_empty() && !output::more_data(&news)? {
            return Ok(());
        }
    }
}

fn in_words(event: &Event) -> String {
    let time =
        event.time.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let whom = event.runner.map_or_else(|| "all".to_owned(), |number| format!("runner {number}"));
    format!("{time}  {whom:<10} {}: {}\n", event.what.words(), visible(&event.why))
}
