//! Minting PINs, for clients of the API and for the broker's owner.

use std::sync::Arc;

use serve::Client;
use wire::{Pin, Region};

use crate::{
    coordinator::Coordinator,
    hub::{credential::KeyHash, refusal::Refused},
    random,
};

/// How many PINs are tried. With 17^9 of them the first one is nearly always unused.
const ATTEMPTS: usize = 8;

impl Coordinator {
    /// Mints a PIN, for a console that gave a key with this hash.
    pub(crate) async fn mint(
        self: &Arc<Self>,
        client: Client,
        region: Region,
        console: Option<KeyHash>,
    ) -> Result<Pin, Refused> {
        let mut attempts = [[0; 32]; ATTEMPTS];
        for attempt in &mut attempts {
            *attempt = random::bytes()?;
        }
        self.change(|hub, now| hub.mint(client, region, console, &attempts, now)).await
    }
}
