//! Restarts a runner for the monitor, which may not do so itself.
//!
//! Nothing is believed but the number: a monitor that is somebody else's by now could otherwise end workflow jobs, start what people have stopped, or restart for ever.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime};

use crate::apply::{self, Host};
use crate::fleet::names::{self, plain_number};
use crate::health::HealEnd;
use crate::systemd::ActiveState;

/// The longest question: a number of five digits, and its end.
const LONGEST_QUESTION: u64 = 6;

/// Who asks has so long to do it, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A runner that came up less than this ago is left alone, whoever started it.
const PAUSE: Duration = Duration::from_secs(60);

/// Reads the number of a runner from `stream`.
///
/// # Errors
/// There is none, or it is not one of these runners.
pub fn asked(stream: &UnixStream, count: u16) -> Result<u16, String> {
    let question = line(stream).map_err(|error| format!("the question cannot be read: {error}"))?;
    let number = question.as_deref().and_then(plain_number).filter(|number| (1..=count).contains(number));
    number.ok_or_else(|| format!("that is no runner; allowed: a line with a number from 1 to {count}"))
}

/// The first line, without its end; `None`: it is too long, has no end, or is no text. Who waits for the answer keeps the connection open.
fn line(stream: &UnixStream) -> io::Result<Option<String>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut bytes = Vec::new();
    BufReader::new(stream.take(LONGEST_QUESTION)).read_until(b'\n', &mut bytes)?;
    Ok(String::from_utf8(bytes).ok().and_then(|line| Some(line.strip_suffix('\n')?.to_owned())))
}

/// Says how it ended.
///
/// # Errors
/// Nobody listens any more.
pub fn answer(mut stream: &UnixStream, end: &HealEnd) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(end.line().as_bytes())
}

/// Restarts runner `number`, if it is up, idle, and did not come up just now.
pub async fn heal(host: &Host, number: u16, limit: Duration) -> HealEnd {
    match refusal(host, number).await {
        Ok(None) => apply::heal(host, number, limit).await,
        Ok(Some(why)) => HealEnd::CalledOff(why),
        Err(error) => HealEnd::Failed(error.to_string()),
    }
}

/// Why runner `number` is left as it is.
async fn refusal(host: &Host, number: u16) -> Result<Option<String>, crate::systemd::Error> {
    let Some(systemd) = &host.systemd else { return Ok(Some("systemd is not reached".to_owned())) };
    let unit = names::service(number);
    let states = systemd.observe(&[unit.as_str()]).await?;
    let Some(state) = states.first().filter(|state| state.active_state == ActiveState::Active) else {
        return Ok(Some(format!("{unit} is not active: somebody stopped it, or it is on its way")));
    };
    // A clock that was set back says nothing.
    let age = state.active_enter.and_then(|since| SystemTime::now().duration_since(since).ok());
    let is_new = age.is_some_and(|age| age < PAUSE);
    Ok(is_new.then(|| format!("{unit} came up less than {} s ago", PAUSE.as_secs())))
}
