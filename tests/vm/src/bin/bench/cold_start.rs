//! From before the process to the first byte of a file: the report server by itself and by a socket that was there before, beside other servers.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use homelab_runners_vm::{Error, Result};

use crate::nginx::Nginx;
use crate::report_server::asked;
use crate::runnerctl::{Runnerctl, temporary_directory};
use crate::sample::median;
use crate::table::{Row, time};

const REPETITIONS: usize = 9;

const FILE: &str = "r/ci/1/1-test/page.html";

/// Longer than any of them takes to start.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let place = temporary_directory(runnerctl.directory())?;
    // Python has no prefix for what it shows.
    let tree = place.path().join("r");
    let made = fs::create_dir_all(place.path().join(FILE).with_file_name(""));
    made.and_then(|()| fs::write(place.path().join(FILE), "page")).map_err(asked)?;
    let (mut alone, mut activated, mut python, mut nginx) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        alone.push(ours(runnerctl, &tree)?);
        activated.push(by_socket(runnerctl, &tree)?);
        let begin = Instant::now();
        if let Some(peer) = Nginx::launch(&tree, place.path())? {
            first_byte(&peer.address).map_err(asked)?;
            nginx.push(begin.elapsed());
        }
        python.push(pythons(place.path())?);
    }
    let row = |what: &str, taken: &[Duration]| {
        Row::compared(what, median(taken), "python3 -m http.server", median(&python)).aim(1.0)
    };
    let alone_row = row("reports serve: start to first byte", &alone);
    let by_socket_row = row("reports serve: start by a socket to first byte", &activated);
    Ok(vec![
        alone_row,
        by_socket_row,
        if nginx.is_empty() {
            Row::new("start to first byte", time(median(&alone))).without_peer("nginx: not available")
        } else {
            Row::compared("reports serve: start to first byte", median(&alone), "nginx", median(&nginx))
        },
    ])
}

/// Ended when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn launched(command: &mut Command) -> Result<Running> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(Running).map_err(|source| Error::Start { program, source })
}

fn ours(runnerctl: &Runnerctl, tree: &Path) -> Result<Duration> {
    let address = free_address()?;
    let begin = Instant::now();
    let mut command = runnerctl.command(&["reports", "serve", "--listen", &address, "--directory"]);
    let _server = launched(command.arg(tree))?;
    first_byte(&address).map_err(asked)?;
    Ok(begin.elapsed())
}

/// As systemd does it: the socket is the third descriptor, and the visitor is there before the server.
fn by_socket(runnerctl: &Runnerctl, tree: &Path) -> Result<Duration> {
    const HAND_OVER: &str = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null";
    let listener = TcpListener::bind("127.0.0.1:0").map_err(asked)?;
    let address = listener.local_addr().map_err(asked)?.to_string();
    let server = runnerctl.command(&["reports", "serve", "--directory"]);
    let mut command = Command::new("sh");
    command.args(["-c", HAND_OVER]).arg(server.get_program()).args(server.get_args()).arg(tree);
    command.stdin(Stdio::from(OwnedFd::from(listener)));
    let begin = Instant::now();
    let _server = launched(&mut command)?;
    first_byte(&address).map_err(asked)?;
    Ok(begin.elapsed())
}

fn pythons(directory: &Path) -> Result<Duration> {
    let address = free_address()?;
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    let begin = Instant::now();
    let mut command = Command::new("python3");
    command.args(["-m", "http.server", port, "--bind", "127.0.0.1", "--directory"]).arg(directory);
    let _server = launched(&mut command)?;
    first_byte(&address).map_err(asked)?;
    Ok(begin.elapsed())
}

/// Free again when it is taken, unless somebody else is faster.
fn free_address() -> Result<String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    Ok(free.map_err(asked)?.to_string())
}

/// Asks until it is answered.
fn first_byte(address: &str) -> io::Result<()> {
    let begin = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(LIMIT))?;
                write!(stream, "GET /{FILE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer)?;
                let is_page = answer.contains(" 200 ") && answer.ends_with("page");
                return if is_page { Ok(()) } else { Err(io::Error::other(answer)) };
            }
            Err(error) if begin.elapsed() > LIMIT => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}
