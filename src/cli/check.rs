//! `runnerctl check`

use super::context::{Context, GlobalArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::{github_client, output};
use crate::fleet::Fleet;

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Look at the config alone, not at the tokens or the credential
    #[arg(long)]
    no_tokens: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = match Context::load(global) {
        Ok(context) => context,
        Err(failure) => {
            output::failure(&failure);
            return Ok(Exit::No);
        }
    };
    let fleet = &context.fleet;
    warn_about_http(fleet);
    let mut good = true;
    if !args.no_tokens && fleet.github.has_api() {
        if let Err(failure) = github_client::check(&context) {
            output::failure(&failure);
            good = false;
        }
    } else if !args.no_tokens {
        match context.tokens() {
            Ok(tokens) => {
                for error in fleet.runners.iter().filter_map(|runner| tokens.of(runner.number).err()) {
                    output::warn(&format!("{}: {error}", fleet.layout.tokens.display()), Some(error.hint()));
                }
            }
            Err(failure) => {
                failure.tell(&fleet.layout.tokens);
                good = false;
            }
        }
    }
    if good {
        output::data(&(summary(fleet) + "\n"))?;
        Ok(Exit::Done)
    } else {
        Ok(Exit::No)
    }
}

/// A GitHub without TLS is for tests; it is not refused, since a private network may be all there is.
pub(super) fn warn_about_http(fleet: &Fleet) {
    if fleet.url.is_plain_http() {
        output::warn("url begins with http://: registration tokens travel in clear", Some("use https://"));
    }
    if fleet.github.has_api() && fleet.github.api_url.is_plain_http() {
        let api_url = &fleet.github.api_url;
        output::warn(
            &format!("GitHub's API is at {api_url}: the credential travels in clear"),
            Some("use https://"),
        );
    }
}

fn summary(fleet: &Fleet) -> String {
    let names: Vec<&str> = fleet.runners.iter().map(|runner| runner.name.as_str()).collect();
    let shown = match names.as_slice() {
        [first, .., last] if names.len() > 4 => format!("{first} … {last}"),
        _ => names.join(", "),
    };
    let runners = if names.len() == 1 { "runner" } else { "runners" };
    format!("the config is good: {} {runners} for {} ({shown})", names.len(), fleet.url)
}
