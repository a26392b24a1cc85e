//! The report server's files beside nginx's, the same ones: many small files, and a large one.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use homelab_runners_vm::{Error, Result};

use crate::http_client::Connection;
use crate::nginx::Nginx;
use crate::report_server::{ReportServer, asked};
use crate::runnerctl::{Runnerctl, temporary_directory};
use crate::sample::median;
use crate::table::{Row, time};

const REPETITIONS: usize = 9;

/// A browser opens six for one page.
const CONNECTIONS: usize = 6;

/// Nine tenths of the peer's throughput.
const AIM: f64 = 1.0 / 0.9;

/// The same files, asked for again and again.
struct Load {
    what: &'static str,
    file: &'static str,
    bytes: usize,
    /// By each connection.
    requests: usize,
}

const LOADS: [Load; 3] = [
    Load { what: "6000 files of 4 KiB", file: "page.html", bytes: 4 << 10, requests: 1000 },
    Load { what: "1800 files of 256 KiB", file: "screenshot.png", bytes: 256 << 10, requests: 300 },
    Load { what: "24 files of 32 MiB", file: "trace.zip", bytes: 32 << 20, requests: 4 },
];

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let (tree, place) =
        (temporary_directory(runnerctl.directory())?, temporary_directory(runnerctl.directory())?);
    let directory = tree.path().join("ci/1/1-test");
    let failed = |source| Error::File { action: "write", path: directory.clone(), source };
    fs::create_dir_all(&directory).map_err(failed)?;
    for load in &LOADS {
        fs::write(directory.join(load.file), vec![b'x'; load.bytes]).map_err(failed)?;
    }
    let server = ReportServer::start(runnerctl, tree.path())?;
    let nginx = Nginx::start(tree.path(), place.path())?;
    LOADS.iter().map(|load| row(load, &server, nginx.as_ref())).collect()
}

fn row(load: &Load, server: &ReportServer, nginx: Option<&Nginx>) -> Result<Row> {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        ours.push(took(load, &server.address)?);
        if let Some(nginx) = nginx {
            peer.push(took(load, &nginx.address)?);
        }
    }
    let what = format!("reports serve: {}, {CONNECTIONS} connections", load.what);
    Ok(match nginx {
        Some(nginx) => Row::compared(&what, median(&ours), &nginx.version, median(&peer)).aim(AIM),
        None => Row::new(what, time(median(&ours))).without_peer("nginx: not available"),
    })
}

/// All requests, on kept connections that are opened before.
fn took(load: &Load, address: &str) -> Result<Duration> {
    let connect = || Connection::to(address).map_err(asked);
    let connections = (0..CONNECTIONS).map(|_| connect()).collect::<Result<Vec<_>>>()?;
    let path = format!("/r/ci/1/1-test/{}", load.file);
    let begin = Instant::now();
    thread::scope(|scope| {
        let visits: Vec<_> = connections
            .into_iter()
            .map(|connection| scope.spawn(|| visit(connection, &path, load)))
            .collect();
        visits.into_iter().try_for_each(|visit| {
            visit.join().unwrap_or_else(|_| Err(asked(std::io::Error::other("a visitor panicked"))))
        })
    })?;
    Ok(begin.elapsed())
}

fn visit(mut connection: Connection, path: &str, load: &Load) -> Result<()> {
    for _ in 0..load.requests {
        let bytes = connection.get(path).map_err(asked)?;
        if bytes != load.bytes as u64 {
            return Err(asked(std::io::Error::other(format!("{path}: {bytes} bytes"))));
        }
    }
    Ok(())
}
