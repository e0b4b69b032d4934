//! The order in which idle connections lose their places.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    hash::Hash,
};

/// In the order in which places are taken: those that have sent no request yet, then those that were idle for longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Idle {
    Silent(u64),
    Since(u64),
}

/// Notes that one which could be taken since `before` can be taken since `after`.
pub(crate) fn change(
    idle: &mut BTreeMap<Idle, u64>,
    id: u64,
    before: Option<Idle>,
    after: Option<Idle>,
) {
    if let Some(before) = before {
        idle.remove(&before);
    }
    if let Some(after) = after {
        idle.insert(after, id);
    }
}

/// As [`change`], in one of many, of which none is kept empty.
pub(crate) fn change_of<K: Hash + Eq>(
    all: &mut HashMap<K, BTreeMap<Idle, u64>>,
    key: K,
    id: u64,
    before: Option<Idle>,
    after: Option<Idle>,
) {
    match all.entry(key) {
        Entry::Occupied(mut idle) => {
            change(idle.get_mut(), id, before, after);
            if idle.get().is_empty() {
                idle.remove();
            }
        }
        Entry::Vacant(slot) => {
            if let Some(after) = after {
                slot.insert(BTreeMap::from([(after, id)]));
            }
        }
    }
}
