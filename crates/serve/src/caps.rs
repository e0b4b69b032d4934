//! How many places a server has, and how many of them each may have.

use std::{collections::HashMap, hash::Hash};

use crate::Limits;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    pub total: usize,
    /// For all on one side; what remains is kept for the other.
    pub side: usize,
    /// For one address among others of its owner.
    pub address: usize,
    pub owner: usize,
}

impl Caps {
    pub fn new(total: usize, limits: &Limits) -> Self {
        Self {
            total,
            side: total - total / 8,
            address: limits.per_address.unwrap_or((total / 8).max(1)),
            owner: limits.per_owner.unwrap_or((total / 4).max(1)),
        }
    }
}

/// Counts one less of these; none of whom nothing is left is kept.
pub(crate) fn decrease<K: Eq + Hash>(counts: &mut HashMap<K, usize>, of: K) {
    if let Some(count) = counts.get_mut(&of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&of);
        }
    }
}
