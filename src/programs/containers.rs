//! What the engine says of the health of containers, `podman ps` and `docker ps`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::{ProgramError, output};

/// The engine's verdict on a running container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No check has counted yet.
    Starting,
    /// The last checks passed.
    Healthy,
    /// The last checks failed.
    Unhealthy,
    /// It has no check.
    Unchecked,
}

/// Health of every running container, by name: one call for all of them.
///
/// # Errors
/// The engine could not be asked.
pub fn health(engine: &Path) -> Result<BTreeMap<String, Health>, ProgramError> {
    let mut command = Command::new(engine);
    command.args(["ps", "--format", "{{.Names}}\t{{.Status}}"]);
    Ok(parse(&output(command)?))
}

fn parse(listing: &str) -> BTreeMap<String, Health> {
    let line = |line: &str| {
        let (name, status) = line.split_once('\t')?;
        let health = if status.contains("(healthy)") {
            Health::Healthy
        } else if status.contains("(unhealthy)") {
            Health::Unhealthy
        } else if status.contains("starting)") {
            Health::Starting
        } else {
            Health::Unchecked
        };
        Some((name.to_owned(), health))
    };
    listing.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_podman_and_of_docker_are_understood() {
        let listing = "a\tUp 3 minutes (healthy)\nb\tUp 2 seconds (starting)\nc\tUp 1 second (health: starting)\nd\tUp 9 hours (unhealthy)\ne\tUp 1 second\n";
        let found = parse(listing);
        let of = |name: &str| found.get(name).copied();
        assert_eq!(of("a"), Some(Health::Healthy));
        assert_eq!((of("b"), of("c")), (Some(Health::Starting), Some(Health::Starting)));
        assert_eq!((of("d"), of("e")), (Some(Health::Unhealthy), Some(Health::Unchecked)));
    }
}
