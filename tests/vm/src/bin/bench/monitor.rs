//! What `runnerctl monitor` takes at rest, four runners up, beside the managers of peers that can be had from crates.io.
//!
//! On the host systemd is that of the tests, on a bus of its own; in the guest all is as it would be.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use homelab_runners_vm::{Error, Guest, Result, poll};
use tempfile::TempDir;

use crate::bench_tools;
use crate::footprint::Footprint;
use crate::runnerctl::{Runnerctl, temporary_directory};
use crate::table::Row;

/// What a start takes is over by then.
const WARM_UP: Duration = Duration::from_secs(20);

const WINDOW: Duration = Duration::from_secs(60);

/// MiB resident.
const MEMORY_LIMIT: f64 = 12.0;

/// Percent of a core.
const CPU_LIMIT: f64 = 0.1;

const RUNNERCTL: &str = "0.3.1";

const RUNNERD: &str = "0.0.27";

/// Longer than a build of the tests takes.
const LIMIT: Duration = Duration::from_secs(20);

/// Ended when it is dropped.
struct Running {
    child: Child,
    /// Its directory goes with it.
    _directory: Option<TempDir>,
}

impl Running {
    fn start(command: &mut Command, directory: Option<TempDir>) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().map_err(|source| Error::Start { program, source })?;
        Ok(Self { child, _directory: directory })
    }

    fn footprint(&self) -> Result<Footprint> {
        Footprint::of(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// At the end of the window; the CPU time is that of the window alone.
struct AtRest(Footprint);

impl AtRest {
    fn between(before: Footprint, after: Footprint) -> Self {
        Self(Footprint { cpu: after.cpu.saturating_sub(before.cpu), ..after })
    }

    fn cpu_percent(&self) -> f64 {
        self.0.cpu.as_secs_f64() / WINDOW.as_secs_f64() * 100.0
    }
}

/// All of them in the same minute.
pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let place = temporary_directory(runnerctl.directory())?;
    let address = format!("unix:path={}", place.path().join("bus").display());
    let bus = Running::start(
        Command::new("dbus-daemon").args(["--session", "--nofork", "--nopidfile", "--address", &address]),
        None,
    );
    let Ok(_bus) = bus else {
        return Ok(vec![Row::new("monitor at rest", "not available: no dbus-daemon")]);
    };
    poll("dbus-daemon", LIMIT, || {
        Ok(if place.path().join("bus").exists() { Ok(()) } else { Err("no socket".to_owned()) })
    })?;
    let _systemd = systemd(&address)?;
    let ours = monitor(runnerctl, place.path(), &address)?;
    let peer = bench_tools::installed("runnerctl", RUNNERCTL)
        .and_then(|program| manager(&program, runnerctl).map_err(|error| error.to_string()));
    let runnerd = bench_tools::installed("runnerd", RUNNERD);
    thread::sleep(WARM_UP);
    let before = (ours.footprint()?, peer.as_ref().ok().map(Running::footprint).transpose()?);
    thread::sleep(WINDOW);
    let ours = AtRest::between(before.0, ours.footprint()?);
    let peer = match (before.1, peer) {
        (Some(before), Ok(peer)) => Ok(AtRest::between(before, peer.footprint()?)),
        (_, Err(why)) => Err(why),
        (None, Ok(_)) => Err("it ended".to_owned()),
    };
    let mut rows = rows_of("monitor at rest, four runners", &ours);
    rows.extend(beside(&ours, &format!("clroot's runnerctl {RUNNERCTL}"), peer));
    // It cannot be started without GitHub's own program, a login and Docker: see docs/benchmarks.md.
    let why = runnerd.err().unwrap_or_else(|| "it does not start without gh, a login and Docker".to_owned());
    rows.extend(beside(&ours, &format!("runnerd {RUNNERD}"), Err(why)));
    Ok(rows)
}

/// In the guest the fleet is up and idle, and the monitor runs as its unit.
pub(crate) fn in_guest(guest: &Guest) -> Result<Vec<Row>> {
    const READ: &str = "cd /proc/$(systemctl show -P MainPID homelab-runners-monitor.service) && cat status && echo && cat smaps_rollup && echo && cat stat";
    let read = || {
        let text = guest.ok(READ)?;
        let mut texts = text.split("\n\n");
        let mut next = || texts.next().unwrap_or_default();
        let (status, rollup, stat) = (next(), next(), next());
        Footprint::of_texts(status, rollup, stat)
            .ok_or_else(|| Error::Unsupported(format!("no footprint of the monitor:\n{text}")))
    };
    thread::sleep(WARM_UP);
    let before = read()?;
    thread::sleep(WINDOW);
    Ok(rows_of("monitor's unit at rest, four idle runners", &AtRest::between(before, read()?)))
}

fn rows_of(what: &str, ours: &AtRest) -> Vec<Row> {
    let (resident, cpu) = (mebibytes(ours.0.resident), ours.cpu_percent());
    vec![
        Row::new(format!("{what}: resident"), format!("{resident:.1} MiB"))
            .beside(format!("limit {MEMORY_LIMIT:.0} MiB"), resident / MEMORY_LIMIT)
            .aim(1.0),
        Row::new(format!("{what}: resident at most"), format!("{:.1} MiB", mebibytes(ours.0.peak))),
        Row::new(
            format!("{what}: its share of shared pages counted"),
            format!("{:.1} MiB", mebibytes(ours.0.proportional)),
        ),
        Row::new(format!("{what}: CPU in a minute"), format!("{cpu:.3} % of a core"))
            .beside(format!("limit {CPU_LIMIT} %"), cpu / CPU_LIMIT)
            .aim(1.0),
    ]
}

fn beside(ours: &AtRest, name: &str, peer: std::result::Result<AtRest, String>) -> Vec<Row> {
    let (resident, cpu) = (mebibytes(ours.0.resident), ours.cpu_percent());
    let memory_row = Row::new("monitor at rest: resident", format!("{resident:.1} MiB"));
    let cpu_row = Row::new("monitor at rest: CPU in a minute", format!("{cpu:.3} %"));
    match peer {
        Ok(peer) => {
            let (memory, used) = (mebibytes(peer.0.resident), peer.cpu_percent());
            vec![
                memory_row.beside(format!("{name} {memory:.1} MiB"), resident / memory),
                // Where the kernel has counted no tick there is no ratio.
                if used > 0.0 {
                    cpu_row.beside(format!("{name} {used:.3} %"), cpu / used)
                } else {
                    cpu_row.without_peer(format!("{name} {used:.3} %"))
                },
            ]
        }
        Err(why) => {
            eprintln!("{name}: {why}");
            vec![memory_row.without_peer(format!("{name}: not available"))]
        }
    }
}

fn mebibytes(kibibytes: u32) -> f64 {
    f64::from(kibibytes) / 1024.0
}

/// A systemd with four runners that are up: that of the tests, which answers until its input is closed.
fn systemd(address: &str) -> Result<Running> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["test", "--quiet", "--test", "integration", "--", "--ignored", "--exact", "--nocapture"])
        .arg("monitor::served::is_a_systemd_with_four_runners")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env("DBUS_SYSTEM_BUS_ADDRESS", address)
        .stdout(Stdio::piped());
    let mut running = Running::start(&mut command, None)?;
    let lines = running.child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
    if lines.map_while(std::result::Result::ok).any(|line| line == "ready") {
        return Ok(running);
    }
    Err(Error::Unsupported(
        "the systemd of the tests does not start\nhint: cargo test --test integration --no-run".to_owned(),
    ))
}

