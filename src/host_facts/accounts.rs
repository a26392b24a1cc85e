//! Users, and what they may map.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{is_below, text};
use crate::doctor::{IdMapper, SubordinateRange, ranges};

/// The user that asks; root's is 0.
#[must_use]
pub fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Name of a user in `/etc/passwd`.
#[must_use]
pub fn user(root: &Path, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    text(&root.join("etc/passwd"))?.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// `/etc/subuid` or `/etc/subgid`; `None` also where nsswitch.conf(5) has them kept somewhere else.
#[must_use]
pub fn subordinate_ranges(root: &Path, file: &str) -> Option<Vec<SubordinateRange>> {
    let switch = text(&root.join("etc/nsswitch.conf")).unwrap_or_default();
    let source = switch.lines().find_map(|line| line.trim().strip_prefix("subid:"));
    if source.is_some_and(|source| source.split_whitespace().any(|source| source != "files")) {
        return None;
    }
    match fs::read_to_string(root.join("etc").join(file)) {
        Ok(text) => Some(ranges(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && root.join("etc").is_dir() => {
            Some(Vec::new())
        }
        Err(_) => None,
    }
}

/// newuidmap(1) or newgidmap(1) at `program`: may it map ids? Either the setuid bit or capabilities(7) of the file make it so.
#[must_use]
pub fn id_mapper(program: &Path) -> IdMapper {
    let Ok(metadata) = fs::metadata(program) else { return IdMapper::Missing };
    let mut capability = [0; 64];
    let has_capability = rustix::fs::getxattr(program, "security.capability", &mut capability).is_ok();
    if metadata.permissions().mode() & 0o4000 != 0 || has_capability {
        IdMapper::Able
    } else {
        IdMapper::Powerless
    }
}

/// Does `user`'s systemd run without a login (`loginctl enable-linger`)?
#[must_use]
pub fn lingers(root: &Path, user: &str) -> Option<bool> {
    is_below(&root.join("var/lib/systemd"), &format!("linger/{user}"))
}
