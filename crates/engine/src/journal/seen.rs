//! What a subscriber has dealt with, event by event: one that takes long holds up no other.

use std::collections::BTreeSet;

/// What a subscriber has dealt with: every event up to a number but those that it still owes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The newest event that was read.
    pub up_to: u64,
    /// Events up to that one that aren't dealt with yet.
    pub owed: BTreeSet<u64>,
}

impl Seen {
    /// Everything up to an event.
    #[must_use]
    pub fn up_to(up_to: u64) -> Self {
        Self { up_to, owed: BTreeSet::new() }
    }

    /// The event after which to read in order to get all that isn't dealt with.
    #[must_use]
    pub fn read_after(&self) -> u64 {
        self.owed.first().map_or(self.up_to, |owed| owed.saturating_sub(1))
    }

    /// Whether an event isn't dealt with yet.
    #[must_use]
    pub fn lacks(&self, seq: u64) -> bool {
        seq > self.up_to || self.owed.contains(&seq)
    }

    /// `up_to` and then each that is owed, 8 bytes each; older versions wrote the first alone.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let numbers = std::iter::once(&self.up_to).chain(&self.owed);
        numbers.flat_map(|number| number.to_le_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks();
        let mut numbers = numbers.iter().copied().map(u64::from_le_bytes);
        let up_to = numbers.next()?;
        rest.is_empty().then(|| Self { up_to, owed: numbers.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_and_not_dealt_with_is_read_again_and_nothing_else() {
        let seen = Seen { up_to: 9, owed: [4, 7].into() };
        assert_eq!(seen.read_after(), 3);
        let lacking: Vec<u64> = (1..=11).filter(|seq| seen.lacks(*seq)).collect();
        assert_eq!(lacking, [4, 7, 10, 11]);
        assert_eq!(Seen::up_to(9).read_after(), 9);
    }

    #[test]
    fn a_mark_of_an_older_version_owes_nothing() {
        assert_eq!(Seen::from_bytes(&7_u64.to_le_bytes()), Some(Seen::up_to(7)));
        let seen = Seen { up_to: 9, owed: [4, 7].into() };
        assert_eq!(Seen::from_bytes(&seen.to_bytes()), Some(seen));
        assert_eq!(Seen::from_bytes(&[1, 2, 3]), None);
        assert_eq!(Seen::from_bytes(&[]), None);
    }
}
