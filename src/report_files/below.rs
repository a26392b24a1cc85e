//! Opening what lies below a directory: name by name, by descriptors, through no link and never out of it.
//!
//! openat2(2) would do it in one call, but systemd denies it to services with `RestrictSUIDSGID=`, and with that to all with `DynamicUser=` (systemd.exec(5)): a
//! filter for system calls cannot see what mode it would give a file.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

/// Opens `path`, names separated by `/`, with `flags`.
///
/// # Errors
/// As open(2); `XDEV` for a name that leads up, `LOOP` or `NOTDIR` for a link.
pub(super) fn below(directory: impl AsFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let (last, name) = way(&directory, path)?;
    at(standing(&directory, last.as_ref()), name, flags)
}

/// Opens the file at `path` to read it; a pipe is not waited for, and fails like everything that is no file.
///
/// # Errors
/// As [`below`]; not found, if it is no file.
pub(super) fn file(directory: impl AsFd, path: &str) -> io::Result<(File, Metadata)> {
    let (last, name) = way(&directory, path)?;
    let place = standing(&directory, last.as_ref());
    // Looked at before: with a device, opening it can be enough to set something off.
    let found = statat(place, leading_down(name)?, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::from(at(place, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
    let found = file.metadata()?;
    if found.is_file() { Ok((file, found)) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// The directory in which the last name of `path` is, if that is not `directory` itself; and the name.
fn way<'a>(directory: &impl AsFd, path: &'a str) -> Result<(Option<OwnedFd>, &'a str), Errno> {
    let Some((way, name)) = path.rsplit_once('/') else { return Ok((None, path)) };
    let mut last: Option<OwnedFd> = None;
    for step in way.split('/') {
        last = Some(at(standing(directory, last.as_ref()), step, OFlags::PATH | OFlags::DIRECTORY)?);
    }
    Ok((last, name))
}

fn standing<'a>(first: &'a impl AsFd, last: Option<&'a OwnedFd>) -> BorrowedFd<'a> {
    last.map_or_else(|| first.as_fd(), AsFd::as_fd)
}

fn at(directory: BorrowedFd<'_>, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(directory, leading_down(name)?, flags, Mode::empty())?;
    // open(2): with O_PATH and without O_DIRECTORY, O_NOFOLLOW opens the link itself.
    let may_be_link = flags.contains(OFlags::PATH) && !flags.contains(OFlags::DIRECTORY);
    let is_link = may_be_link && FileType::from_raw_mode(fstat(&opened)?.st_mode) == FileType::Symlink;
    if is_link { Err(Errno::LOOP) } else { Ok(opened) }
}

fn leading_down(name: &str) -> Result<&str, Errno> {
    match name {
        ".." => Err(Errno::XDEV),
        "" => Err(Errno::NOENT),
        _ => Ok(name),
    }
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
