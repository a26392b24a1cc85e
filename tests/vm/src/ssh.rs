//! Commands in the guest, over one shared ssh connection: a command then costs a tenth of a second instead of a whole handshake under emulation.

use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Error, Output, Result, poll};

/// One try to read sshd's greeting. QEMU accepts connections before the guest does and lets them hang.
const GREETING_LIMIT: Duration = Duration::from_secs(2);

/// From sshd's greeting to a connection that stands; about a second under emulation.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);

/// Given to a command beyond its own limit before the connection itself is taken for dead.
const GRACE: Duration = Duration::from_secs(15);

/// The way into the guest.
#[derive(Debug)]
pub struct Ssh {
    port: u16,
    key: PathBuf,
    socket: PathBuf,
    // The connection that all commands share; none before the first and after a reboot.
    master: Mutex<Option<Child>>,
}

impl Ssh {
    /// Names the way in; `directory` gets the key and the connection's socket.
    ///
    /// # Errors
    /// The key cannot be copied.
    pub fn new(port: u16, key: &Path, directory: &Path) -> Result<Self> {
        // A copy, because the cache may be rebuilt by another checkout while this guest runs.
        let own = directory.join("id");
        fs::copy(key, &own).map_err(Error::file("copy", key))?;
        Ok(Self { port, key: own, socket: directory.join("ssh"), master: Mutex::new(None) })
    }

    /// Waits for sshd and makes the connection. `check` ends the wait early by failing.
    ///
    /// # Errors
    /// No sshd within the limit, or what `check` said.
    pub fn connect(&self, limit: Duration, check: impl Fn() -> Result<()>) -> Result<()> {
        poll("sshd in the guest answers", limit, || {
            check()?;
            if let Err(error) = self.greeting() {
                return Ok(Err(error.to_string()));
            }
            // A new client for every try: sshd of a guest that goes down greets and then drops the connection.
            match self.start_master() {
                Err(Error::TimedOut { last, .. }) => Ok(Err(last)),
                result => result,
            }
        })
    }

    /// One try to make the shared connection, or what `ssh -O check` said of it.
    fn start_master(&self) -> Result<std::result::Result<(), String>> {
        self.disconnect();
        let child = self.client().args(["-M", "-N", "guest"]).stderr(Stdio::null()).spawn();
        *self.master() = Some(child.map_err(Error::start("ssh"))?);
        poll("an ssh connection to the guest", HANDSHAKE_LIMIT, || {
            let output =
                self.client().args(["-O", "check", "guest"]).output().map_err(Error::start("ssh"))?;
            let output = Output::from(output);
            Ok(match (output.is_success(), self.is_connected()) {
                (true, _) => Ok(Ok(())),
                (false, false) => Ok(Err(output.stderr)),
                (false, true) => Err(output.stderr),
            })
        })
    }

    /// Ends the shared connection.
    pub fn disconnect(&self) {
        if let Some(mut child) = self.master().take() {
            // Both only fail when it has ended already.
            drop(child.kill());
            drop(child.wait());
        }
        // ssh leaves its socket behind when killed; the next connection needs the name.
        drop(fs::remove_file(&self.socket));
    }

    /// Whether the shared connection stands.
    pub fn is_connected(&self) -> bool {
        self.master().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Runs a command with bash in the guest, as root. What the command reads and writes can be files of this host.
    ///
    /// # Errors
    /// ssh cannot be started. A command that fails is no error here.
    pub fn run(&self, command: &str, limit: Duration, streams: Streams) -> Result<Output> {
        let seconds = limit.as_secs().max(1);
        // The limit holds in the guest, so that nothing stays behind there; the outer one is for a guest that does not answer any more.
        let remote = format!("timeout --kill-after=5 {seconds} bash -c {}", quoted(command));
        let mut ssh = Command::new("timeout");
        ssh.arg("--kill-after=5").arg((limit + GRACE).as_secs().to_string());
        ssh.arg("ssh").args(self.options()).args(["guest", &remote]);
        ssh.stdin(streams.input).stdout(streams.output).stderr(Stdio::piped());
        let output = ssh.spawn().and_then(Child::wait_with_output).map_err(Error::start("ssh"))?;
        Ok(Output::from(output))
    }

    fn greeting(&self) -> std::io::Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, GREETING_LIMIT)?;
        stream.set_read_timeout(Some(GREETING_LIMIT))?;
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting)?;
        if &greeting == b"SSH-" { Ok(()) } else { Err(std::io::Error::other("not an ssh server")) }
    }

    /// The command line with which a person logs in.
    #[must_use]
    pub fn login(&self) -> String {
        format!("ssh {} guest", self.options().join(" "))
    }

    fn client(&self) -> Command {
        let mut command = Command::new("ssh");
        command.args(self.options()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn options(&self) -> Vec<String> {
        let mut options = ["-F", "/dev/null", "-l", "root", "-p"].map(str::to_owned).to_vec();
        options.push(self.port.to_string());
        options.extend(["-i".to_owned(), self.key.display().to_string()]);
        options.extend(["-S".to_owned(), self.socket.display().to_string()]);
        // The key of a throw-away guest on this very host proves nothing; the user's own keys and agent stay out of it.
        for setting in [
            "HostName=127.0.0.1",
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
        ] {
            options.extend(["-o".to_owned(), setting.to_owned()]);
        }
        options
    }

    fn master(&self) -> MutexGuard<'_, Option<Child>> {
        // A panic elsewhere leaves the option whole.
        self.master.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        self.disconnect();
    }
}

/// Where a command in the guest reads from and writes to.
#[derive(Debug)]
pub struct Streams {
    input: Stdio,
    output: Stdio,
}

impl Streams {
    /// Nothing to read; the output is returned.
    #[must_use]
    pub fn returned() -> Self {
        Self { input: Stdio::null(), output: Stdio::piped() }
    }

    /// Reads from a file or pipe of this host.
    #[must_use]
    pub fn from(input: impl Into<Stdio>) -> Self {
        Self { input: input.into(), output: Stdio::piped() }
    }

    /// Writes into a file of this host.
    #[must_use]
    pub fn into_file(output: File) -> Self {
        Self { input: Stdio::null(), output: output.into() }
    }
}

/// A word of the guest's shell.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quoting_keeps_quotes_and_dollars() {
        assert_eq!(quoted("echo '$a'"), r"'echo '\''$a'\'''");
    }
}
