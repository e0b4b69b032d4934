//! What is known of a hook's delivery.

use serde::{Deserialize, Serialize};

/// What a delivery of a hook says of itself: it tells a second try of the same event from a second event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The session's revision after the event, by our own broker's word; none from a hosted service.
    pub revision: Option<u64>,
    /// What all tries of one delivery have in common; none where the sender doesn't say.
    pub id: Option<DeliveryId>,
}

/// The beginning of the digest of a delivery's `webhook-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryId(pub u64);
