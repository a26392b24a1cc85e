//! Taking times and telling the middle one.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use homelab_runners_vm::{Error, Output, Result};

/// Runs a program that must succeed, and tells how long it took from before its start to after its end.
pub(crate) fn timed(command: &mut Command) -> Result<Duration> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output();
    let time = start.elapsed();
    let output = Output::from(output.map_err(|source| Error::Start { program: program.clone(), source })?);
    if output.is_success() { Ok(time) } else { Err(Error::Host { what: program, output }) }
}

/// The middle of an odd number of times; one slow outlier moves it little.
pub(crate) fn median(samples: &[Duration]) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::median;

    #[test]
    fn an_outlier_does_not_move_the_median() {
        let samples = [900, 11, 10].map(Duration::from_millis);
        assert_eq!(median(&samples), Duration::from_millis(11));
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
