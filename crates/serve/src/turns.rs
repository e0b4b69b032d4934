//! When the next message of a WebSocket may be read. All those of one owner of addresses have one pace together, or each
//! socket more would be a share more.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::{Owner, connection_slots::ConnectionSlots, pace::Paced};

/// The turns of one WebSocket. A request that asks for one has these among its extensions.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    /// None where nothing waits: for this machine, and where the server has no pace.
    owner: Option<(Owner, ConnectionSlots)>,
    next: Option<Instant>,
}

/// So much comes from the owner that the connection should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFast;

impl Turns {
    pub(crate) fn new(owner: Option<Owner>, places: &ConnectionSlots) -> Self {
        Self { owner: owner.map(|owner| (owner, places.clone())), next: None }
    }

    /// Waits until the next message may be read. It can be dropped and called again.
    pub async fn wait(&self) {
        if let Some(next) = self.next {
            sleep_until(next).await;
        }
    }

    /// Counts a message that was read.
    ///
    /// # Errors
    /// [`TooFast`], which is counted among the server's refusals.
    pub fn count(&mut self) -> Result<(), TooFast> {
        let Some((owner, places)) = &self.owner else { return Ok(()) };
        let wait = places.count(Paced::Messages, *owner, 1).map_err(|_| TooFast)?;
        self.next = (wait > Duration::ZERO).then(|| Instant::now() + wait);
        Ok(())
    }
}
