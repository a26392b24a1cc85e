//! Networks of runners, by podman-network(1): made when a runner starts, removed with it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{ProgramError, output};

/// Where the root user's Podman keeps its networks, a file for each, unless containers.conf(5) says otherwise (`network_config_dir`).
pub const NETWORKS: &str = "/etc/containers/networks";

/// Makes the network `name` of Podman, unless a whole one of that name is among those in `known`: looking there takes a hundredth of the time in which Podman answers. One that a
/// full disk or a power cut left in pieces is made anew. Isolated
/// networks do not reach each other. Names are resolved as on the default network, without a server of their own.
///
/// # Errors
/// Podman is missing or refuses.
pub fn make_network(podman: &Path, name: &str, known: &Path) -> Result<(), ProgramError> {
    if is_whole(&known.join(format!("{name}.json")), name) {
        return Ok(());
    }
    let mut create = Command::new(podman);
    create.args(["network", "create", "--ignore", "--disable-dns", "--opt=isolate=true", name]);
    output(create).map(drop)
}

fn is_whole(file: &Path, name: &str) -> bool {
    let network = fs::read(file).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    network.is_some_and(|network| network.get("name").and_then(Value::as_str) == Some(name))
}

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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn podman_is_asked_for_a_network_only_where_there_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let (podman, called) = (directory.path().join("podman"), directory.path().join("called"));
        fs::write(&podman, format!("#!/bin/sh\necho \"$@\" >>{}\n", called.display())).unwrap();
        fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).unwrap();
        let noted = r#"{"name": "homelab-runner-1", "driver": "bridge"}"#;
        for (number, text) in [(1, noted), (3, noted), (4, ""), (5, r#"{"name": "homelab-runner-5", "dri"#)] {
            fs::write(directory.path().join(format!("homelab-runner-{number}.json")), text).unwrap();
        }
        for number in 1..=5 {
            make_network(&podman, &format!("homelab-runner-{number}"), directory.path()).unwrap();
        }
        let calls = fs::read_to_string(&called).unwrap();
        let asked: Vec<&str> = calls.lines().map(|line| line.rsplit('-').next().unwrap()).collect();
        assert_eq!(asked, ["2", "3", "4", "5"]);
        assert!(
            calls.starts_with("network create --ignore --disable-dns --opt=isolate=true homelab-runner-2\n")
        );
    }

    #[test]
    fn a_network_that_podman_refuses_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let error = make_network(Path::new("/bin/false"), "homelab-runner-1", directory.path()).unwrap_err();
        assert!(error.to_string().contains("/bin/false"), "{error}");
    }
}
