//! The sessions that want to know their present state from our own broker.

use std::collections::HashSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::SessionId;

/// The sessions whose present state is to be asked for.
#[derive(Default)]
pub(crate) struct StateRequests {
    asked: Mutex<HashSet<SessionId>>,
    wake: Notify,
}

impl StateRequests {
    /// Asks for a session's present state, by the channel if it is open.
    pub fn ask(&self, session: SessionId) {
        self.asked.lock().insert(session);
        self.wake.notify_one();
    }

    /// Waits until a session's state is asked for, and takes all of them.
    pub async fn asked(&self) -> HashSet<SessionId> {
        loop {
            let asked = std::mem::take(&mut *self.asked.lock());
            if !asked.is_empty() {
                return asked;
            }
            self.wake.notified().await;
        }
    }
}
