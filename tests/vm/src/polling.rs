//! The one place that sleeps: asking again until something is so, with a limit.

use std::thread;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Between two questions. Each is a login or an answer of the simulator, and takes emulated processors from what is waited for: asked ten times a second,
/// the simulator alone took 30 s of the first 200 s.
const PAUSE: Duration = Duration::from_millis(500);

/// Asks until there is an answer. The question says what it saw in `Err` while there is none.
///
/// # Errors
/// [`Error::TimedOut`] with what was seen last; errors of the question itself end the wait at once.
pub fn poll<T>(
    what: &str,
    limit: Duration,
    mut question: impl FnMut() -> Result<std::result::Result<T, String>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match question()? {
            Ok(answer) => return Ok(answer),
            Err(last) if start.elapsed() >= limit => {
                return Err(Error::TimedOut { what: what.to_owned(), limit, last });
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
