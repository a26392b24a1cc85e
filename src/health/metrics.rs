//! The same for Prometheus, in its text format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Labels are bounded: a runner's number and name, the words of [`Verdict`], the three witnesses.

use std::fmt::Display;

use super::verdict::Verdict;
use super::{Activity, RunnerHealth, Snapshot};

/// What the answer is called in `Content-Type`.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics of a moment.
#[must_use]
pub fn metrics(snapshot: &Snapshot) -> String {
    let mut text = Text::default();
    let runners = &snapshot.runners;
    text.family("homelab_runner_verdict", "gauge", "1 for the verdict that holds, 0 for the others.");
    for runner in runners {
        for verdict in Verdict::ALL {
            let holds = u8::from(runner.verdict.word() == verdict.word());
            text.sample(runner, &[("verdict", verdict.word())], holds);
        }
    }
    text.each(
        runners,
        "homelab_runner_serving",
        "gauge",
        "1 where it runs a workflow job or can take one.",
        |runner| Some(u8::from(runner.verdict.is_serving())),
    );
    text.each(
        runners,
        "homelab_runner_busy",
        "gauge",
        "1 where a workflow job runs, as far as anybody says.",
        |runner| Some(u8::from(runner.witnesses.is_busy())),
    );
    text.family(
        "homelab_runner_online",
        "gauge",
        "1 where this witness says online; absent where it says nothing.",
    );
    for runner in runners {
        for (witness, says) in online(runner) {
            text.sample(runner, &[("witness", witness)], u8::from(says));
        }
    }
    text.each(
        runners,
        "homelab_runner_heals_total",
        "counter",
        "Restarts by the monitor since it began.",
        |runner| Some(runner.heals),
    );
    text.each(
        runners,
        "homelab_runner_systemd_restarts",
        "gauge",
        "Restarts by systemd since it was started by hand.",
        |runner| runner.witnesses.systemd.as_ref().map(|unit| unit.says.restarts),
    );
    text.each(
        runners,
        "homelab_runner_cpu_percent",
        "gauge",
        "CPU in use by all of its slice, percent of one core.",
        |runner| runner.usage?.cpu_percent,
    );
    text.each(
        runners,
        "homelab_runner_cpu_quota_percent",
        "gauge",
        "CPUQuota= of its slice, percent of one core.",
        |runner| runner.usage?.cpu_quota_percent,
    );
    text.each(
        runners,
        "homelab_runner_memory_bytes",
        "gauge",
        "Memory in use by all of its slice.",
        |runner| runner.usage?.memory_bytes,
    );
    text.each(runners, "homelab_runner_memory_max_bytes", "gauge", "MemoryMax= of its slice.", |runner| {
        runner.usage?.memory_max_bytes
    });
    text.each(
        runners,
        "homelab_runner_oom_kills_total",
        "counter",
        "Processes that the kernel killed for want of memory, since its slice was made.",
        |runner| runner.usage?.oom_kills,
    );
    text.0
}

/// What each witness that says something says.
fn online(runner: &RunnerHealth) -> Vec<(&'static str, bool)> {
    let witnesses = &runner.witnesses;
    let systemd = witnesses.systemd.as_ref().map(|unit| unit.says.active_state == Activity::Active);
    let container = witnesses.container.as_ref().map(|container| container.says.is_online());
    let github = witnesses.github.says.says_online();
    [("systemd", systemd), ("container", container), ("github", github)]
        .into_iter()
        .filter_map(|(witness, says)| Some((witness, says?)))
        .collect()
}

