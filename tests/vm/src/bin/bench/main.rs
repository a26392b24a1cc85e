//! `make bench`: measurements, each beside a peer or a limit of the same run. Nothing here fails for being slow.
//!
//! `bench host` needs no guest, `bench guest` takes nothing but the guest's, `bench registration` is a part of that, `bench monitor`, `bench reports` and `bench throughput` are parts of the host's; without a word both halves are run. What each row means
//! stands in `docs/benchmarks.md`.

mod bare_podman;
mod bench_tools;
mod cold_start;
mod compose;
mod disk;
mod engine;
mod ephemeral_gap;
mod fleet;
mod footprint;
mod generate;
mod http_client;
mod memory;
mod monitor;
mod nginx;
mod online;
mod podlet;
mod report_server;
mod reports;
mod restart;
mod retention;
mod runnerctl;
mod sample;
mod status;
mod table;
mod throughput;
mod unit_words;

use std::process::ExitCode;

use homelab_runners_vm::{Error, Result};

use fleet::Fleet;
use runnerctl::Runnerctl;
use table::Table;

fn main() -> ExitCode {
    let mut table = Table::for_this_machine();
    let result = measure(&mut table);
    // What was measured before something failed to run is worth seeing all the same.
    print!("{table}");
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(table: &mut Table) -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("host") => host_half(table),
        Some("guest") => guest_half(table),
        Some("monitor") => monitor_alone(table, &Runnerctl::built()?),
        Some("registration") => registration_alone(table),
        Some("reports") => report_half(table),
        Some("throughput") => throughput_alone(table, &Runnerctl::built()?),
        None => host_half(table).and_then(|()| guest_half(table)),
        Some(word) => Err(Error::Unsupported(format!(
            "unknown word: {word}\nhint: bench [host|guest|monitor|registration|reports|throughput]"
        ))),
    }
}

fn host_half(table: &mut Table) -> Result<()> {
    let runnerctl = Runnerctl::built()?;
    eprintln!("generate for few and for many runners");
    table.add(generate::measure(&runnerctl)?);
    eprintln!("generate to a disk");
    table.add(disk::measure(&runnerctl)?);
    eprintln!("memory of generate");
    table.add(memory::measure(&runnerctl)?);
    eprintln!("generate beside podlet");
    table.add(podlet::measure(&runnerctl)?);
    monitor_alone(table, &runnerctl)?;
    report_half(table)
}

/// The part of it that is about the monitor at rest: two minutes, and what the peers take to build.
fn monitor_alone(table: &mut Table, runnerctl: &Runnerctl) -> Result<()> {
    eprintln!("monitor at rest");
    table.add(monitor::measure(runnerctl)?);
    Ok(())
}

/// A part of the host's half that is wanted alone when the report server is worked on.
fn report_half(table: &mut Table) -> Result<()> {
    let runnerctl = Runnerctl::built()?;
    eprintln!("index of reports");
    table.add(reports::measure(&runnerctl)?);
    eprintln!("start of the report server");
    table.add(cold_start::measure(&runnerctl)?);
    throughput_alone(table, &runnerctl)?;
    eprintln!("reports that go");
    table.add(retention::measure(&runnerctl)?);
    Ok(())
}

/// The part of it that is over in a minute, and needs no ten thousand runs.
fn throughput_alone(table: &mut Table, runnerctl: &Runnerctl) -> Result<()> {
    eprintln!("files of reports beside nginx");
    table.add(throughput::measure(runnerctl)?);
    Ok(())
}

/// The part of the guest's that is about a runner's way to its session.
fn registration_alone(table: &mut Table) -> Result<()> {
    let fleet = Fleet::registered()?;
    table.note(fleet.machine()?);
    table.add(restart::beside_bare_podman(&fleet)?);
    eprintln!("gap between ephemeral workflow jobs");
    table.add(ephemeral_gap::measure(&fleet)?);
    Ok(())
}

fn guest_half(table: &mut Table) -> Result<()> {
    let fleet = Fleet::registered()?;
    table.note(fleet.machine()?);
    table.add(online::measure(&fleet)?);
    table.add(restart::beside_bare_podman(&fleet)?);
    fleet.guest().ok_within("runnerctl up 2>&1", fleet::LIMIT)?;
    eprintln!("restart of one runner");
    let restarts = restart::samples(&fleet)?;
    table.add(restart::row(&restarts));
    eprintln!("status");
    table.add(status::measure(&fleet)?);
    eprintln!("monitor at rest");
    table.add(monitor::in_guest(fleet.guest())?);
    eprintln!("private engines");
    table.add(engine::measure(&fleet, sample::median(&restarts))?);
    fleet.stop("runnerctl down")?;
    // What it measures beside has the host's socket.
    fleet.guest().ok("sed -i 's/^socket = .*/socket = \"host\"/' /etc/homelab-runners/config.toml")?;
    eprintln!("gap between ephemeral workflow jobs");
    table.add(ephemeral_gap::measure(&fleet)?);
    Ok(())
}
