//! When which session has to be looked at, so that no work is done for those where nothing is due.

use std::collections::{BTreeMap, HashMap, HashSet};

use serve::Millis;
use wire::Pin;

/// The next deadline of each session.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    by_time: BTreeMap<Millis, HashSet<Pin>>,
    by_session: HashMap<Pin, Millis>,
}

impl Deadlines {
    /// The session has to be looked at then, and not at the time that was set before.
    pub fn set(&mut self, pin: &Pin, at: Millis) {
        if self.by_session.get(pin) == Some(&at) {
            return;
        }
        self.remove(pin);
        self.by_session.insert(pin.clone(), at);
        self.by_time.entry(at).or_default().insert(pin.clone());
    }

    /// The session is forgotten.
    pub fn remove(&mut self, pin: &Pin) {
        let Some(at) = self.by_session.remove(pin) else { return };
        let Some(others) = self.by_time.get_mut(&at) else { return };
        others.remove(pin);
        if others.is_empty() {
            self.by_time.remove(&at);
        }
    }

    /// The earliest of all.
    pub fn next(&self) -> Option<Millis> {
        self.by_time.keys().next().copied()
    }

    /// Up to `most` sessions whose time has come, which have none from here on.
    pub fn take_due(&mut self, now: Millis, most: usize) -> Vec<Pin> {
        let due = self.by_time.range(..=now).flat_map(|(_, pins)| pins);
        let due: Vec<Pin> = due.take(most).cloned().collect();
        due.iter().for_each(|pin| self.remove(pin));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(n: usize) -> Pin {
        format!("7W2-97-{n:04}").parse().unwrap()
    }

    #[test]
    fn each_session_is_due_once_at_the_time_that_was_set_last() {
        let mut deadlines = Deadlines::default();
        for n in 0..10 {
            deadlines.set(&pin(n), Millis(100));
        }
        deadlines.set(&pin(3), Millis(50));
        deadlines.set(&pin(4), Millis(200));
        deadlines.remove(&pin(5));
        assert_eq!(deadlines.next(), Some(Millis(50)));
        assert_eq!(deadlines.take_due(Millis(99), 100), [pin(3)]);
        assert_eq!(deadlines.take_due(Millis(100), 4).len(), 4);
        assert_eq!(deadlines.take_due(Millis(100), 100).len(), 3);
        assert_eq!(deadlines.next(), Some(Millis(200)));
        assert_eq!(deadlines.take_due(Millis(200), 100), [pin(4)]);
        assert!(deadlines.next().is_none() && deadlines.by_session.is_empty());
    }
}
