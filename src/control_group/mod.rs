//! The edge to control groups, cgroups(7) version 2: which programs run in one, what they use, and which process a container began with.

mod usage;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use usage::{Usage, usage};

/// Where the kernel shows them.
const ROOT: &str = "/sys/fs/cgroup";

/// States of a process that has ended and nobody has waited for, `proc_pid_stat(5)`.
const ENDED: [char; 3] = ['Z', 'X', 'x'];

/// Names (`comm`) of all programs in the control group at `directory` and below it; empty where there is none.
///
/// Processes that have ended, or end meanwhile, are passed over.
///
/// # Errors
/// The control group cannot be read.
pub fn programs(directory: &Path) -> io::Result<BTreeSet<String>> {
    Ok(programs_and_states(directory)?.into_iter().map(|(name, _)| name).collect())
}

/// The same, each with its state as `proc_pid_stat(5)` has it, such as `S`, or `T` where a signal stopped it.
///
/// # Errors
/// The control group cannot be read.
pub fn programs_and_states(directory: &Path) -> io::Result<BTreeSet<(String, char)>> {
    let mut found = BTreeSet::new();
    each(directory, &mut |_, name, state| {
        found.insert((name, state));
    })?;
    Ok(found)
}

/// Ids of all processes in the control group at `directory` and below it whose program (`comm`) is `name`; none where there is no such group.
///
/// # Errors
/// The control group cannot be read.
pub fn processes_of(directory: &Path, name: &str) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    each(directory, &mut |process, program, _| {
        if program == name {
            found.push(process);
        }
    })?;
    Ok(found)
}

fn each(directory: &Path, look: &mut dyn FnMut(u32, String, char)) -> io::Result<()> {
    for process in processes(directory)? {
        match fs::read(format!("/proc/{process}/stat")) {
            Ok(stat) => {
                let seen = name_and_state(&String::from_utf8_lossy(&stat));
                if let Some((name, state)) = seen.filter(|(_, state)| !ENDED.contains(state)) {
                    look(process, name, state);
                }
            }
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    for below in subgroups(directory)? {
        each(&below, look)?;
    }
    Ok(())
}

/// The second and third field: the name is in brackets and may hold any character, brackets and blanks included.
fn name_and_state(stat: &str) -> Option<(String, char)> {
    let (head, tail) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    Some((name.to_owned(), tail.chars().next()?))
}

/// Processes of the group itself; none where there is no such group.
fn processes(directory: &Path) -> io::Result<Vec<u32>> {
    match fs::read_to_string(directory.join("cgroup.procs")) {
        Ok(processes) => Ok(processes.lines().filter_map(|line| line.parse().ok()).collect()),
        Err(error) if is_gone(&error) => Ok(Vec::new()),
        // A threaded group lists its processes at its parent only.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::OPNOTSUPP.raw_os_error()) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn subgroups(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The control group named `slice` that this process is in, as a directory, or an error if it is in another one.
///
/// # Errors
/// This process is not below that slice, or `/proc` cannot be read.
pub fn enclosing(slice: &str) -> io::Result<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup")?;
    let below = |line: &str| -> Option<PathBuf> {
        let path = Path::new(line.strip_prefix("0::/")?);
        path.ancestors().find(|group| group.ends_with(slice)).map(|group| Path::new(ROOT).join(group))
    };
    text.lines().find_map(below).ok_or_else(|| io::Error::other(format!("this process is not in {slice}")))
}

/// The first process of the container below the control group at `directory`, by its id on the host: number 1 of a pid namespace of its own. The group called `except` is
/// passed over.
///
/// # Errors
/// The control group cannot be read.
pub fn container_init(directory: &Path, except: &str) -> io::Result<Option<u32>> {
    for process in processes(directory)? {
        if is_first_of_its_namespace(process)? {
            return Ok(Some(process));
        }
    }
    for below in subgroups(directory)? {
        if below.ends_with(except) {
            continue;
        }
        if let Some(found) = container_init(&below, except)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// `NSpid:` of `proc_pid_status(5)` lists the ids of a process in all its namespaces, the innermost last.
fn is_first_of_its_namespace(process: u32) -> io::Result<bool> {
    let status = match fs::read_to_string(format!("/proc/{process}/status")) {
        Ok(status) => status,
        Err(error) if is_gone(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    Ok(ids.len() > 1 && ids.last() == Some(&"1"))
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
    fn a_program_that_has_ended_and_was_not_waited_for_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&child));
        let left = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(id, left).unwrap();
        fs::write(directory.path().join("cgroup.procs"), format!("{}\n", child.id())).unwrap();
        let found = programs(directory.path()).unwrap();
        child.wait().unwrap();
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_name_may_hold_what_ends_a_name() {
        assert_eq!(name_and_state("12 (a) T (b) S 1 2"), Some(("a) T (b".to_owned(), 'S')));
        assert_eq!(name_and_state("12 (a"), None);
    }

    #[test]
    fn a_group_that_does_not_exist_has_no_programs() {
        assert!(programs(Path::new("/sys/fs/cgroup/no-such-group")).unwrap().is_empty());
    }
}
