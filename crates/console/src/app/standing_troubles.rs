//! Troubles that stand until the next start, or until their cause is gone.

use parking_lot::Mutex;

use crate::view::Trouble;

#[derive(Default)]
pub(crate) struct StandingTroubles(Mutex<Vec<Trouble>>);

impl StandingTroubles {
    /// Adds a trouble, unless it stands already.
    pub fn add(&self, trouble: Trouble) {
        let mut standing = self.0.lock();
        if !standing.contains(&trouble) {
            standing.push(trouble);
        }
    }

    /// Removes the troubles that are over.
    pub fn remove(&self, is_over: impl Fn(&Trouble) -> bool) {
        self.0.lock().retain(|trouble| !is_over(trouble));
    }

    /// Replaces the troubles of one kind by `now`; true if that changed anything.
    pub fn replace(&self, of_kind: impl Fn(&Trouble) -> bool, now: Option<Trouble>) -> bool {
        let mut standing = self.0.lock();
        let (before, mut after): (Vec<_>, Vec<_>) =
            standing.iter().cloned().partition(|trouble| of_kind(trouble));
        let changed = !before.iter().eq(now.iter());
        after.extend(now);
        *standing = after;
        changed
    }

    /// All standing troubles, oldest first.
    pub fn list(&self) -> Vec<Trouble> {
        self.0.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Code;

    #[test]
    fn a_trouble_takes_the_place_of_an_older_one_of_its_kind_and_goes_again() {
        let trouble = |text: &str| Trouble {
            code: Code::ServiceFault,
            text: text.into(),
            remedy: String::new(),
        };
        let standing = StandingTroubles::default();
        let replace = |now| standing.replace(|trouble| trouble.text.starts_with("b"), now);
        standing.add(trouble("a"));
        assert!(replace(Some(trouble("b1"))));
        assert!(!replace(Some(trouble("b1"))), "nothing new");
        assert!(replace(Some(trouble("b2"))));
        assert_eq!(standing.list(), [trouble("a"), trouble("b2")]);
        assert!(replace(None));
        assert!(!replace(None));
        assert_eq!(standing.list(), [trouble("a")]);
    }
}
