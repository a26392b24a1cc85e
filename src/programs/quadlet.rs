//! Podman's own generator, asked before anything is written whether it takes our files.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ProgramError, output};
use crate::fleet::Scope;

/// Where distributions put the generator: the same program under two names.
const PLACES: [&str; 5] = [
    "/usr/libexec/podman/quadlet",
    "/usr/lib/podman/quadlet",
    "/usr/lib/systemd/system-generators/podman-system-generator",
    "/lib/systemd/system-generators/podman-system-generator",
    "/etc/systemd/system-generators/podman-system-generator",
];

/// The host's Quadlet generator; `None`: it has no Quadlet (Podman older than 4.4, or none).
#[must_use]
pub fn generator() -> Option<PathBuf> {
    generator_below(&Path::to_owned)
}

/// The same below another directory than `/`: `at` says where a path of the host is.
#[must_use]
pub fn generator_below(at: &dyn Fn(&Path) -> PathBuf) -> Option<PathBuf> {
    PLACES.iter().map(|place| at(Path::new(place))).find(|place| place.is_file())
}

/// Has `generator` read the Quadlet files of `directory` without writing anything.
///
/// # Errors
/// Its complaint, where it refuses one of them.
pub fn refuses(generator: &Path, directory: &Path, scope: Scope) -> Result<(), ProgramError> {
    let mut command = Command::new(generator);
    command.env("QUADLET_UNIT_DIRS", directory).args(["-dryrun", "-no-kmsg-log"]);
    if scope == Scope::User {
        command.arg("-user");
    }
    output(command).map(drop)
}
