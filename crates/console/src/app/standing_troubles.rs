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

    /// All standing troubles, oldest first.
    pub fn list(&self) -> Vec<Trouble> {
        self.0.lock().clone()
    }
}
