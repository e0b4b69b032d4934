//! Connecting pages to the hub: an id and an outlet first, then the hub's decision, then what a page is told first.

use std::{net::Ipv4Addr, sync::Arc};

use serve::Client;
use tokio::sync::mpsc;

use crate::{
    coordinator::Coordinator,
    hub::{
        join::{JoinRequest, Joined},
        messages::ServerMessage,
        presence::ConnectionId,
        refusal::Refused,
    },
    random,
};

/// A connection that was let in.
pub(crate) struct Connected {
    pub id: ConnectionId,
    pub welcome: ServerMessage,
    /// What it is told from here on; ends when the hub hangs it up.
    pub messages: mpsc::Receiver<ServerMessage>,
}

impl Coordinator {
    /// Connects the socket of a page or a program.
    pub(crate) async fn connect(
        self: &Arc<Self>,
        client: Client,
        request: JoinRequest,
    ) -> Result<Connected, Refused> {
        // First, since the hub may have something to tell as soon as it has let the page in.
        let (id, messages) = self.sockets.lock().add_connection();
        let joined = self.join(id, client, request).await;
        let welcome =
            joined.and_then(|joined| self.with_hub(|hub, now| hub.welcome(client, joined, now)));
        match welcome {
            Ok(welcome) => Ok(Connected { id, welcome, messages }),
            Err(refused) => {
                // Also out of the hub, if it was let in but its session has ended since, or the disk failed.
                self.disconnect(id).await;
                Err(refused)
            }
        }
    }

    /// Connects a page that has neither a socket nor a browser.
    pub(crate) async fn connect_stand_in(
        self: &Arc<Self>,
        request: JoinRequest,
    ) -> Result<ConnectionId, Refused> {
        let id = self.sockets.lock().next_connection();
        self.join(id, Client::from_ip(Ipv4Addr::LOCALHOST.into()), request).await?;
        Ok(id)
    }

    async fn join(
        self: &Arc<Self>,
        id: ConnectionId,
        client: Client,
        request: JoinRequest,
    ) -> Result<Joined, Refused> {
        let watch_key = random::credential()?;
        self.change(|hub, now| hub.join(id, client, request, watch_key, now)).await
    }

    /// A connection has ended.
    pub(crate) async fn disconnect(self: &Arc<Self>, id: ConnectionId) {
        self.record(|hub, now| hub.leave(id, now)).await;
        // After the hub: until it has taken the page out, it may still tell it something.
        self.sockets.lock().remove_connection(id);
    }
}
