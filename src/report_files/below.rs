//! Opening what lies below a directory: name by name, by descriptors, through no link and never out of it.
//!
//! openat2(2) would do it in one call, but systemd denies it to services with `RestrictSUIDSGID=`, and with that to all with `DynamicUser=` (systemd.exec(5)): a
//! filter for system calls cannot see what mode it would give a file.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

/// Opens `path`, names separated by `/`, with `flags`.
///
/// # Errors
/// As open(2); `XDEV` for a name that leads up, `LOOP` or `NOTDIR` for a link.
pub(super) fn below(directory: impl AsFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let (way, name) = path.rsplit_once('/').map_or((None, path), |(way, name)| (Some(way), name));
    let mut last: Option<OwnedFd> = None;
    for step in way.into_iter().flat_map(|way| way.split('/')) {
        let opened = at(&directory, last.as_ref(), step, OFlags::PATH | OFlags::DIRECTORY)?;
        last = Some(opened);
    }
    at(&directory, last.as_ref(), name, flags)
}

fn at(first: &impl AsFd, last: Option<&OwnedFd>, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    if name == ".." {
        return Err(Errno::XDEV);
    }
    if name.is_empty() {
        return Err(Errno::NOENT);
    }
    let directory: BorrowedFd<'_> = last.map_or_else(|| first.as_fd(), AsFd::as_fd);
    let opened = openat(directory, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    // open(2): with O_PATH and without O_DIRECTORY, O_NOFOLLOW opens the link itself.
    let is_link =
        flags.contains(OFlags::PATH) && FileType::from_raw_mode(fstat(&opened)?.st_mode) == FileType::Symlink;
    if is_link { Err(Errno::LOOP) } else { Ok(opened) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;

    use rustix::fs::open;

    use super::*;

    fn errno(path: &str, flags: OFlags) -> Option<Errno> {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("top/a/b")).unwrap();
        write(root.path().join("top/a/b/file"), "inside").unwrap();
        write(root.path().join("secret"), "outside").unwrap();
        symlink("a", root.path().join("top/link")).unwrap();
        symlink("b/file", root.path().join("top/a/link")).unwrap();
        symlink("../secret", root.path().join("top/out")).unwrap();
        let top = open(root.path().join("top"), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        below(&top, path, flags).err()
    }

    #[test]
    fn what_lies_below_is_opened() {
        for flags in [OFlags::RDONLY, OFlags::PATH] {
            for path in [".", "a", "a/b", "a/b/file", "./a/b"] {
                assert_eq!(errno(path, flags), None, "{path}");
            }
        }
    }

    #[test]
    fn no_link_is_followed_and_nothing_leads_out() {
        for flags in [OFlags::RDONLY, OFlags::PATH] {
            for (path, expected) in [
                ("link", Errno::LOOP),
                ("link/b", Errno::NOTDIR),
                ("a/link", Errno::LOOP),
                ("out", Errno::LOOP),
                ("..", Errno::XDEV),
                ("../secret", Errno::XDEV),
                ("a/../a", Errno::XDEV),
                ("", Errno::NOENT),
                ("/etc/passwd", Errno::NOENT),
                ("a//b", Errno::NOENT),
                ("a/b/file/", Errno::NOTDIR),
                ("nothing", Errno::NOENT),
            ] {
                let found = errno(path, flags);
                assert!(
                    found == Some(expected) || path.ends_with('/') && found.is_some(),
                    "{path}: {found:?}"
                );
            }
        }
    }
}
