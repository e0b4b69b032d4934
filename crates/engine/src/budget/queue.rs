//! The queue of PUTs that wait for the budget, in the order of their urgency.

use std::collections::{BTreeMap, HashMap};

use session::Urgency;
use wire::HookType;

use crate::SessionId;

/// Whose hook, and which of the four.
type Hook = (SessionId, HookType);

/// Waiting PUTs in their order, one a hook.
pub struct Queue<P> {
    by_order: BTreeMap<(Urgency, u64), (Hook, P)>,
    by_hook: HashMap<Hook, (Urgency, u64)>,
    next: u64,
}

impl<P> Default for Queue<P> {
    fn default() -> Self {
        Self { by_order: BTreeMap::new(), by_hook: HashMap::new(), next: 0 }
    }
}

impl<P> Queue<P> {
    /// Lets a PUT wait; one of the same hook that waits already is replaced, and keeps its turn and
    /// its urgency if those are better.
    pub fn push(&mut self, hook: Hook, urgency: Urgency, put: P) {
        let mut place = (urgency, self.next);
        if let Some(old) = self.by_hook.remove(&hook) {
            self.by_order.remove(&old);
            // Else a heartbeat that replaces a waiting re-arm would send it to the end of
            // the queue.
            place = place.min(old);
        }
        self.next += 1;
        self.by_hook.insert(hook, place);
        self.by_order.insert(place, (hook, put));
    }

    /// Takes the PUT whose turn it is.
    pub fn pop(&mut self) -> Option<P> {
        let (_, (hook, put)) = self.by_order.pop_first()?;
        self.by_hook.remove(&hook);
        Some(put)
    }

    /// How urgent the first one is; none if nobody waits.
    pub fn first(&self) -> Option<Urgency> {
        self.by_order.keys().next().map(|(urgency, _)| *urgency)
    }
}
