//! One pointer for all viewers: whoever drags has it, until the last button is up.

use std::collections::HashMap;

use crate::screen::ViewerId;

/// Whose turn it is to point.
#[derive(Debug, Default)]
pub(crate) struct PointerTurn {
    dragging: Option<ViewerId>,
    /// Buttons that are down at a viewer, but were pressed while another was dragging, or were let go
    /// of for it. They count again from the next press on.
    unheard: HashMap<ViewerId, u16>,
}

impl PointerTurn {
    /// The buttons that are down by this event; `None` if it is another's turn.
    pub fn pointed(&mut self, viewer: ViewerId, buttons: u16) -> Option<u16> {
        if self.dragging.is_some_and(|other| other != viewer) {
            self.unheard.insert(viewer, buttons);
            return None;
        }
        let unheard = self.unheard.remove(&viewer).unwrap_or_default() & buttons;
        if unheard != 0 {
            self.unheard.insert(viewer, unheard);
        }
        let counted = buttons & !unheard;
        self.dragging = (counted != 0).then_some(viewer);
        Some(counted)
    }

    /// A viewer points no more. Whether buttons were down that must come up.
    pub fn left(&mut self, viewer: ViewerId) -> bool {
        self.unheard.remove(&viewer);
        self.dragging.take_if(|dragging| *dragging == viewer).is_some()
    }

    /// All buttons were released; those that are still down at a viewer count no more.
    pub fn interrupted(&mut self) {
        if let Some(viewer) = self.dragging.take() {
            self.unheard.insert(viewer, u16::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: ViewerId = ViewerId(1);
    const BEN: ViewerId = ViewerId(2);

    #[test]
    fn stays_with_the_one_who_drags() {
        let mut turn = PointerTurn::default();
        assert_eq!(turn.pointed(ANNA, 1), Some(1));
        assert_eq!(turn.pointed(BEN, 0), None);
        assert_eq!(turn.pointed(BEN, 4), None, "nor with a button of its own");
        assert_eq!(turn.pointed(ANNA, 1), Some(1));
        assert_eq!(turn.pointed(ANNA, 0), Some(0));
        assert_eq!(turn.pointed(BEN, 0), Some(0));
        assert_eq!(turn.pointed(BEN, 4), Some(4));
    }

    #[test]
    fn begins_no_drag_in_the_middle() {
        let mut turn = PointerTurn::default();
        turn.pointed(ANNA, 1);
        turn.pointed(BEN, 1);
        turn.pointed(ANNA, 0);
        assert_eq!(turn.pointed(BEN, 1), Some(0), "it was pressed elsewhere");
        assert_eq!(turn.pointed(BEN, 3), Some(2), "another button is new");
        assert_eq!(turn.pointed(BEN, 0), Some(0));
        assert_eq!(turn.pointed(BEN, 1), Some(1));
    }

    #[test]
    fn passes_on_when_the_one_who_drags_leaves() {
        let mut turn = PointerTurn::default();
        turn.pointed(ANNA, 1);
        assert!(!turn.left(BEN), "Ben had no button down");
        assert!(turn.left(ANNA));
        assert_eq!(turn.pointed(BEN, 1), Some(1));
    }

    #[test]
    fn is_not_taken_up_again_after_an_interruption() {
        let mut turn = PointerTurn::default();
        turn.pointed(ANNA, 1);
        turn.interrupted();
        assert_eq!(turn.pointed(ANNA, 1), Some(0));
        assert_eq!(turn.pointed(ANNA, 0), Some(0));
        assert_eq!(turn.pointed(ANNA, 1), Some(1));
    }
}
