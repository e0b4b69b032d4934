//! Reports of abuse, and when they block the owner of the addresses that minted the reported PINs.
//!
//! Whatever is reported, each report costs the same: of a minter's reports no more are kept than the decision needs.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound::{Excluded, Unbounded},
};

use serve::{Millis, Owner};
use wire::Pin;

/// A minter is blocked by this many reports, if they are of as many PINs and by as many owners.
const STRIKES: usize = 3;

/// All reports, by the owner of the addresses that minted the reported PINs.
#[derive(Debug, Default)]
pub(crate) struct AbuseReports {
    reports: HashMap<Owner, Vec<(Pin, Owner)>>,
    blocked: HashMap<Owner, Millis>,
    /// The same, oldest first, without this machine: earlier versions noted it as well, to no effect.
    by_age: BTreeSet<(Millis, Owner)>,
}

/// An owner that may not use the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Who is blocked.
    pub owner: Owner,
    /// Since when.
    pub since: Millis,
}

/// What a report has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    /// Nothing: the decision doesn't depend on it.
    Nothing,
    /// It counts from now on.
    Counted,
    /// It counts, and has just blocked the minter.
    Blocked,
}

impl AbuseReports {
    /// The stored reports (minter, PIN, reporter) and blocks.
    pub fn from_stored(reports: Vec<(Owner, Pin, Owner)>, blocked: Vec<Block>) -> Self {
        let mut all = Self::default();
        // First, with their own times, and not only those that follow from the reports: a block stays even if the
        // rule changes.
        blocked.into_iter().for_each(|block| all.block(block.owner, block.since));
        for (minter, pin, reporter) in reports {
            all.report(minter, &pin, reporter, Millis(0));
        }
        all
    }

    /// Counts a report.
    ///
    /// Neither one reporter with many PINs nor many reporters with one PIN can block anybody.
    pub fn report(&mut self, minter: Owner, pin: &Pin, reporter: Owner, now: Millis) -> Reported {
        let kept = self.reports.entry(minter).or_default();
        // One more than `STRIKES - 1` others of the same PIN, or by the same reporter, changes nothing: among as many
        // there is always one whose other half those others don't need.
        let same_pin = kept.iter().filter(|(other, _)| other == pin).count();
        let same_reporter = kept.iter().filter(|(_, other)| *other == reporter).count();
        let repeated = kept.iter().any(|(p, r)| p == pin && *r == reporter);
        if repeated || same_pin >= STRIKES || same_reporter >= STRIKES {
            return Reported::Nothing;
        }
        if kept.len() >= MOST_KEPT {
            return Reported::Nothing;
        }
        kept.push((pin.clone(), reporter));
        if !distinct_pairs(kept, STRIKES) || self.blocked.contains_key(&minter) {
            return Reported::Counted;
        }
        self.block(minter, now);
        Reported::Blocked
    }

    fn block(&mut self, owner: Owner, since: Millis) {
        if let Some(before) = self.blocked.insert(owner, since) {
            self.by_age.remove(&(before, owner));
        }
        if !owner.first().is_loopback() {
            self.by_age.insert((since, owner));
        }
    }

    /// Ends a block and forgets what led to it; false if there was none.
    pub fn lift(&mut self, owner: Owner) -> bool {
        let Some(since) = self.blocked.remove(&owner) else { return false };
        self.by_age.remove(&(since, owner));
        self.reports.remove(&owner);
        true
    }

    pub fn is_blocked(&self, owner: Owner) -> bool {
        self.blocked.contains_key(&owner)
    }

    /// The blocks after this one, or all, the oldest first.
    pub fn blocks_after(&self, block: Option<Block>) -> impl Iterator<Item = Block> {
        let from = block.map_or(Unbounded, |block| Excluded((block.since, block.owner)));
        let blocks = self.by_age.range((from, Unbounded));
        blocks.map(|&(since, owner)| Block { owner, since })
    }
}

/// The most reports of one minter that are kept. As long as no three of them go together, two PINs or reporters have
/// a part in each, with at most three each; so the next one decides.
const MOST_KEPT: usize = 2 * STRIKES + 1;

