//! Networks of runners, by podman-network(1). Their units make them; they are removed with the runner.

use std::path::Path;
use std::process::Command;

use super::{ProgramError, output};

/// Removes the network `name` of Podman, if there is one.
///
/// # Errors
/// Podman is missing, or a container still uses the network.
pub fn remove_network(podman: &Path, name: &str) -> Result<(), ProgramError> {
    let mut list = Command::new(podman);
    list.args(["network", "ls", "--format={{.Name}}"]);
    if !output(list)?.lines().any(|line| line == name) {
        return Ok(());
    }
    let mut remove = Command::new(podman);
    remove.args(["network", "rm", name]);
    output(remove).map(drop)
}
