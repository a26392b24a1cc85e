//! User and group ids of runners with a private engine.
//!
//! Each such runner has 65,536 ids of its own on the host. Inside its container they are 0 to 65535, in one piece, which is what lets the kernel map the image instead
//! of copying it. One of them, [`RUNNER_ID`], is the user `runner` in GitHub's images and the account of the private engine; the others are that account's subordinate ids,
//! subuid(5). So whatever a workflow writes through the engine, as whatever user, belongs to ids that the runner's container can change and delete.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::names;

/// Ids of one runner.
pub const LENGTH: u32 = 65_536;

/// The user and group `runner` in the images, `ghcr.io/actions/actions-runner` and `docker.io/myoung34/github-runner` alike.
pub const RUNNER_ID: u32 = 1001;

/// The first id that is given away: from here to 0x7FFDFFFF nothing is reserved, neither by systemd
/// (<https://systemd.io/UIDS-GIDS/>) nor by the defaults of login.defs(5).
const FIRST: u32 = 0x7000_0000;
const END: u32 = 0x7FFD_0000;

/// Who owns on the disk what runners with ids of their own share, such as reports.
pub const SHARED_ID: u32 = 0x7FFD_FFFF;

/// [`LENGTH`] ids of one runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdRange {
    first: u32,
}

impl IdRange {
    /// The range that begins with `first`, if its ids fit into what user ids can be.
    #[must_use]
    pub fn from(first: u32) -> Option<Self> {
        first.checked_add(LENGTH).map(|_| Self { first })
    }

    /// Id of the container's root on the host.
    #[must_use]
    pub fn root(self) -> u32 {
        self.first
    }

    /// Id of the user `runner`, and of the private engine's account.
    #[must_use]
    pub fn runner(self) -> u32 {
        self.first + RUNNER_ID
    }

    /// The subordinate ids of the engine's account: all but its own, each first and number.
    #[must_use]
    pub fn subordinate(self) -> [(u32, u32); 2] {
        [(self.first, RUNNER_ID), (self.runner() + 1, LENGTH - RUNNER_ID - 1)]
    }

    /// How the engine's user namespace sees them (0 is the account itself): `INSIDE:OUTSIDE:NUMBER` each, as `X-mount.idmap` of mount(8) wants it.
    #[must_use]
    pub fn engine_map(self) -> [(u32, u32, u32); 3] {
        let [low, high] = self.subordinate();
        [(0, self.runner(), 1), (1, low.0, low.1), (1 + low.1, high.0, high.1)]
    }

    /// How files in common are on the disk, in the form of [`IdRange::engine_map`] with the disk's ids first: what the user `runner` makes, and the root of containers that
    /// workflows start, is [`SHARED_ID`]'s; everybody else keeps an id of this range. No file is ever one of the host's own users'.
    #[must_use]
    pub fn shared_map(self) -> [(u32, u32, u32); 3] {
        let [low, high] = self.subordinate();
        [(SHARED_ID, self.runner(), 1), (low.0, low.0, low.1), (high.0, high.0, high.1)]
    }

    fn ids(self) -> Range<u64> {
        u64::from(self.first)..u64::from(self.first) + u64::from(LENGTH)
    }
}

/// `0:FIRST:65536`, as `--uidmap` of podman-run(1) wants it.
impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0:{}:{LENGTH}", self.first)
    }
}

/// The account of a runner's private engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Number of the runner.
    pub number: u16,
    /// Its ids.
    pub range: IdRange,
}

impl Account {
    /// `homelab-runner-N`, whatever the runner is called at GitHub.
    #[must_use]
    pub fn name(self) -> String {
        names::account(self.number)
    }
}

/// An account of a name of ours, as the host has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundAccount {
    /// Its ids; `None`: not one of ours.
    pub range: Option<IdRange>,
    /// User, group and subordinate ids are all there.
    pub complete: bool,
    /// Made by runnerctl, so it may remove it.
    pub ours: bool,
}

/// The comment (GECOS field) of accounts that runnerctl made.
#[must_use]
pub fn comment(number: u16) -> String {
    format!("private engine of GitHub Actions runner {number} (runnerctl)")
}

/// Which ids the host has given away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostIds {
    /// Accounts with names of ours, by the number of the runner.
    pub accounts: BTreeMap<u16, FoundAccount>,
    taken: Vec<Range<u64>>,
}

