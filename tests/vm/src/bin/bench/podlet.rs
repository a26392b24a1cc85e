//! `runnerctl generate` of one runner beside `podlet podman run` with the same container's arguments, both to standard output.

use std::process::Command;

use homelab_runners_vm::{Error, Output, Result};

use crate::bench_tools;
use crate::runnerctl::Runnerctl;
use crate::sample::{median, timed};
use crate::table::{Row, time};
use crate::unit_words::podman_arguments;

const REPETITIONS: usize = 31;

const VERSION: &str = "0.3.2";

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let what = "generate, 1 runner";
    let arguments = container_arguments(runnerctl)?;
    let podlet = bench_tools::installed("podlet", VERSION).ok();
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        ours.push(timed(&mut runnerctl.generate(1)?)?);
        if let Some(podlet) = &podlet {
            peer.push(timed(Command::new(podlet).arg("podman").args(&arguments))?);
        }
    }
    let name = format!("podlet {VERSION}");
    Ok(vec![if peer.is_empty() {
        Row::new(what, time(median(&ours))).without_peer("podlet: not available")
    } else {
        Row::compared(what, median(&ours), &name, median(&peer))
    }])
}

/// What one of our services gives to `podman`.
fn container_arguments(runnerctl: &Runnerctl) -> Result<Vec<String>> {
    let program = "runnerctl generate".to_owned();
    let output = runnerctl
        .generate(1)?
        .output()
        .map_err(|source| Error::Start { program: program.clone(), source })?;
    let output = Output::from(output);
    if !output.is_success() {
        return Err(Error::Host { what: program, output });
    }
    let words = podman_arguments(&output.stdout)?.into_iter().next().unwrap_or_default();
    // Podman takes both spellings, podlet this one.
    let spelled = |word: String| if word == "--detach" { "--detach=true".to_owned() } else { word };
    Ok(words.into_iter().map(spelled).collect())
}
