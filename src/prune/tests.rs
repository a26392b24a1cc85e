#![expect(clippy::unwrap_used, reason = "tests")]

use std::ffi::OsStr;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::*;
use crate::config::{Config, DiskSize, Prune};

fn budgets(text: &str) -> Prune {
    Config::parse(&format!("url = \"https://github.com/acme/shop\"\n[prune]\n{text}\n")).unwrap().prune
}

const MIB: u64 = 1 << 20;

fn entry(kind: Kind, name: &str, mebibytes: u64, used: u64) -> Entry {
    let name = match kind {
        Kind::Image => Name::Image { id: name.to_owned(), tags: Vec::new() },
        _ => Name::Path(name.into()),
    };
    Entry { kind, name, bytes: mebibytes * MIB, last_used: UNIX_EPOCH + Duration::from_secs(used) }
}

fn idle(runner: u16, entries: Vec<Entry>) -> Usage {
    let images = entries.iter().filter(|entry| entry.kind == Kind::Image);
    let engine_bytes = images.map(|entry| entry.bytes).sum();
    Usage { runner, busy: false, entries, engine_bytes }
}

/// `runner name key` of each removal.
fn words(plan: &PrunePlan) -> Vec<String> {
    let name = |entry: &Entry| match &entry.name {
        Name::Path(path) => path.display().to_string(),
        Name::Image { id, .. } => id.clone(),
    };
    let word =
        |removal: &Removal| format!("{} {} {}", removal.runner, name(&removal.entry), removal.reason.key());
    plan.removals.iter().map(word).collect()
}

const ENOUGH: u64 = u64::MAX;

#[test]
fn within_the_budgets_nothing_goes() {
    let usage = idle(1, vec![entry(Kind::Work, "shop", 100, 1), entry(Kind::Tool, "_tool/node/20", 50, 1)]);
    let plan = PrunePlan::new(&[usage], &budgets("work_max = \"100M\"\ntool_cache_max = \"50M\""), ENOUGH);
    assert_eq!(plan, PrunePlan::default());
}

#[test]
fn leftovers_go_first_then_what_was_used_longest_ago_and_no_more_than_needed() {
    let usage = idle(
        1,
        vec![
            entry(Kind::Work, "new", 40, 30),
            entry(Kind::Work, "old", 40, 10),
            entry(Kind::Work, "middle", 40, 20),
            entry(Kind::Leftover, "_temp", 5, 40),
        ],
    );
    let plan = PrunePlan::new(&[usage], &budgets("work_max = \"60M\""), ENOUGH);
    assert_eq!(words(&plan), ["1 _temp work_max", "1 old work_max", "1 middle work_max"]);
    assert_eq!(plan.frees(), 85 * MIB);
}

#[test]
fn each_budget_is_its_own() {
    let usage = idle(
        2,
        vec![
            entry(Kind::Work, "shop", 10, 1),
            entry(Kind::Tool, "_tool/node/18", 10, 1),
            entry(Kind::Tool, "_tool/node/20", 10, 2),
            entry(Kind::Image, "a", 10, 1),
        ],
    );
    let plan = PrunePlan::new(&[usage], &budgets("tool_cache_max = \"10M\"\nimages_max = \"0\""), ENOUGH);
    assert_eq!(words(&plan), ["2 _tool/node/18 tool_cache_max", "2 a images_max"]);
}

#[test]
fn a_busy_runner_keeps_everything_and_is_named() {
    let busy = Usage { busy: true, ..idle(1, vec![entry(Kind::Work, "shop", 10, 1)]) };
    let plan = PrunePlan::new(&[busy], &budgets("work_max = \"0\"\nfree_disk_min = \"1G\""), 0);
    assert_eq!((words(&plan), plan.held_back, plan.shortage), (Vec::new(), vec![1], 1 << 30));
}

#[test]
fn below_the_floor_the_oldest_of_all_idle_runners_goes_although_within_its_budget() {
    let usages = [
        idle(1, vec![entry(Kind::Work, "a", 30, 20), entry(Kind::Work, "b", 30, 10)]),
        idle(2, vec![entry(Kind::Tool, "_tool/go/1", 30, 5), entry(Kind::Work, "c", 30, 40)]),
    ];
    let plan = PrunePlan::new(&usages, &budgets("free_disk_min = \"100M\""), 60 * MIB);
    assert_eq!(words(&plan), ["2 _tool/go/1 free_disk_min", "1 b free_disk_min"]);
    assert_eq!(plan.shortage, 0);
}

