//! The edge to control groups, cgroups(7) version 2: which programs run in one.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// Names (`comm`) of all programs in the control group at `directory` and below it; empty where there is none.
///
/// Processes that end meanwhile are passed over.
///
/// # Errors
/// The control group cannot be read.
pub fn programs(directory: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    collect(directory, &mut found)?;
    Ok(found)
}

fn collect(directory: &Path, found: &mut BTreeSet<String>) -> io::Result<()> {
    let processes = match fs::read_to_string(directory.join("cgroup.procs")) {
        Ok(processes) => processes,
        Err(error) if is_gone(&error) => return Ok(()),
        // A threaded group lists its processes at its parent only.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::OPNOTSUPP.raw_os_error()) => {
            String::new()
        }
        Err(error) => return Err(error),
    };
    for process in processes.lines() {
        match fs::read_to_string(format!("/proc/{process}/comm")) {
            Ok(name) => {
                found.insert(name.trim_end().to_owned());
            }
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), found)?;
        }
    }
    Ok(())
}

/// The group or process ended: ENOENT, or ENODEV and ESRCH while it is being torn down.
fn is_gone(error: &io::Error) -> bool {
    let gone = [rustix::io::Errno::NOENT, rustix::io::Errno::NODEV, rustix::io::Errno::SRCH];
    gone.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn programs_of_all_groups_below_are_found_and_ended_ones_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(directory.path().join("cgroup.procs"), "4194999\n").unwrap();
        fs::write(directory.path().join("a/cgroup.procs"), "").unwrap();
        fs::write(inner.join("cgroup.procs"), format!("{}\n", std::process::id())).unwrap();
        let own = fs::read_to_string("/proc/self/comm").unwrap();
        let own_thread_group = fs::read_to_string(format!("/proc/{}/comm", std::process::id())).unwrap();
        let found = programs(directory.path()).unwrap();
        assert!(found.contains(own_thread_group.trim_end()) || found.contains(own.trim_end()), "{found:?}");
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_group_that_does_not_exist_has_no_programs() {
        assert!(programs(Path::new("/sys/fs/cgroup/no-such-group")).unwrap().is_empty());
    }
}
