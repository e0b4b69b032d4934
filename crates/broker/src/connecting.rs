//! Connecting pages to the hub: registers the socket, has the hub decide, and prepares the first message.

use std::{net::Ipv4Addr, sync::Arc};

use serve::Client;
use tokio::sync::mpsc;
use uuid::Uuid;
use wire::Pin;

use crate::{
    coordinator::Coordinator,
    hub::{
        join::{JoinRequest, Joined},
        messages::ServerMessage,
        presence::{ConnectionId, PageId},
        refusal::Refused,
    },
    random,
};

/// A connection that was admitted.
pub(crate) struct Connected {
    pub id: ConnectionId,
    pub welcome: ServerMessage,
    /// The messages that follow; the channel ends when the hub hangs the connection up.
    pub messages: mpsc::Receiver<ServerMessage>,
}

impl Coordinator {
    /// Connects the socket of a page or a program.
    pub(crate) async fn connect(
        self: &Arc<Self>,
        client: Client,
        request: JoinRequest,
    ) -> Result<Connected, Refused> {
        // First, since the hub may send something as soon as it has admitted the page.
        let (id, messages) = self.sockets.lock().add_connection();
        let joined = self.join(id, client, request).await;
        let welcome =
            joined.and_then(|joined| self.with_hub(|hub, now| hub.welcome(client, joined, now)));
        match welcome {
            Ok(welcome) => Ok(Connected { id, welcome, messages }),
            Err(refused) => {
                // Also from the hub: it may have admitted the page before the session ended or the disk failed.
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

    /// The connection of a page, while it is connected.
    pub(crate) fn find_connection(&self, pin: &Pin, page: Uuid) -> Option<ConnectionId> {
        self.with_hub(|hub, _| hub.find_connection(pin, PageId(page)))
    }

    async fn join(
        self: &Arc<Self>,
        id: ConnectionId,
        client: Client,
        request: JoinRequest,
    ) -> Result<Joined, Refused> {
        let watch_key = random::credential()?;
        let pin = request.pin().cloned();
        let joined = self.change(|hub, now| hub.join(id, client, request, watch_key, now)).await;
        if let (Err(Refused::Taken), Some(pin)) = (&joined, pin) {
            self.record(|hub, now| hub.note_other_program(&pin, now)).await;
        }
        joined
    }

    /// A connection has ended.
    pub(crate) async fn disconnect(self: &Arc<Self>, id: ConnectionId) {
        self.record(|hub, now| hub.leave(id, now)).await;
        // After the hub, which may send the page something until it has removed it.
        self.sockets.lock().remove_connection(id);
    }
}
