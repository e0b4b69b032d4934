//! Troubles that stand until the next start, until their cause is gone, or until a person has
//! acknowledged them.

use parking_lot::Mutex;

use crate::view::Trouble;

#[derive(Default)]
pub(crate) struct StandingTroubles {
    standing: Mutex<Vec<Trouble>>,
    /// Those that a person has to acknowledge; the journal has them too.
    unseen: Mutex<Vec<Trouble>>,
}

impl StandingTroubles {
    /// Adds a trouble, unless it stands already.
    pub fn add(&self, trouble: Trouble) {
        let mut standing = self.standing.lock();
        if !standing.contains(&trouble) {
            standing.push(trouble);
        }
    }

    /// Removes the troubles that are over.
    pub fn remove(&self, is_over: impl Fn(&Trouble) -> bool) {
        self.standing.lock().retain(|trouble| !is_over(trouble));
    }

    /// The troubles that nobody has acknowledged yet, oldest first.
    pub fn unseen(&self) -> Vec<Trouble> {
        self.unseen.lock().clone()
    }

    pub fn set_unseen(&self, unseen: Vec<Trouble>) {
        *self.unseen.lock() = unseen;
    }

    /// All standing troubles: those to acknowledge first, each oldest first.
    pub fn list(&self) -> Vec<Trouble> {
        [self.unseen(), self.standing.lock().clone()].concat()
    }
}
