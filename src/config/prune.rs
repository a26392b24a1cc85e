//! What may stay on the disk: `[prune]`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::{SUFFIXES, plain_number, try_from_string};

/// Budgets of each runner, and the floor of free disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prune {
    /// Prune by a timer.
    pub enabled: bool,
    /// Time between two runs of the timer.
    pub interval: Duration,
    /// Most that a work folder may hold, its tool cache left out.
    pub work_max: DiskSize,
    /// Most that `_tool` of a work folder may hold.
    pub tool_cache_max: DiskSize,
    /// Most that the storage of a runner's own engine may hold.
    pub images_max: DiskSize,
    /// How long the runner keeps its own logs; whole days.
    pub diag_max_age: Duration,
    /// With less than this free a runner takes no workflow job.
    pub free_disk_min: DiskSize,
}

impl Prune {
    /// The floor in bytes; 0 where there is none.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.free_disk_min.bytes().unwrap_or(0)
    }

    /// Days that the runner keeps its own logs.
    #[must_use]
    pub fn diag_days(&self) -> u64 {
        self.diag_max_age.as_secs() / 86_400
    }
}

/// An amount of disk, in bytes; powers of 1024 as with the limits of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^(0|[1-9][0-9]*[KMGT]?|none)$"))]
pub enum DiskSize {
    /// Bytes; written with the largest suffix that divides it.
    Bytes(u64),
    /// As much as there is; as a floor: none.
    None,
}

impl DiskSize {
    /// Bytes; `None` without a bound.
    #[must_use]
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::None => None,
        }
    }
}

impl FromStr for DiskSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no amount of disk; allowed: \"20G\", \"512M\" (powers of 1024), \"0\" or \"none\""
            )
        };
        if text == "none" {
            return Ok(Self::None);
        }
        let suffix = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(*suffix));
        let (digits, factor) = suffix
            .map_or((text, 1), |(suffix, factor)| (text.strip_suffix(*suffix).unwrap_or(text), *factor));
        let bytes = plain_number(digits).and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)?;
        // bash, which compares the floor, counts with a sign.
        if i64::try_from(bytes).is_err() {
            return Err(wrong());
        }
        // "20" is a forgotten suffix.
        if (1..1 << 20).contains(&bytes) {
            return Err(format!(
                "{text:?} is less than any workflow job leaves; allowed: \"1M\" or more, \"0\" or \"none\""
            ));
        }
        Ok(Self::Bytes(bytes))
    }
}

impl fmt::Display for DiskSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bytes(0) => f.write_str("0"),
            Self::Bytes(bytes) => match SUFFIXES.iter().find(|(_, factor)| bytes.is_multiple_of(*factor)) {
                Some((suffix, factor)) => write!(f, "{}{suffix}", bytes / factor),
                None => write!(f, "{bytes}"),
            },
        }
    }
}

try_from_string!(DiskSize);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn powers_of_1024_zero_and_none_are_amounts_of_disk() {
        let of = |text: &str| text.parse::<DiskSize>().unwrap();
        assert_eq!(of("20G"), DiskSize::Bytes(20 << 30));
        assert_eq!(of("1048576"), DiskSize::Bytes(1 << 20));
        assert_eq!(of("0"), DiskSize::Bytes(0));
        assert_eq!(of("none"), DiskSize::None);
    }

    #[test]
    fn what_is_no_amount_of_disk_is_refused_with_what_is_allowed() {
        for text in [
            "", "20GB", "20 G", "-1G", "+1G", "1.5G", "1GG", "G", "infinity", "10%", "20", "1023K",
            "9000000T",
        ] {
            let error = text.parse::<DiskSize>().unwrap_err();
            assert!(error.contains("; allowed: "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn an_amount_of_disk_is_read_back_as_it_is_written(bytes in (1_u64 << 20)..(1 << 60)) {
            let size = DiskSize::Bytes(bytes);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }

        #[test]
        fn whatever_is_typed_is_an_amount_of_disk_or_told(text in "\\PC{0,8}|[0-9]{0,20}[KMGTkmgt]{0,2}") {
            if let Ok(size) = text.parse::<DiskSize>() {
                prop_assert_eq!(size.to_string().parse(), Ok(size));
            }
        }
    }
}