/// Whether `wanted` of the pairs share neither a PIN nor a reporter. There are at most [`MOST_KEPT`].
fn distinct_pairs(pairs: &[(Pin, Owner)], wanted: usize) -> bool {
    if wanted == 0 {
        return true;
    }
    // Every pair is tried as the first: taking one greedily could miss others that go together.
    pairs.iter().enumerate().any(|(i, (pin, reporter))| {
        let goes_together = |(p, r): &&(Pin, Owner)| p != pin && r != reporter;
        let rest: Vec<_> = pairs[i + 1..].iter().filter(goes_together).cloned().collect();
        distinct_pairs(&rest, wanted - 1)
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const MINTER: u8 = 99;

    fn owner(n: u8) -> Owner {
        Owner::of_ip(Ipv4Addr::new(10, 0, 0, n).into())
    }

    fn pin(n: u8) -> Pin {
        format!("7W2-97-857{n}").parse().unwrap()
    }

    fn after(reports: &[(u8, u8)]) -> AbuseReports {
        let mut all = AbuseReports::default();
        for &(p, reporter) in reports {
            all.report(owner(MINTER), &pin(p), owner(reporter), Millis(5));
        }
        all
    }

    fn blocked_after(reports: &[(u8, u8)]) -> bool {
        after(reports).is_blocked(owner(MINTER))
    }

    #[test]
    fn three_pins_reported_by_three_owners_block() {
        assert!(!blocked_after(&[(1, 1), (2, 2)]));
        assert!(blocked_after(&[(1, 1), (2, 2), (3, 3)]));
        assert!(blocked_after(&[(1, 1), (1, 2), (2, 2), (2, 1), (3, 3)]));
    }

    #[test]
    fn one_reporter_or_one_pin_blocks_nobody() {
        assert!(!blocked_after(&[(1, 1), (2, 1), (3, 1), (4, 1)]));
        assert!(!blocked_after(&[(1, 1), (1, 2), (1, 3), (1, 4)]));
        assert!(!blocked_after(&[(1, 1), (2, 2), (1, 3), (2, 4)]));
    }

    #[test]
    fn a_block_that_was_lifted_needs_three_new_reports() {
        let mut all = after(&[(1, 1), (2, 2), (3, 3)]);
        assert_eq!(
            all.blocks_after(None).collect::<Vec<_>>(),
            [Block { owner: owner(MINTER), since: Millis(5) }]
        );
        assert!(all.lift(owner(MINTER)) && !all.lift(owner(MINTER)));
        assert!(!all.is_blocked(owner(MINTER)) && all.blocks_after(None).next().is_none());
        let again =
            |all: &mut AbuseReports, n| all.report(owner(MINTER), &pin(n), owner(n), Millis(9));
        let told: Vec<_> = (1..=3).map(|n| again(&mut all, n)).collect();
        assert_eq!(told, [Reported::Counted, Reported::Counted, Reported::Blocked]);
    }

    #[test]
    fn what_is_stored_blocks_whom_it_blocked() {
        let block = Block { owner: owner(7), since: Millis(3) };
        let reports = (1..=3).map(|n| (owner(MINTER), pin(n), owner(n))).collect();
        let all = AbuseReports::from_stored(reports, vec![block]);
        assert!(all.is_blocked(owner(7)) && all.is_blocked(owner(MINTER)));
    }

    /// Of all reports, whether three share neither a PIN nor a reporter.
    fn should_block(reports: &[(u8, u8)]) -> bool {
        let distinct = |a: (u8, u8), b: (u8, u8)| a.0 != b.0 && a.1 != b.1;
        reports.iter().any(|&a| {
            reports.iter().any(|&b| {
                distinct(a, b) && reports.iter().any(|&c| distinct(a, c) && distinct(b, c))
            })
        })
    }

    proptest! {
        #[test]
        fn few_reports_are_kept_and_they_decide_as_all_would(
            reports in prop::collection::vec((0u8..6, 0u8..6), 0..60),
        ) {
            let all = after(&reports);
            prop_assert_eq!(all.is_blocked(owner(MINTER)), should_block(&reports));
            let kept = all.reports.get(&owner(MINTER)).map_or(0, Vec::len);
            prop_assert!(kept <= MOST_KEPT);
        }
    }
}
