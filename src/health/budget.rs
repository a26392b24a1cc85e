//! How often runners may be restarted: a restart that does not help is not repeated for ever, and not at once.

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// Restarts of one runner, until it was well for long.
pub(super) const MOST_PER_RUNNER: u32 = 5;

/// After the first restart of a runner; twice as long after each further one: 1, 2, 4, 8, 16 minutes.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Who was well for so long is forgiven.
pub(super) const FORGIVEN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Restarts of the fleet are counted over so long.
const FLEET_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// The fleet may always have so many.
const FLEET_LEAST: usize = 8;

/// What has been spent.
#[derive(Debug, Clone)]
pub struct Budget {
    accounts: BTreeMap<u16, Account>,
    /// When runners were restarted, within the window.
    spent: Vec<SignedDuration>,
    fleet_most: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Account {
    heals: u32,
    last: SignedDuration,
    well_since: Option<SignedDuration>,
}

/// May a runner be restarted?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// Yes.
    Now,
    /// Not yet.
    Later,
    /// Not while so many of the fleet were.
    FleetSpent,
    /// No: that was tried often enough.
    GivenUp,
}

impl Budget {
    /// For a fleet of so many; twice that, and at least 8, may be restarted within an hour.
    #[must_use]
    pub fn new(runners: usize) -> Self {
        Self { accounts: BTreeMap::new(), spent: Vec::new(), fleet_most: FLEET_LEAST.max(2 * runners) }
    }

    /// May runner `number` be restarted at `uptime`?
    #[must_use]
    pub fn allows(&self, number: u16, uptime: SignedDuration) -> Allowance {
        let account = self.accounts.get(&number).copied().unwrap_or_default();
        if account.heals >= MOST_PER_RUNNER {
            return Allowance::GivenUp;
        }
        if account.heals > 0 && uptime - account.last < pause_after(account.heals) {
            return Allowance::Later;
        }
        let recent = self.spent.iter().filter(|spent| uptime - **spent < FLEET_WINDOW).count();
        if recent >= self.fleet_most { Allowance::FleetSpent } else { Allowance::Now }
    }

    /// Runner `number` is restarted at `uptime`.
    pub fn spend(&mut self, number: u16, uptime: SignedDuration) {
        let account = self.accounts.entry(number).or_default();
        account.heals += 1;
        account.last = uptime;
        account.well_since = None;
        self.spent.retain(|spent| uptime - *spent < FLEET_WINDOW);
        self.spent.push(uptime);
    }

    /// The last restart of runner `number` did not take place after all.
    pub fn give_back(&mut self, number: u16) {
        if let Some(account) = self.accounts.get_mut(&number) {
            account.heals = account.heals.saturating_sub(1);
        }
        self.spent.pop();
    }

    /// What runner `number` was restarted for is forgotten.
    pub fn forgive(&mut self, number: u16) {
        self.accounts.remove(&number);
    }

    /// Runner `number` is well at `uptime`, or not. Returns whether it is forgiven by that.
    pub fn note(&mut self, number: u16, is_well: bool, uptime: SignedDuration) -> bool {
        let Some(account) = self.accounts.get_mut(&number) else { return false };
        if !is_well {
            account.well_since = None;
            return false;
        }
        let since = *account.well_since.get_or_insert(uptime);
        let is_forgiven = uptime - since >= FORGIVEN_AFTER;
        if is_forgiven {
            self.forgive(number);
        }
        is_forgiven
    }
}

fn pause_after(heals: u32) -> SignedDuration {
    FIRST_PAUSE.saturating_mul(1 << (heals - 1).min(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    #[test]
    fn each_pause_is_twice_as_long_and_the_fifth_restart_is_the_last() {
        let mut budget = Budget::new(1);
        let mut when = at(0);
        for pause in [1, 2, 4, 8, 16] {
            assert_eq!(budget.allows(1, when), Allowance::Now);
            budget.spend(1, when);
            assert_ne!(budget.allows(1, when + at(pause) - SignedDuration::from_secs(1)), Allowance::Now);
            when += at(pause);
        }
        assert_eq!(budget.allows(1, when + at(100_000)), Allowance::GivenUp);
    }

    #[test]
    fn an_hour_of_being_well_without_a_break_is_forgiven() {
        let mut budget = Budget::new(1);
        for spent in 0..5 {
            budget.spend(1, at(spent));
        }
        assert!(!budget.note(1, true, at(10)) && !budget.note(1, false, at(60)));
        assert!(!budget.note(1, true, at(61)) && !budget.note(1, true, at(120)));
        assert_eq!(budget.allows(1, at(120)), Allowance::GivenUp);
        assert!(budget.note(1, true, at(121)) && !budget.note(1, true, at(300)));
        assert_eq!(budget.allows(1, at(121)), Allowance::Now);
    }

    #[test]
    fn the_fleet_has_a_budget_too_and_gets_it_back_after_an_hour() {
        let mut budget = Budget::new(3);
        for number in 1..=8 {
            assert_eq!(budget.allows(number, at(0)), Allowance::Now);
            budget.spend(number, at(0));
        }
        assert_eq!(budget.allows(9, at(59)), Allowance::FleetSpent);
        assert_eq!(budget.allows(9, at(60)), Allowance::Now);
        assert_eq!(Budget::new(50).fleet_most, 100);
    }

    #[test]
    fn what_was_called_off_costs_nothing() {
        let mut budget = Budget::new(1);
        budget.spend(1, at(0));
        budget.give_back(1);
        assert_eq!(budget.allows(1, at(0)), Allowance::Now);
    }
}