impl HostIds {
    /// Reads the texts of `/etc/passwd`, `/etc/group`, `/etc/subuid` and `/etc/subgid`: passwd(5), group(5), subuid(5), subgid(5). Lines that are none are passed over, as all readers of these files do.
    #[must_use]
    pub fn parse(passwd: &str, group: &str, sub_users: &str, sub_groups: &str) -> Self {
        let mut found = Self::default();
        let subordinate = [subordinate_ids(sub_users), subordinate_ids(sub_groups)];
        for fields in passwd.lines().map(fields) {
            let [name, _, uid, gid, comment, ..] = fields.as_slice() else { continue };
            let (Ok(uid), Ok(gid)) = (uid.parse::<u32>(), gid.parse::<u32>()) else { continue };
            match names::account_number(name) {
                Some(number) => {
                    let account = found_account(number, uid, gid, comment, &subordinate);
                    found.accounts.insert(number, account);
                }
                None => found.take(uid, 1),
            }
        }
        for fields in group.lines().map(fields) {
            let [name, _, gid, ..] = fields.as_slice() else { continue };
            if let (None, Ok(gid)) = (names::account_number(name), gid.parse()) {
                found.take(gid, 1);
            }
        }
        for (_, first, count) in
            subordinate.iter().flatten().filter(|(name, ..)| names::account_number(name).is_none())
        {
            found.take(*first, *count);
        }
        found
    }

    /// A range for each of `numbers`: the one its account has; else the one that its number stands for, so that it is the same after a
    /// removal; else the next that is free. Runners for which none is left are left out.
    #[must_use]
    pub fn allocate(&self, numbers: impl Iterator<Item = u16>) -> BTreeMap<u16, IdRange> {
        let numbers: Vec<u16> = numbers.collect();
        let kept = |number: &u16| Some((*number, self.accounts.get(number)?.range?));
        let mut ranges: BTreeMap<u16, IdRange> = numbers.iter().filter_map(kept).collect();
        let mut used: Vec<IdRange> = self.accounts.values().filter_map(|account| account.range).collect();
        // All numbers whose own range is free have it before any other looks for another.
        for own_only in [true, false] {
            for number in &numbers {
                if ranges.contains_key(number) {
                    continue;
                }
                let own = FIRST
                    .saturating_add(u32::from(number.saturating_sub(1)).saturating_mul(LENGTH))
                    .min(END - LENGTH);
                let slots = (own..=END - LENGTH).chain(FIRST..own).step_by(LENGTH as usize);
                let found = slots
                    .take(if own_only { 1 } else { usize::MAX })
                    .map(|first| IdRange { first })
                    .find(|range| self.is_free(*range) && !used.contains(range));
                if let Some(range) = found {
                    used.push(range);
                    ranges.insert(*number, range);
                }
            }
        }
        ranges
    }

    /// The range, as this module gives them away, that `id` is in.
    #[must_use]
    pub fn slot_of(id: u32) -> Option<IdRange> {
        (FIRST..END).contains(&id).then(|| IdRange { first: id - (id - FIRST) % LENGTH })
    }

    fn is_free(&self, range: IdRange) -> bool {
        let ids = range.ids();
        !self.taken.iter().any(|taken| taken.start < ids.end && ids.start < taken.end)
    }

    fn take(&mut self, first: u32, count: u32) {
        self.taken.push(u64::from(first)..u64::from(first) + u64::from(count));
    }
}

fn found_account(
    number: u16,
    uid: u32,
    gid: u32,
    comment: &str,
    subordinate: &[Vec<(&str, u32, u32)>; 2],
) -> FoundAccount {
    let range = uid.checked_sub(RUNNER_ID).and_then(IdRange::from).filter(|_| uid == gid);
    let name = names::account(number);
    let complete = range.is_some_and(|range| {
        subordinate.iter().all(|lines| {
            range.subordinate().iter().all(|(first, count)| lines.contains(&(name.as_str(), *first, *count)))
        })
    });
    FoundAccount { range, complete, ours: comment == self::comment(number) }
}

fn subordinate_ids(text: &str) -> Vec<(&str, u32, u32)> {
    text.lines()
        .filter_map(|line| match fields(line).as_slice() {
            [name, first, count] => Some((*name, first.parse().ok()?, count.parse().ok()?)),
            _ => None,
        })
        .collect()
}

fn fields(line: &str) -> Vec<&str> {
    line.trim().split(':').collect()
}

#[cfg(test)]
mod tests;
