//! Troubles that stand until the next start, until their cause is gone, or until a person has
//! acknowledged them.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::view::{StandingTrouble, Trouble};

/// A trouble that a person has to acknowledge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unseen {
    /// By which it is acknowledged, so that nobody acknowledges another that came meanwhile. Older journals have none.
    #[serde(default = "Uuid::new_v4")]
    pub id: Uuid,
    #[serde(flatten)]
    pub trouble: Trouble,
}

#[derive(Default)]
pub(crate) struct StandingTroubles {
    standing: Mutex<Vec<Trouble>>,
    /// Those that a person has to acknowledge; the journal has them too.
    unseen: Mutex<Vec<Unseen>>,
    /// Held by who changes what a person has to acknowledge, until the journal has it: none of two that change it at
    /// once is lost.
    pub changing: tokio::sync::Mutex<()>,
}

impl Unseen {
    pub fn new(trouble: Trouble) -> Self {
        Self { id: Uuid::new_v4(), trouble }
    }

    pub fn view(self) -> StandingTrouble {
        StandingTrouble { id: Some(self.id.to_string()), ..self.trouble.into() }
    }
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
    pub fn unseen(&self) -> Vec<Unseen> {
        self.unseen.lock().clone()
    }

    pub fn set_unseen(&self, unseen: Vec<Unseen>) {
        *self.unseen.lock() = unseen;
    }

    /// Replaces the troubles of one kind by `now`; true if that changed anything.
    pub fn replace(&self, of_kind: impl Fn(&Trouble) -> bool, now: Option<Trouble>) -> bool {
        let mut standing = self.standing.lock();
        let (before, mut after): (Vec<_>, Vec<_>) =
            standing.iter().cloned().partition(|trouble| of_kind(trouble));
        let changed = !before.iter().eq(now.iter());
        after.extend(now);
        *standing = after;
        changed
    }

    /// All standing troubles: those to acknowledge first, each oldest first.
    pub fn list(&self) -> Vec<StandingTrouble> {
        let standing = self.standing.lock().clone();
        let unseen = self.unseen().into_iter().map(Unseen::view);
        unseen.chain(standing.into_iter().map(StandingTrouble::from)).collect()
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
        let list = |all: &[&str]| -> Vec<StandingTrouble> {
            all.iter().map(|&text| trouble(text).into()).collect()
        };
        assert_eq!(standing.list(), list(&["a", "b2"]));
        assert!(replace(None));
        assert!(!replace(None));
        assert_eq!(standing.list(), list(&["a"]));
    }
}
