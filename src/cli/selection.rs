//! `[N…]`: which runners a command is about.

use super::failure::Failure;
use crate::fleet::{Fleet, Runner};

/// Runners by number; none: all of them.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Numbers of runners [default: all]
    #[arg(value_name = "N")]
    numbers: Vec<u16>,
}

impl Selection {
    /// Is the whole fleet meant?
    pub(super) fn is_all(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The runners that are meant.
    pub(super) fn of<'a>(&self, fleet: &'a Fleet) -> Result<Vec<&'a Runner>, Failure> {
        if self.numbers.is_empty() {
            return Ok(fleet.runners.iter().collect());
        }
        self.numbers.iter().map(|number| one(*number, fleet)).collect()
    }
}

/// The runner of that number.
pub(super) fn one(number: u16, fleet: &Fleet) -> Result<&Runner, Failure> {
    fleet.runner(number).ok_or_else(|| {
        Failure::new(
            format!("there is no runner {number}"),
            format!("the config has runners 1 to {}", fleet.runners.len()),
        )
    })
}
