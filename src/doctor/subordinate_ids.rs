//! Ranges of user and group ids that somebody may map into a user namespace, subuid(5) and subgid(5).

/// One line of `/etc/subuid` or `/etc/subgid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubordinateRange {
    /// Name or number of the user.
    pub owner: String,
    /// The first id.
    pub start: u64,
    /// How many.
    pub count: u64,
}

/// So many ids does a container image expect.
pub(super) const WANTED: u64 = 65_536;

/// Where useradd(8) begins with subordinate ids (`SUB_UID_MIN` of login.defs(5)).
const FIRST: u64 = 100_000;

/// The ranges in the text of `/etc/subuid` or `/etc/subgid`; what is no range is passed over, as newuidmap(1) does.
#[must_use]
pub fn ranges(text: &str) -> Vec<SubordinateRange> {
    let range = |line: &str| {
        let mut fields = line.trim().split(':');
        let (owner, start, count) = (fields.next()?, fields.next()?, fields.next()?);
        let is_range = !owner.is_empty() && fields.next().is_none();
        let range = SubordinateRange {
            owner: owner.to_owned(),
            start: start.parse().ok()?,
            count: count.parse().ok()?,
        };
        is_range.then_some(range)
    };
    text.lines().filter_map(range).collect()
}

/// The first id behind all ranges: a new range from there on overlaps none.
#[must_use]
pub fn free_start(ranges: &[SubordinateRange]) -> u64 {
    ranges.iter().map(|range| range.start.saturating_add(range.count)).fold(FIRST, u64::max)
}

/// How many ids the user of that name or number has.
pub(super) fn count_of(ranges: &[SubordinateRange], name: &str, uid: u32) -> u64 {
    let uid = uid.to_string();
    let own = ranges.iter().filter(|range| range.owner == name || range.owner == uid);
    own.fold(0, |sum, range| sum.saturating_add(range.count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let ranges =
            ranges("alice:100000:65536\n1001:165536:1000\n\nalice:300000:10\n# no\nbob:x:3\nbob:1:2:3\n");
        assert_eq!(ranges.len(), 3);
        assert_eq!(count_of(&ranges, "alice", 1000), 65_546);
        assert_eq!(count_of(&ranges, "bob", 1001), 1000);
        assert_eq!(count_of(&ranges, "carol", 7), 0);
    }

    proptest! {
        #[test]
        fn a_new_range_overlaps_none(found in proptest::collection::vec((0_u64..1 << 32, 0_u64..1 << 20), 0..6)) {
            let lines: Vec<_> = found.iter().map(|(start, count)| format!("a:{start}:{count}")).collect();
            let ranges = ranges(&lines.join("\n"));
            prop_assert_eq!(ranges.len(), found.len());
            let free = free_start(&ranges);
            prop_assert!(ranges.iter().all(|range| range.start + range.count <= free));
        }

        #[test]
        fn no_text_is_too_odd(text in "(\\PC{0,6}:?[0-9]{0,24}:?[0-9]{0,24}\n){0,4}") {
            prop_assert!(free_start(&ranges(&text)) >= FIRST);
        }
    }
}
