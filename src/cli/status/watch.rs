//! `runnerctl status --watch`: the same again and again, on a screen of its own that leaves the terminal as it was.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::termios::tcgetwinsize;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::context::{Context, block_on};
use crate::cli::failure::Failure;
use crate::cli::{output, serving};
use crate::fleet::Runner;

/// xterm's alternate screen, without a cursor; and back. Every terminal of the last decades knows them.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Each look asks systemd; more often than this nobody reads.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// Where the terminal does not say.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// The alternate screen; left when dropped, whatever happens.
struct Screen;

impl Screen {
    fn enter() -> Result<Self, Failure> {
        output::control(ENTER)?;
        Ok(Self)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing put back.
        drop(output::control(LEAVE));
    }
}

/// Draws over what was there and wipes the rest of it: nothing flickers.
fn show(text: &str) -> Result<(), Failure> {
    let size = tcgetwinsize(rustix::stdio::stdout()).ok();
    let size = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    let (columns, rows) = size.filter(|size| *size != (0, 0)).unwrap_or(USUAL_SIZE);
    // A line that fills the last column keeps the cursor on it, and what wipes the rest would wipe that, too.
    let lines = fit(text, (columns.saturating_sub(1), rows));
    output::control(&format!("\x1b[H{}\x1b[K\x1b[J", lines.join("\x1b[K\r\n")))
}

/// Shows the `selected` runners every `pause` until it is told to end.
///
/// # Errors
/// There is no terminal, or the first look fails.
pub(super) fn run(context: &Context, selected: &[&Runner], pause: Duration) -> Result<(), Failure> {
    if !output::is_terminal() {
        return Err(Failure::new(
            "--watch needs a terminal",
            "leave --watch out; scripts read `runnerctl status --json`",
        ));
    }
    block_on(async {
        let end = serving::end()?;
        let watching = watch(context, selected, pause.max(SHORTEST_PAUSE));
        tokio::select! {
            result = watching => result,
            () = end => Ok(()),
        }
    })
}

/// Never ends by itself. What goes wrong after the first look is shown, and may pass.
async fn watch(context: &Context, selected: &[&Runner], pause: Duration) -> Result<(), Failure> {
    let mut seen = super::gather(context, selected).await?;
    let _screen = Screen::enter()?;
    let mut looks = interval(pause);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.tick().await;
    loop {
        let head = format!(
            "{}   every {pause:?}, Ctrl-C ends\n\n",
            Timestamp::now().to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S")
        );
        show(&(head + &super::in_words(&seen, context)))?;
        looks.tick().await;
        seen = loop {
            match super::gather(context, selected).await {
                Ok(seen) => break seen,
                Err(failure) => show(&in_words(&failure))?,
            }
            looks.tick().await;
        };
    }
}

fn in_words(failure: &Failure) -> String {
    let hint = failure.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("error: {}{hint}\n\ntrying again; Ctrl-C ends", failure.message)
}

/// The lines of `text` that a screen of so many columns and rows has room for; what is cut ends with `…`, and nothing in them moves the cursor.
fn fit(text: &str, (columns, rows): (usize, usize)) -> Vec<String> {
    let mut lines: Vec<String> = text.trim_end().lines().map(|line| cut(line, columns)).collect();
    if lines.len() > rows {
        let more = lines.len() - rows.saturating_sub(1);
        lines.truncate(rows.saturating_sub(1));
        lines.push(cut(&format!("… {more} more lines"), columns));
    }
    lines
}

fn cut(line: &str, columns: usize) -> String {
    let plain = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    if line.chars().count() <= columns {
        return plain.collect();
    }
    plain.take(columns.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fit;

    #[test]
    fn what_has_no_room_is_cut_and_that_is_seen() {
        assert_eq!(fit("abc\nabcdef\n", (5, 2)), ["abc", "abcd…"]);
        assert_eq!(fit("a\nb\nc\nd", (20, 3)), ["a", "b", "… 2 more lines"]);
        assert_eq!(fit("a\x1b[2Jb", (20, 3)), ["a [2Jb"]);
    }

    proptest! {
        #[test]
        fn no_text_leaves_the_screen(text in "(\\PC|\n|\x1b|\t){0,200}", columns in 1_usize..60, rows in 1_usize..20) {
            let lines = fit(&text, (columns, rows));
            prop_assert!(lines.len() <= rows);
            for line in lines {
                prop_assert!(line.chars().count() <= columns && !line.contains(char::is_control), "{line:?}");
            }
        }
    }
}
