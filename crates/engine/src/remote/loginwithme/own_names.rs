//! The names under which this console writes and asks.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;

/// All names of its technicians that a client has given the service; its clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnNames(Arc<Mutex<BTreeSet<String>>>);

impl OwnNames {
    /// Remembers a name. Before the service hears it, since its word may be back before its answer.
    pub fn add(&self, name: &str) {
        let mut names = self.0.lock();
        if !names.contains(name) {
            names.insert(name.to_owned());
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.lock().contains(name)
    }
}
