//! The booted guest: what tests, the demo and the benchmarks hold.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::qemu::{Forward, Machine, Settings};
use crate::ssh::{Ssh, Streams};
use crate::{Error, Output, Result, Simulator, poll};

/// From starting QEMU to sshd, on a busy host under emulation; about 15 s on a quiet one.
const BOOT_LIMIT: Duration = Duration::from_secs(180);

/// For a command whose caller names no limit.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// Another program may take a free port between choosing and using it.
const PORT_ATTEMPTS: u32 = 3;

/// ssh's own exit code, when the connection ends before the command does (ssh(1)).
const CONNECTION_LOST: i32 = 255;

const SSH_PORT: u16 = 22;
const ADMIN_PORT: u16 = 8081;

/// How to boot.
#[derive(Debug, Clone)]
pub struct BootOptions {
    /// Memory in MB.
    pub memory_mb: u32,
    /// Number of processors.
    pub cpus: u32,
    /// Further ports of the guest to reach from this host; see [`Guest::forwarded_port`].
    pub forward: Vec<u16>,
    /// Told what is going on, a line at a time.
    pub progress: fn(&str),
}

impl Default for BootOptions {
    fn default() -> Self {
        Self { memory_mb: 4096, cpus: 2, forward: Vec::new(), progress: |line| eprintln!("{line}") }
    }
}

/// A running guest, gone without a trace when dropped or when this process dies. All writes to its disk are thrown away.
#[derive(Debug)]
pub struct Guest {
    // Dropped before the machine, whose directory holds its socket.
    ssh: Ssh,
    simulator: Simulator,
    machine: Machine,
    forwards: Vec<Forward>,
}

impl Guest {
    /// Boots a guest and waits until systemd has started everything. The very first time this builds the disk, which takes minutes.
    ///
    /// # Errors
    /// Missing programs, a disk that cannot be built, or a guest that does not come up; the end of its console is part of the message.
    pub fn boot(options: &BootOptions) -> Result<Self> {
        let disk = Disk::ready(options.progress)?;
        (options.progress)("booting the guest");
        let start = Instant::now();
        let guest = Self::start(&disk, false, options)?;
        guest.wait_for_system()?;
        (options.progress)(&format!("booted in {:.1} s", start.elapsed().as_secs_f32()));
        Ok(guest)
    }

