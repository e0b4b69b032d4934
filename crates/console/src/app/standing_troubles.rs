//! Troubles that stand until the next start, or until what they are about works again.

use parking_lot::Mutex;

use crate::view::Trouble;

/// The troubles that stand.
#[derive(Default)]
pub(crate) struct StandingTroubles(Mutex<Vec<Trouble>>);

impl StandingTroubles {
    /// Adds one, unless it stands already.
    pub fn add(&self, trouble: Trouble) {
        let mut standing = self.0.lock();
        if !standing.contains(&trouble) {
            standing.push(trouble);
        }
    }

    /// Takes away those that are over.
    pub fn remove(&self, is_over: impl Fn(&Trouble) -> bool) {
        self.0.lock().retain(|trouble| !is_over(trouble));
    }

    /// All of them, the oldest first.
    pub fn list(&self) -> Vec<Trouble> {
        self.0.lock().clone()
    }
}
