//! The machine: QEMU as a child process that never outlives this one, by `guest/supervise.sh`. It boots the kernel directly, from an `NVMe` disk
//! because the cloud kernel has that driver built in and then needs no initial ram disk, and reaches nothing but the forwarded ports.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, iter};

use crate::accelerator::Accelerator;
use crate::{Error, Result, host};

/// The file in the machine's directory that holds what the guest says on its serial port.
const CONSOLE: &str = "serial.log";

/// Lines of the console that an error shows.
const SHOWN_LINES: usize = 40;

/// What the kernel prints last before it gives up.
const KERNEL_PANIC: &str = "Kernel panic - not syncing";

/// No second serial port to probe, and no defences of a kernel that runs only our own tests: each is paid for under emulation. After a
/// panic the guest boots again, instead of leaving everybody to wait until their time is over.
const KERNEL_ARGUMENTS: &str = "console=ttyS0 root=/dev/nvme0n1 rw rootwait quiet 8250.nr_uarts=1 mitigations=off init_on_alloc=0 panic=1";

/// A port of 127.0.0.1 on this host that leads to a port of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// The port on this host.
    pub host: u16,
    /// The port in the guest.
    pub guest: u16,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// The kernel image.
    pub kernel: &'a Path,
    /// The raw disk image.
    pub disk: &'a Path,
    /// Whether what is written to the disk stays after the run.
    pub keep_writes: bool,
    /// What runs the processors.
    pub accelerator: Accelerator,
    /// Memory in MB.
    pub memory_mb: u32,
    /// Number of processors.
    pub cpus: u32,
    /// Added to the kernel's command line.
    pub kernel_arguments: &'a str,
    /// Ports of this host that lead into the guest.
    pub forwards: &'a [Forward],
}

/// A running QEMU and its directory for sockets and logs. Dropping it kills the one and removes the other.
#[derive(Debug)]
pub struct Machine {
    supervisor: Child,
    directory: PathBuf,
}

impl Machine {
    /// Starts QEMU. Does not wait for the guest.
    ///
    /// # Errors
    /// The directory cannot be made or the supervising script not be started.
    pub fn start(settings: &Settings<'_>) -> Result<Self> {
        let temporary = std::env::temp_dir();
        let directory = tempfile::Builder::new()
            .prefix("homelab-vm-")
            .tempdir()
            .map_err(Error::file("create a directory in", &temporary))?
            // The supervising script removes it: it also lives on when this process is killed.
            .keep();
        let messages = directory.join("qemu.log");
        let log = fs::File::create(&messages).map_err(Error::file("create", &messages))?;
        let supervisor = Command::new("bash")
            .arg(host::scripts().join("supervise.sh"))
            .arg(&directory)
            .arg("qemu-system-x86_64")
            .args(arguments(settings, &directory))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(Error::start("bash"))?;
        Ok(Self { supervisor, directory })
    }

    /// A directory that lives as long as the machine.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// QEMU's exit code if it ended by itself.
    #[must_use]
    pub fn ended(&self) -> Option<String> {
        fs::read_to_string(self.directory.join("ended")).ok().map(|code| code.trim().to_owned())
    }

    /// Fails when QEMU has ended.
    ///
    /// # Errors
    /// [`Error::MachineEnded`], with the log.
    pub fn require_running(&self) -> Result<()> {
        match self.ended() {
            Some(code) => Err(Error::MachineEnded { code, log: self.log() }),
            None => Ok(()),
        }
    }

    /// Whether the guest's kernel has given up at any time since the machine started.
    #[must_use]
    pub fn has_panicked(&self) -> bool {
        fs::read(self.directory.join(CONSOLE)).is_ok_and(|bytes| shows_panic(&bytes))
    }

    /// QEMU's own messages and the end of the guest's console.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |name| {
            fs::read(self.directory.join(name))
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default()
        };
        let console = read(CONSOLE);
        let lines: Vec<&str> = console.lines().collect();
        let shown = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
        format!("--- QEMU\n{}\n--- console\n{}", read("qemu.log").trim_end(), shown.join("\n"))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The end of its standard input is the script's sign to kill QEMU and to remove the directory.
        drop(self.supervisor.stdin.take());
        // Nothing is left to do when waiting fails, and a drop cannot report it.
        drop(self.supervisor.wait());
    }
}

/// A serial console may hold bytes of no encoding.
fn shows_panic(console: &[u8]) -> bool {
    console.windows(KERNEL_PANIC.len()).any(|window| window == KERNEL_PANIC.as_bytes())
}

fn arguments(settings: &Settings<'_>, directory: &Path) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35,sata=off,smbus=off"]
            .map(str::to_owned)
            .to_vec();
    arguments.extend(settings.accelerator.arguments().map(str::to_owned));
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    option("-m", settings.memory_mb.to_string());
    option("-smp", settings.cpus.to_string());
    option("-serial", format!("file:{}", escaped(&directory.join(CONSOLE))));
    option("-kernel", settings.kernel.display().to_string());
    option("-append", format!("{KERNEL_ARGUMENTS} {}", settings.kernel_arguments).trim_end().to_owned());
    // Nobody needs this disk after a crash of the host: no write waits for the real disk.
    let snapshot = if settings.keep_writes { "off" } else { "on" };
    option(
        "-drive",
        format!(
            "file={},format=raw,if=none,id=disk,cache=unsafe,snapshot={snapshot}",
            escaped(settings.disk)
        ),
    );
    option("-device", "nvme,drive=disk,serial=homelab".to_owned());
    // Without it, the guest's random numbers are late and sshd waits for them.
    option("-device", "virtio-rng-pci".to_owned());
    let forwards = settings
        .forwards
        .iter()
        .map(|forward| format!(",hostfwd=tcp:127.0.0.1:{}-:{}", forward.host, forward.guest));
    let network = iter::once("user,model=virtio-net-pci,restrict=on".to_owned()).chain(forwards).collect();
    option("-nic", network);
    arguments
}

/// A path inside an option list of QEMU, where a comma is written twice.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_seen_between_other_lines_of_the_console() {
        let console = b"\xff[   61.2] Oops: int3: 0000 [#1]\n[   61.3] Kernel panic - not syncing: Fatal exception\n[    0.0] Linux";
        assert!(shows_panic(console));
        assert!(!shows_panic(b"[   61.2] Oops: int3: 0000 [#1]\n"));
        assert!(!shows_panic(b""));
    }

    #[test]
    fn network_reaches_only_forwarded_ports() {
        let settings = Settings {
            kernel: Path::new("/k"),
            disk: Path::new("/a,b"),
            keep_writes: false,
            accelerator: Accelerator::Emulation,
            memory_mb: 512,
            cpus: 1,
            kernel_arguments: "",
            forwards: &[Forward { host: 4000, guest: 22 }, Forward { host: 4001, guest: 8081 }],
        };
        let line = arguments(&settings, Path::new("/d")).join(" ");
        assert!(line.contains("restrict=on,hostfwd=tcp:127.0.0.1:4000-:22,hostfwd=tcp:127.0.0.1:4001-:8081"));
        assert!(line.contains("file=/a,,b,format=raw"));
        assert!(line.contains("snapshot=on"));
    }
}