    /// Starts QEMU and waits for ssh.
    pub(crate) fn start(disk: &Disk, keep_writes: bool, options: &BootOptions) -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::try_start(disk, keep_writes, options) {
                Err(Error::MachineEnded { log, .. })
                    if attempt < PORT_ATTEMPTS && log.contains("host forwarding rule") =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn try_start(disk: &Disk, keep_writes: bool, options: &BootOptions) -> Result<Self> {
        let mut ports = vec![SSH_PORT, ADMIN_PORT];
        ports.extend(&options.forward);
        let forwards = free_forwards(&ports)?;
        let machine = Machine::start(&Settings {
            kernel: &disk.kernel(),
            disk: &disk.image(),
            keep_writes,
            accelerator: disk.accelerator(),
            memory_mb: options.memory_mb,
            cpus: options.cpus,
            kernel_arguments: "",
            forwards: &forwards,
        })?;
        let ssh = Ssh::new(host_port(&forwards, SSH_PORT)?, &disk.ssh_key(), machine.directory())?;
        let simulator = Simulator::at(host_port(&forwards, ADMIN_PORT)?);
        let guest = Self { ssh, simulator, machine, forwards };
        guest.connect(BOOT_LIMIT)?;
        Ok(guest)
    }

    /// Runs a command with bash, as root.
    ///
    /// # Errors
    /// The guest is gone. A command that fails or exceeds 120 s is an [`Output`] with its code.
    pub fn run(&self, command: &str) -> Result<Output> {
        self.run_within(command, COMMAND_LIMIT)
    }

    /// Runs a command with a time limit of its own.
    ///
    /// # Errors
    /// As [`Guest::run`].
    pub fn run_within(&self, command: &str, limit: Duration) -> Result<Output> {
        self.run_with(command, limit, Streams::returned())
    }

    pub(crate) fn run_with(&self, command: &str, limit: Duration, streams: Streams) -> Result<Output> {
        self.machine.require_running()?;
        if !self.ssh.is_connected() {
            self.connect(BOOT_LIMIT)?;
        }
        self.ssh.run(command, limit, streams)
    }

    /// Runs a command that must succeed and returns what it printed, without the line break at the end.
    ///
    /// # Errors
    /// [`Error::Command`] with the command, its code and all it printed.
    pub fn ok(&self, command: &str) -> Result<String> {
        self.ok_within(command, COMMAND_LIMIT)
    }

    /// [`Guest::ok`] with a time limit of its own.
    ///
    /// # Errors
    /// As [`Guest::ok`].
    pub fn ok_within(&self, command: &str, limit: Duration) -> Result<String> {
        require_success(command, self.run_within(command, limit)?)
    }

    /// Runs a command again and again until it succeeds, and returns what it then printed.
    ///
    /// # Errors
    /// [`Error::TimedOut`] with the last output.
    pub fn wait_until(&self, what: &str, limit: Duration, command: &str) -> Result<String> {
        poll(what, limit, || {
            let output = self.run_within(command, limit)?;
            Ok(if output.is_success() {
                Ok(output.stdout.trim_end().to_owned())
            } else {
                Err(format!("$ {command}\n{output}"))
            })
        })
    }

    /// Reboots and waits until systemd has started everything again. What was written to the disk stays.
    ///
    /// # Errors
    /// The guest does not come back.
    pub fn reboot(&self) -> Result<()> {
        let read_identifier = "cat /proc/sys/kernel/random/boot_id";
        let before = self.ok(read_identifier)?;
        self.end_with("systemctl reboot")?;
        poll("the guest is back after a reboot", BOOT_LIMIT, || {
            // The old system's sshd may answer until it is stopped, its connections hang after that.
            self.connect(BOOT_LIMIT)?;
            let now = self.run_within(read_identifier, Duration::from_secs(1))?;
            Ok(if now.is_success() && now.stdout.trim() != before { Ok(()) } else { Err(now.to_string()) })
        })?;
        self.wait_for_system()
    }

    /// Ends the guest the orderly way. Only matters when its disk is kept.
    pub(crate) fn power_off(self) -> Result<()> {
        self.end_with("systemctl poweroff")?;
        poll("the guest is off", BOOT_LIMIT, || {
            Ok(self.machine.ended().map(|_| ()).ok_or_else(|| self.console()))
        })
    }

    /// The guest may go down before ssh can say how the command ended.
    fn end_with(&self, command: &str) -> Result<()> {
        let output = self.run(command)?;
        if output.code != CONNECTION_LOST {
            require_success(command, output)?;
        }
        Ok(())
    }

    /// The command line with which a person logs in.
    #[must_use]
    pub fn login(&self) -> String {
        self.ssh.login()
    }

    /// The simulator's admin API. Something must have started the simulator: [`Guest::start_simulator`].
    #[must_use]
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// The port of 127.0.0.1 that leads to a port of the guest named in [`BootOptions::forward`].
    ///
    /// # Errors
    /// The port is not forwarded.
    pub fn forwarded_port(&self, guest: u16) -> Result<u16> {
        host_port(&self.forwards, guest)
    }

    /// The end of the guest's console.
    #[must_use]
    pub fn console(&self) -> String {
        self.machine.log()
    }

    /// Whether the guest's kernel panicked. It boots again by itself then, from a disk that was in the middle of being written: no test that
    /// follows would say anything.
    #[must_use]
    pub fn has_panicked(&self) -> bool {
        self.machine.has_panicked()
    }

    fn connect(&self, limit: Duration) -> Result<()> {
        self.ssh.disconnect();
        match self.ssh.connect(limit, || self.machine.require_running()) {
            Err(Error::TimedOut { what, limit, last }) => {
                Err(Error::TimedOut { what, limit, last: format!("{last}\n{}", self.console()) })
            }
            result => result,
        }
    }

    fn wait_for_system(&self) -> Result<()> {
        // systemd says "degraded" and fails when a unit failed: such a guest would blame the wrong one later. The units of Podman's health
        // checks fail for as long as a container that starts with the guest is not healthy yet: they say nothing about the guest.
        // Early in the boot there is no bus to ask yet, and the state is then "offline" or empty.
        self.wait_until(
            "systemd has started everything",
            BOOT_LIMIT,
            "state=$(systemctl is-system-running --wait)
            [ \"$state\" = running ] && exit
            [ \"$state\" = degraded ] || { echo \"$state\"; exit 1; }
            failed=$(systemctl --failed --no-legend --plain) || exit
            failed=$(grep -v 'podman healthcheck run' <<<\"$failed\") || exit 0
            echo \"$failed\"; exit 1",
        )?;
        Ok(())
    }
}

pub(crate) fn require_success(command: &str, output: Output) -> Result<String> {
    if output.is_success() {
        return Ok(output.stdout.trim_end().to_owned());
    }
    Err(Error::Command { command: command.to_owned(), output })
}

/// Finds a free port of this host for each of the guest's.
fn free_forwards(ports: &[u16]) -> Result<Vec<Forward>> {
    let no_port = |source| Error::File { action: "listen on", path: "127.0.0.1".into(), source };
    // All are held until all are found, so that they differ.
    let listeners: Vec<TcpListener> = ports
        .iter()
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<std::io::Result<_>>()
        .map_err(no_port)?;
    ports
        .iter()
        .zip(&listeners)
        .map(|(guest, listener)| {
            Ok(Forward { host: listener.local_addr().map_err(no_port)?.port(), guest: *guest })
        })
        .collect()
}

fn host_port(forwards: &[Forward], guest: u16) -> Result<u16> {
    forwards
        .iter()
        .find(|forward| forward.guest == guest)
        .map(|forward| forward.host)
        .ok_or_else(|| Error::Unsupported(format!("port {guest} of the guest is not forwarded")))
}
