#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn host(subuid: &str) -> HostIds {
    HostIds::parse("root:x:0:0::/root:/bin/sh\n", "root:x:0:\n", subuid, "")
}

#[test]
fn a_host_without_others_gives_each_number_its_own_range() {
    let ranges = host("").allocate(1..=3);
    let firsts: Vec<u32> = ranges.values().map(|range| range.root()).collect();
    assert_eq!(firsts, [0x7000_0000, 0x7001_0000, 0x7002_0000]);
    assert_eq!(ranges[&1].runner(), 0x7000_0000 + 1001);
    assert_eq!(ranges[&1].to_string(), "0:1879048192:65536");
}

#[test]
fn a_range_that_overlaps_somebody_elses_ids_is_passed_over() {
    let taken = host(&format!("alice:{}:10\n", 0x7001_0000 - 5));
    let ranges = taken.allocate(1..=2);
    // Both slots are touched; the second runner must not get what the first had to move to.
    assert_eq!(ranges[&1].root(), 0x7002_0000);
    assert_eq!(ranges[&2].root(), 0x7003_0000);
}

#[test]
fn a_runner_that_has_to_move_takes_no_other_runners_range() {
    let taken = host(&format!("alice:{}:10\n", 0x7000_0005));
    let ranges = taken.allocate(1..=3);
    assert_eq!([1, 2, 3].map(|number| ranges[&number].root()), [0x7003_0000, 0x7001_0000, 0x7002_0000]);
}

#[test]
fn an_account_that_exists_keeps_its_range() {
    let first = 0x7100_0000_u32;
    let passwd =
        format!("homelab-runner-2:x:{0}:{0}:{1}:/nonexistent:/usr/sbin/nologin\n", first + 1001, comment(2));
    let sub = format!("homelab-runner-2:{first}:1001\nhomelab-runner-2:{}:64534\n", first + 1002);
    let whole = HostIds::parse(&passwd, "", &sub, &sub);
    assert_eq!(whole.accounts[&2], FoundAccount { range: IdRange::from(first), complete: true, ours: true });
    assert_eq!(whole.allocate(1..=2)[&2].root(), first);
    // Cut off between useradd and usermod: the same ids, to be completed.
    let half = HostIds::parse(&passwd, "", &sub, "");
    assert!(!half.accounts[&2].complete);
    assert_eq!(half.allocate(1..=2)[&2].root(), first);
}

#[test]
fn an_account_of_somebody_else_is_seen_as_such() {
    let found = HostIds::parse("homelab-runner-1:x:900:900:My own:/home/x:/bin/sh\n", "", "", "");
    assert_eq!(found.accounts[&1], FoundAccount { range: None, complete: false, ours: false });
}

#[test]
fn the_subordinate_ids_and_the_account_are_the_range_without_gap_or_overlap() {
    let range = IdRange::from(0x7000_0000).unwrap();
    let mut ids: Vec<u32> = vec![range.runner()];
    for (first, count) in range.subordinate() {
        ids.extend(first..first + count);
    }
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(0x7000_0000..0x7001_0000));
    let inside: u32 = range.engine_map().iter().map(|(_, _, count)| count).sum();
    assert_eq!(inside, LENGTH);
}

proptest! {
    #[test]
    fn no_two_ranges_ever_overlap_each_other_or_what_was_there(
        others in proptest::collection::vec((0x6fff_0000_u32..0x7010_0000, 1_u32..200_000), 0..8),
        count in 1_u16..40,
    ) {
        let lines: Vec<String> = others.iter().map(|(first, n)| format!("x:{first}:{n}\n")).collect();
        let ranges = host(&lines.concat()).allocate(1..=count);
        prop_assert_eq!(ranges.len(), usize::from(count));
        let mut all: Vec<Range<u64>> = ranges.values().map(|range| range.ids()).collect();
        for range in &all {
            for (first, n) in &others {
                let other = u64::from(*first)..u64::from(*first) + u64::from(*n);
                prop_assert!(range.end <= other.start || other.end <= range.start);
            }
        }
        all.sort_by_key(|range| range.start);
        prop_assert!(all.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }

    #[test]
    fn any_text_can_be_read(passwd in ".*", sub in "[a-z0-9:\n-]*") {
        let found = HostIds::parse(&passwd, &passwd, &sub, &sub);
        prop_assert_eq!(found.allocate(1..=1).len(), 1);
    }
}