#[derive(Default)]
struct Text(String, &'static str);

impl Text {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.1 = name;
        self.line(&format!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn each<V: Display>(
        &mut self,
        runners: &[RunnerHealth],
        name: &'static str,
        kind: &str,
        help: &str,
        value: impl Fn(&RunnerHealth) -> Option<V>,
    ) {
        self.family(name, kind, help);
        for runner in runners {
            if let Some(value) = value(runner) {
                self.sample(runner, &[], value);
            }
        }
    }

    fn sample(&mut self, runner: &RunnerHealth, more: &[(&str, &str)], value: impl Display) {
        let own = [("number", runner.number.to_string()), ("name", escaped(&runner.name))];
        let own = own.iter().map(|(name, value)| format!("{name}=\"{value}\""));
        let more = more.iter().map(|(name, value)| format!("{name}=\"{value}\""));
        let labels = own.chain(more).collect::<Vec<_>>().join(",");
        self.line(&format!("{}{{{labels}}} {value}", self.1));
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::health::{Queue, Usage, Witnesses};

    fn snapshot(name: &str, verdict: Verdict) -> Snapshot {
        let time = Timestamp::UNIX_EPOCH;
        let usage = Usage {
            cpu_percent: Some(12.5),
            cpu_quota_percent: None,
            memory_bytes: Some(5),
            memory_max_bytes: Some(10),
            oom_kills: Some(4),
        };
        let runner = RunnerHealth {
            number: 3,
            name: name.to_owned(),
            verdict,
            why: verdict.why(),
            hint: None,
            since: time,
            heals: 2,
            healing: false,
            witnesses: Witnesses::unasked(time),
            usage: Some(usage),
            workflow_job: None,
            image: None,
            history: Vec::new(),
        };
        Snapshot { time, may_heal: true, runners: vec![runner], events: Vec::new(), queue: Queue::NotAsked }
    }

    #[test]
    fn each_verdict_is_a_series_and_one_of_them_holds() {
        let text = metrics(&snapshot("a", Verdict::SilentZombie));
        let series: Vec<&str> =
            text.lines().filter(|line| line.starts_with("homelab_runner_verdict{")).collect();
        assert_eq!(series.len(), Verdict::ALL.len());
        let holding: Vec<&&str> = series.iter().filter(|line| line.ends_with(" 1")).collect();
        assert_eq!(holding, [&"homelab_runner_verdict{number=\"3\",name=\"a\",verdict=\"silent_zombie\"} 1"]);
    }

    #[test]
    fn what_nobody_says_has_no_sample() {
        let text = metrics(&snapshot("a", Verdict::Unknown));
        let has = |line: &str| text.lines().any(|found| found == line);
        assert!(has("homelab_runner_cpu_percent{number=\"3\",name=\"a\"} 12.5"), "{text}");
        assert!(has("homelab_runner_oom_kills_total{number=\"3\",name=\"a\"} 4"), "{text}");
        assert!(has("homelab_runner_heals_total{number=\"3\",name=\"a\"} 2"), "{text}");
        assert!(
            !text.contains("homelab_runner_cpu_quota_percent{") && !text.contains("homelab_runner_online{"),
            "{text}"
        );
    }

    #[test]
    fn the_manual_names_every_metric() {
        let manual = include_str!("../../docs/monitor.md");
        let text = metrics(&snapshot("a", Verdict::Well));
        for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
            assert!(manual.contains(&format!("`{name}`")), "{name} is not in the manual");
        }
    }

    /// As Prometheus reads a label's value.
    fn unescaped(text: &str) -> String {
        let mut characters = text.chars();
        let mut value = String::new();
        while let Some(c) = characters.next() {
            value.push(match c {
                '\\' => match characters.next().unwrap() {
                    'n' => '\n',
                    other => other,
                },
                other => other,
            });
        }
        value
    }

    proptest! {
        #[test]
        fn every_name_is_read_back_and_takes_one_line(name in "(\\PC|[\\\\\"\n{},= ]){0,20}") {
            let plain = metrics(&snapshot("", Verdict::Well)).matches('\n').count();
            let text = metrics(&snapshot(&name, Verdict::Well));
            prop_assert_eq!(text.matches('\n').count(), plain);
            let sample = text.lines().find(|line| line.starts_with("homelab_runner_serving{")).unwrap();
            let value = sample.strip_prefix("homelab_runner_serving{number=\"3\",name=\"").unwrap();
            let value = value.strip_suffix("\"} 1").unwrap();
            prop_assert_eq!(unescaped(value), name);
        }
    }
}
