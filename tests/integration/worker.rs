//! Workflow jobs, as a host sees them: a real process of the worker's name in the control group of a runner's slice.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command};

use homelab_runners::apply::Host;
use homelab_runners::fleet::names;
use homelab_runners::runner::WORKER;

/// A workflow job begins on runner `number`; its program is put into `directory`. It ends when the process is killed and waited for.
pub(crate) fn begin_workflow_job(directory: &Path, host: &Host, number: u16) -> Child {
    let program = directory.join(WORKER);
    if !program.exists() {
        // No copy: while it is written, a process that another test starts has it open, and then it cannot be run.
        symlink("/bin/sleep", &program).unwrap();
    }
    let worker = Command::new(program).arg("1000").spawn().unwrap();
    let group = host.control_groups.join(names::slice_control_group(number));
    fs::create_dir_all(&group).unwrap();
    fs::write(group.join("cgroup.procs"), format!("{}\n", worker.id())).unwrap();
    worker
}

/// It ends.
pub(crate) fn end(worker: &mut Child) {
    worker.kill().unwrap();
    worker.wait().unwrap();
}
