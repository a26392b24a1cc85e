//! The edge to mounts and namespaces, `mount_namespaces(7)`: parts of a container made visible at places of the host, and taken away again.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{
    MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount_bind, mount_change, move_mount,
    open_tree, unmount,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A mount that could not be made or removed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct MountError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl MountError {
    fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }
}

/// Makes the network namespace of `process` reachable at the file `target`, as `ip netns attach` does.
///
/// # Errors
/// The process is gone, or the right to mount is missing.
pub fn network_namespace(process: u32, target: &Path) -> Result<(), MountError> {
    let source = PathBuf::from(format!("/proc/{process}/ns/net"));
    File::create(target).map_err(MountError::new("make", target))?;
    mount_bind(&source, target).map_err(|error| MountError::new("mount", target)(error.into()))
}

/// Makes files or directories that `process` sees visible on the host: `(as it calls them, target)`. The paths are walked inside its mount namespace, so a link that
/// somebody planted there leads nowhere else. What does not exist there is left out, its target stays as it is.
///
/// Has to be called while this process has a single thread, setns(2).
///
/// # Errors
/// The process is gone, or the right to mount is missing.
pub fn from_process(process: u32, wanted: &[(&Path, &Path)]) -> Result<(), MountError> {
    let namespace = |of: &str| {
        let path = PathBuf::from(format!("/proc/{of}/ns/mnt"));
        File::open(&path).map_err(MountError::new("open", &path))
    };
    let (theirs, ours) = (namespace(&process.to_string())?, namespace("self")?);
    enter(&theirs)?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let trees: Vec<(&Path, &Path, rustix::io::Result<OwnedFd>)> =
        wanted.iter().map(|(inside, target)| (*inside, *target, open_tree(CWD, *inside, flags))).collect();
    enter(&ours)?;
    for (inside, target, tree) in trees {
        let tree = match tree {
            Ok(tree) => tree,
            Err(rustix::io::Errno::NOENT) => continue,
            Err(error) => return Err(MountError::new("open", inside)(error.into())),
        };
        move_mount(tree.as_fd(), "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(|error| MountError::new("mount", target)(error.into()))?;
    }
    Ok(())
}

fn enter(namespace: &File) -> Result<(), MountError> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount))
        .map_err(|error| MountError::new("enter", Path::new("the mount namespace"))(error.into()))
}

/// Makes `directory` a mount of its own that passes nothing on to other namespaces: what is mounted below it is seen by those alone that are made later.
///
/// # Errors
/// The directory is missing, or the right to mount is.
pub fn make_private(directory: &Path) -> Result<(), MountError> {
    mount_bind(directory, directory)
        .and_then(|()| mount_change(directory, MountPropagationFlags::PRIVATE))
        .map_err(|error| MountError::new("mount", directory)(error.into()))
}

/// Takes away everything that is mounted at `directory` and below it. Who still uses it keeps it.
///
/// # Errors
/// The right to unmount is missing.
pub fn remove_below(directory: &Path) -> Result<(), MountError> {
    let table = Path::new("/proc/self/mountinfo");
    let text = fs::read_to_string(table).map_err(MountError::new("read", table))?;
    let mut targets: Vec<PathBuf> =
        mount_points(&text).filter(|target| target.starts_with(directory)).collect();
    // The last is the topmost.
    targets.reverse();
    for target in targets {
        match unmount(&target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            // A mount below one that is gone already.
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(MountError::new("unmount", &target)(error.into())),
        }
    }
    Ok(())
}

/// The fifth field of each line of `/proc/PID/mountinfo`, `proc_pid_mountinfo(5)`. Paths of ours have none of the characters that are escaped there.
fn mount_points(text: &str) -> impl Iterator<Item = PathBuf> + '_ {
    text.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_the_fifth_field() {
        let text = "36 35 98:0 /mnt1 /run/x rw,noatime master:1 - ext3 /dev/root rw\n\n37 35 0:5 / /run/x/y rw - tmpfs t rw\n";
        let found: Vec<PathBuf> = mount_points(text).collect();
        assert_eq!(found, [PathBuf::from("/run/x"), PathBuf::from("/run/x/y")]);
    }
}