#[test]
fn what_goes_for_a_budget_counts_for_the_floor() {
    let usage = idle(1, vec![entry(Kind::Work, "a", 50, 1), entry(Kind::Work, "b", 50, 2)]);
    let plan = PrunePlan::new(&[usage], &budgets("work_max = \"50M\"\nfree_disk_min = \"100M\""), 50 * MIB);
    assert_eq!(words(&plan), ["1 a work_max"]);
}

#[test]
fn layers_that_images_share_are_not_counted_twice() {
    let images = vec![entry(Kind::Image, "a", 60, 1), entry(Kind::Image, "b", 60, 2)];
    let usage = Usage { engine_bytes: 70 * MIB, ..idle(1, images) };
    let plan = PrunePlan::new(&[usage], &budgets("images_max = \"65M\""), ENOUGH);
    assert_eq!(words(&plan), ["1 a images_max"]);
}

#[test]
fn the_runners_own_book_stays_and_the_tool_cache_goes_by_versions() {
    assert_eq!(place(OsStr::new("_PipelineMapping")), Place::Kept);
    assert_eq!(place(OsStr::new("_tool")), Place::Tools);
    assert_eq!(place(OsStr::new("_temp")), Place::Entry(Kind::Leftover));
    assert_eq!(place(OsStr::new("_actions")), Place::Entry(Kind::Leftover));
    assert_eq!(place(OsStr::new("shop")), Place::Entry(Kind::Work));
    assert_eq!(place(OsStr::new("_shop")), Place::Entry(Kind::Work));
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let kind = prop::sample::select(vec![Kind::Leftover, Kind::Work, Kind::Tool, Kind::Image]);
    let entries = prop::collection::vec((kind, 0_u64..50, 0_u64..20), 0..12);
    entries.prop_map(|made| {
        let named = made.into_iter().enumerate();
        named.map(|(n, (kind, size, used))| entry(kind, &n.to_string(), size, used)).collect()
    })
}

fn usages() -> impl Strategy<Value = Vec<Usage>> {
    prop::collection::vec((entries(), any::<bool>()), 0..4).prop_map(|made| {
        let numbered = (1..).zip(made);
        numbered.map(|(runner, (entries, busy))| Usage { busy, ..idle(runner, entries) }).collect()
    })
}

fn size() -> impl Strategy<Value = DiskSize> {
    prop_oneof![Just(DiskSize::None), (0_u64..200).prop_map(|size| DiskSize::Bytes(size * MIB))]
}

/// What is left of `usage` after `plan`.
fn after(usage: &Usage, plan: &PrunePlan) -> Usage {
    let goes = |entry: &Entry| plan.removals.iter().any(|r| r.runner == usage.runner && r.entry == *entry);
    idle(usage.runner, usage.entries.iter().filter(|entry| !goes(entry)).cloned().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_plan_touches_no_busy_runner_reaches_its_budgets_and_goes_not_beyond(
        usages in usages(), work in size(), tools in size(), images in size(), floor in size(), free in 0_u64..400,
    ) {
        let prune = Prune {
            work_max: work, tool_cache_max: tools, images_max: images, free_disk_min: floor, ..budgets("")
        };
        let plan = PrunePlan::new(&usages, &prune, free * MIB);
        for usage in &usages {
            let own: Vec<&Removal> = plan.removals.iter().filter(|r| r.runner == usage.runner).collect();
            prop_assert!(!usage.busy || own.is_empty());
            let rest = after(usage, &plan);
            prop_assert_eq!(rest.entries.len() + own.len(), usage.entries.len(), "one entry goes twice");
            for (reason, most) in [(Reason::WorkMax, work), (Reason::ToolCacheMax, tools), (Reason::ImagesMax, images)] {
                let Some(most) = most.bytes() else {
                    prop_assert!(own.iter().all(|removal| removal.reason != reason));
                    continue;
                };
                prop_assert!(usage.busy || reason.total(&rest) <= most);
                // Without the last of them the budget would not have been reached.
                if let Some(last) = own.iter().rfind(|removal| removal.reason == reason) {
                    let for_it: u64 = own.iter().filter(|r| r.reason == reason).map(|r| r.entry.bytes).sum();
                    prop_assert!(reason.total(usage) - (for_it - last.entry.bytes) > most);
                }
            }
        }
        let free_after = free * MIB + plan.frees();
        let floor = prune.floor();
        let left = usages.iter().filter(|u| !u.busy).any(|u| after(u, &plan).entries.iter().any(|e| e.bytes > 0));
        prop_assert!(free_after >= floor || !left, "something could still go");
        prop_assert_eq!(plan.shortage, floor.saturating_sub(free_after));
        if let Some(last) = plan.removals.iter().rfind(|removal| removal.reason == Reason::FreeDiskMin) {
            prop_assert!(free_after - last.entry.bytes < floor, "more goes than the floor needs");
        }
    }
}
