//! KVM or emulation. `/dev/kvm` may exist and still hang the guest (nested, or filtered by a sandbox): only a kernel that boots with it, within a
//! time limit, shows that it works. The answer is remembered until this host boots again.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

use crate::qemu::{Machine, Settings};
use crate::{Error, Result, poll};

/// With KVM the kernel needs about two seconds.
const PROBE_LIMIT: Duration = Duration::from_secs(15);

/// What the kernel says when its first program, here `true`, has ended: it got as far as running programs.
const KERNEL_REACHED_USER_MODE: &str = "Attempted to kill init";

/// What runs the guest's processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// The host's own processors.
    Kvm,
    /// QEMU's code generator.
    Emulation,
}

impl Accelerator {
    /// QEMU's options for it.
    pub(crate) fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            // Not "max": glibc and Go then use vector instructions that are slow to emulate, and `podman run` takes half as long again.
            Self::Emulation => ["-accel", "tcg,thread=multi", "-cpu", "Nehalem"],
        }
    }

    /// The answer for this host: remembered from an earlier run since it booted, or found out now.
    ///
    /// # Errors
    /// The cache cannot be written or QEMU not be started.
    pub fn of_this_host(cache: &Path, kernel: &Path, disk: &Path) -> Result<Self> {
        if OpenOptions::new().read(true).write(true).open("/dev/kvm").is_err() {
            return Ok(Self::Emulation);
        }
        let identifier = Path::new("/proc/sys/kernel/random/boot_id");
        let boot = fs::read_to_string(identifier).map_err(Error::file("read", identifier))?;
        let file = cache.join("kvm-probe");
        // A file that is missing or from an earlier boot says nothing; any trouble with it only costs a new probe.
        let remembered = fs::read_to_string(&file).unwrap_or_default();
        if let Some(answer) = remembered.strip_prefix(boot.trim()) {
            return Ok(if answer.trim() == "kvm" { Self::Kvm } else { Self::Emulation });
        }
        let (answer, word) =
            if boots_with_kvm(kernel, disk)? { (Self::Kvm, "kvm") } else { (Self::Emulation, "emulation") };
        fs::write(&file, format!("{} {word}\n", boot.trim())).map_err(Error::file("write", &file))?;
        Ok(answer)
    }
}

fn boots_with_kvm(kernel: &Path, disk: &Path) -> Result<bool> {
    let machine = Machine::start(&Settings {
        kernel,
        disk,
        keep_writes: false,
        accelerator: Accelerator::Kvm,
        memory_mb: 512,
        cpus: 2,
        kernel_arguments: "init=/bin/true",
        forwards: &[],
    })?;
    let answer = poll("a kernel booted with KVM", PROBE_LIMIT, || {
        if machine.log().contains(KERNEL_REACHED_USER_MODE) {
            return Ok(Ok(true));
        }
        Ok(if machine.ended().is_some() { Ok(false) } else { Err(String::new()) })
    });
    match answer {
        Err(Error::TimedOut { .. }) => Ok(false),
        answer => answer,
    }
}