/// Without a credential for GitHub: two witnesses.
fn monitor(runnerctl: &Runnerctl, place: &Path, address: &str) -> Result<Running> {
    let config = place.join("config.toml");
    let shown = place.display();
    let text = format!(
        "url = \"https://github.com/acme/shop\"\ncount = 4\nsocket = \"none\"\n[paths]\nstate = \"{shown}/state\"\nruntime = \"{shown}/run\"\n"
    );
    fs::write(&config, text).map_err(|source| Error::File {
        action: "write",
        path: config.clone(),
        source,
    })?;
    let mut command = runnerctl.command(&["monitor", "--listen", "127.0.0.1:0", "--config"]);
    Running::start(command.arg(&config).env("DBUS_SYSTEM_BUS_ADDRESS", address).stdout(Stdio::null()), None)
}

/// The peer's manager of one pool of four that is stopped: so it asks nothing of GitHub. Its Docker is a script that knows of no container; what that takes is not
/// counted.
fn manager(program: &Path, runnerctl: &Runnerctl) -> Result<Running> {
    let place = temporary_directory(runnerctl.directory())?;
    let docker = place.path().join("docker");
    let failed = |source| Error::File { action: "write", path: docker.clone(), source };
    fs::write(&docker, "#!/bin/sh\n").map_err(failed)?;
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    let path = format!("{}:{}", place.path().display(), std::env::var("PATH").unwrap_or_default());
    let command = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command
            .arg("--home")
            .arg(place.path().join("home"))
            .args(arguments)
            .env("PATH", &path)
            .stdout(Stdio::null());
        command
    };
    crate::sample::timed(&mut command(&["init", "--org", "acme"]))?;
    let pool =
        ["pool", "add", "test", "--org", "acme", "--auth", "acme", "--labels", "test", "--replicas", "4"];
    crate::sample::timed(&mut command(&pool))?;
    let mut manager = command(&["manager"]);
    Running::start(&mut manager, Some(place))
}
