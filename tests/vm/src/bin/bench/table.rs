//! The table that is printed.

use std::fmt;
use std::fs;
use std::thread;
use std::time::Duration;

/// Nothing to say in a cell.
const NONE: &str = "-";

/// One line.
#[derive(Debug, Default)]
pub(crate) struct Row {
    what: String,
    ours: String,
    peer: String,
    ratio: Option<f64>,
    aim: Option<f64>,
}

impl Row {
    /// A measurement with nothing beside it.
    pub(crate) fn new(what: impl Into<String>, ours: impl Into<String>) -> Self {
        Self { what: what.into(), ours: ours.into(), ..Self::default() }
    }

    /// Two medians of one run.
    pub(crate) fn compared(what: &str, ours: Duration, peer_name: &str, peer: Duration) -> Self {
        Self::new(what, time(ours))
            .beside(format!("{peer_name} {}", time(peer)), ours.as_secs_f64() / peer.as_secs_f64())
    }

    /// Adds the peer, or the limit, and ours divided by it.
    pub(crate) fn beside(self, peer: impl Into<String>, ratio: f64) -> Self {
        Self { peer: peer.into(), ratio: Some(ratio), ..self }
    }

    /// Adds a word in the peer's place, where it could not be measured.
    pub(crate) fn without_peer(self, why: impl Into<String>) -> Self {
        Self { peer: why.into(), ..self }
    }

    /// Adds the ratio that is aimed at, as the most it should be.
    pub(crate) fn aim(self, most: f64) -> Self {
        Self { aim: Some(most), ..self }
    }

    fn verdict(&self) -> &'static str {
        match (self.ratio, self.aim) {
            (Some(ratio), Some(aim)) if ratio <= aim => "met",
            (Some(_), Some(_)) => "MISSED",
            _ => NONE,
        }
    }

    fn cells(&self) -> [String; 6] {
        let or_none = |text: &str| if text.is_empty() { NONE.to_owned() } else { text.to_owned() };
        [
            self.what.clone(),
            self.ours.clone(),
            or_none(&self.peer),
            self.ratio.map_or_else(|| NONE.to_owned(), |ratio| format!("{ratio:.2}")),
            self.aim.map_or_else(|| NONE.to_owned(), |aim| format!("<= {aim:.2}")),
            self.verdict().to_owned(),
        ]
    }
}

/// All lines, and on which machine they came about.
#[derive(Debug)]
pub(crate) struct Table {
    notes: Vec<String>,
    rows: Vec<Row>,
}

impl Table {
    /// An empty one that names this machine.
    pub(crate) fn for_this_machine() -> Self {
        let cores = thread::available_parallelism().map_or(0, usize::from);
        // Where the kernel tells less, the line says less.
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default().trim();
        let model = model.trim_start_matches([':', ' ']);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        let notes =
            vec![format!("host: {cores} cores, {model}, Linux {}, load {load} before", kernel.trim())];
        Self { notes, rows: Vec::new() }
    }

    /// Adds a line above the table.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds lines.
    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["what", "ours", "peer or limit", "ratio", "aim", "verdict"].map(str::to_owned);
        let lines: Vec<[String; 6]> =
            std::iter::once(heading).chain(self.rows.iter().map(Row::cells)).collect();
        let mut widths = [0; 6];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        for line in &lines {
            let cells: Vec<String> =
                line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A time as people read it: three digits.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        10.0.. => format!("{seconds:.1} s"),
        1.0.. => format!("{seconds:.2} s"),
        0.1.. => format!("{:.0} ms", seconds * 1e3),
        0.001.. => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} us", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Row, time};

    #[test]
    fn the_verdict_needs_a_ratio_and_an_aim() {
        let row = || Row::compared("start", Duration::from_secs(3), "peer", Duration::from_secs(4));
        assert_eq!(row().verdict(), "-");
        assert_eq!(row().aim(0.75).verdict(), "met");
        assert_eq!(row().aim(0.74).verdict(), "MISSED");
        assert_eq!(Row::new("start", "3 s").aim(0.75).verdict(), "-");
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let texts = [12_345, 1_234, 123, 12, 1].map(|millis| time(Duration::from_millis(millis)));
        assert_eq!(texts, ["12.3 s", "1.23 s", "123 ms", "12.0 ms", "1.0 ms"]);
        assert_eq!(time(Duration::from_micros(42)), "42 us");
    }
}
