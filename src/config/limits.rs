//! Resource limits in systemd's own notation (systemd.resource-control(5)).
//!
//! The text is kept in the form that systemd prints, so that two ways to write one limit render the same unit.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

/// Limits of one slice; `None`: systemd's default (no limit).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// CPU time, in percent of one core: "200%" is two cores (`CPUQuota=`)
    pub cpu_quota: Option<CpuQuota>,
    /// Memory at which the kernel kills: "4G", "512M" (powers of 1024), "25%" or "infinity" (`MemoryMax=`)
    pub memory_max: Option<MemorySize>,
    /// Memory at which the kernel throttles and reclaims (`MemoryHigh=`)
    pub memory_high: Option<MemorySize>,
    /// Most processes and threads: 4096 or "infinity" (`TasksMax=`)
    pub tasks_max: Option<TasksMax>,
    /// Share of disk I/O against the neighbours, 1 to 10000, systemd's default is 100 (`IOWeight=`)
    pub io_weight: Option<IoWeight>,
}

impl Limits {
    /// `self` where it says something, else `base`.
    #[must_use]
    pub fn or(&self, base: &Self) -> Self {
        Self {
            cpu_quota: self.cpu_quota.or(base.cpu_quota),
            memory_max: self.memory_max.or(base.memory_max),
            memory_high: self.memory_high.or(base.memory_high),
            tasks_max: self.tasks_max.or(base.tasks_max),
            io_weight: self.io_weight.or(base.io_weight),
        }
    }
}

/// `CPUQuota=`: percent of one core, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^[1-9][0-9]*%$"))]
pub struct CpuQuota(u32);

impl FromStr for CpuQuota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%').and_then(plain_number);
        match percent.and_then(|percent| u32::try_from(percent).ok()) {
            Some(0) => Err("0% would never let the runner run; allowed: \"1%\" or more".to_owned()),
            Some(percent) => Ok(Self(percent)),
            None => Err(format!(
                "{text:?} is no CPU quota; allowed: a percentage of one core such as \"200%\" (two cores)"
            )),
        }
    }
}

impl fmt::Display for CpuQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl CpuQuota {
    /// Cores, as Compose's `cpus:` counts them.
    #[must_use]
    pub fn cores(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// `MemoryMax=`, `MemoryHigh=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^([1-9][0-9]*[KMGT]?|[1-9][0-9]?%|100%|infinity)$"))]
pub enum MemorySize {
    /// Bytes; written with the largest suffix that divides it.
    Bytes(u64),
    /// Percent of the host's memory.
    Percent(u8),
    /// No limit.
    Infinity,
}

/// Suffixes are powers of 1024, as systemd and Podman read them.
pub(super) const SUFFIXES: [(char, u64); 4] =
    [('T', 1 << 40), ('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)];

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no memory size; allowed: \"4G\", \"512M\" (powers of 1024), \"25%\" or \"infinity\""
            )
        };
        if text == "infinity" {
            return Ok(Self::Infinity);
        }
        if let Some(percent) = text.strip_suffix('%') {
            let percent =
                plain_number(percent).filter(|percent| (1..=100).contains(percent)).ok_or_else(wrong)?;
            return Ok(Self::Percent(u8::try_from(percent).map_err(|_| wrong())?));
        }
        let suffix = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(*suffix));
        let (digits, factor) =
            suffix.map_or((text, 1), |(suffix, factor)| (text.trim_end_matches(*suffix), *factor));
        let bytes = plain_number(digits).and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)?;
        if bytes < 64 << 20 {
            return Err(format!("{text:?} is too little for a runner; allowed: \"64M\" or more"));
        }
        Ok(Self::Bytes(bytes))
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Infinity => f.write_str("infinity"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Bytes(bytes) => match SUFFIXES.iter().find(|(_, factor)| bytes.is_multiple_of(*factor)) {
                Some((suffix, factor)) => write!(f, "{}{suffix}", bytes / factor),
                None => write!(f, "{bytes}"),
            },
        }
    }
}

/// `TasksMax=`: a number of at least 64, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "NumberOrWord")]
#[schemars(with = "serde_json::Value", extend("anyOf" = [{"type":"integer","minimum":64},{"const":"infinity"}]))]
pub enum TasksMax {
    /// Processes and threads together.
    Tasks(u64),
    /// No limit.
    Infinity,
}

/// A TOML integer or a word.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or \"infinity\"")]
enum NumberOrWord {
    Number(u64),
    Word(String),
}

impl TryFrom<NumberOrWord> for TasksMax {
    type Error = String;

    fn try_from(value: NumberOrWord) -> Result<Self, String> {
        match value {
            NumberOrWord::Number(tasks @ 64..) => Ok(Self::Tasks(tasks)),
            NumberOrWord::Number(tasks) => {
                Err(format!("{tasks} tasks are too few for a runner; allowed: 64 or more, or \"infinity\""))
            }
            NumberOrWord::Word(word) if word == "infinity" => Ok(Self::Infinity),
            NumberOrWord::Word(word) => {
                Err(format!("{word:?} is no number of tasks; allowed: 64 or more, or \"infinity\""))
            }
        }
    }
}

impl fmt::Display for TasksMax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks(tasks) => write!(f, "{tasks}"),
            Self::Infinity => f.write_str("infinity"),
        }
    }
}

/// `IOWeight=`: 1 to 10000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
#[schemars(with = "u64", extend("minimum" = 1, "maximum" = 10000))]
pub struct IoWeight(u64);

impl TryFrom<u64> for IoWeight {
    type Error = String;

    fn try_from(weight: u64) -> Result<Self, String> {
        if (1..=10_000).contains(&weight) {
            Ok(Self(weight))
        } else {
            Err(format!("{weight} is no I/O weight; allowed: 1 to 10000"))
        }
    }
}

impl fmt::Display for IoWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Decimal digits only: no sign, no underscore, no space.
pub(super) fn plain_number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

macro_rules! try_from_string {
    ($($type:ty),+) => {$(
        impl TryFrom<String> for $type {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
    )+};
}
pub(super) use try_from_string;
try_from_string!(CpuQuota, MemorySize);
