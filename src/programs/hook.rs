//! A program of the user's own, told something.

use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin};

use super::{ProgramError, STDERR_BYTES};

/// What of this program's environment it is given beside its own variables: a credential's place is nothing for it.
const KEPT: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "USER"];

/// What it said right before its end may still be on its way.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Runs `command` (a program and its arguments, no shell) with `input` at its stdin and `variables` in its environment, for at most `limit`: then it is killed with all
/// that it started. What it leaves behind when it ends by itself is not waited for, and left alone.
///
/// # Errors
/// It cannot be started, fails, or takes too long.
pub async fn run_hook(
    command: &[String],
    variables: &[(&str, String)],
    input: &str,
    limit: Duration,
) -> Result<(), ProgramError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut command = tokio::process::Command::from(command);
    let mut child = command
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| ProgramError::Start { program: program.into(), source })?;
    let failed = |status: String, stderr: Vec<u8>| ProgramError::Failed {
        program: program.into(),
        status,
        stderr: String::from_utf8_lossy(&stderr).trim().to_owned(),
    };
    match tokio::time::timeout(limit, attend(&mut child, input)).await {
        Ok(Ok((status, _))) if status.success() => Ok(()),
        Ok(Ok((status, stderr))) => Err(failed(status.to_string(), stderr)),
        Ok(Err(source)) => Err(ProgramError::Start { program: program.into(), source }),
        Err(_) => {
            // It has not been waited for, so the number is its own still.
            let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            if let Some(Err(error)) = group.map(|group| kill_process_group(group, Signal::KILL)) {
                tracing::debug!(%error, "a command that took too long is not killed");
            }
            drop(child.wait().await);
            Err(ProgramError::TimedOut { program: program.into(), limit })
        }
    }
}

/// Feeds it, listens to what it complains of, and waits for its end, which is not that of its pipes: others may hold them.
async fn attend(child: &mut Child, input: &str) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut said = Vec::new();
    let status = {
        let (mut feed, mut hear) =
            (std::pin::pin!(feed(stdin, input)), std::pin::pin!(hear(stderr, &mut said)));
        let (mut is_fed, mut is_heard) = (false, false);
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                () = &mut feed, if !is_fed => is_fed = true,
                () = &mut hear, if !is_heard => is_heard = true,
            }
        };
        if !is_heard {
            drop(tokio::time::timeout(LAST_WORDS, hear).await);
        }
        status
    };
    Ok((status, said))
}

async fn feed(stdin: Option<ChildStdin>, input: &str) {
    if let Some(mut stdin) = stdin {
        // It need not read this.
        drop(stdin.write_all(input.as_bytes()).await);
    }
}

/// Keeps the end of what it says.
async fn hear(stderr: Option<ChildStderr>, said: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut some = [0; 1024];
    while let Ok(length @ 1..) = stderr.read(&mut some).await {
        said.extend(some.get(..length).unwrap_or_default());
        said.drain(..said.len().saturating_sub(STDERR_BYTES));
    }
}
