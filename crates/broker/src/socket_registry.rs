//! The sockets behind the hub's connections and streams, and how the hub's notices get to them.

use std::collections::HashMap;

use axum::extract::ws::WebSocket;
use tokio::sync::{mpsc, oneshot};

use crate::hub::{
    change::Notice,
    messages::ServerMessage,
    presence::ConnectionId,
    streams::{StreamEnd, StreamId},
};

/// How many messages may wait for a page that reads slowly. A page that lets more pile up is hung up.
const MOST_WAITING: usize = 256;

/// The senders of all open sockets, by the id of the connection or the stream.
#[derive(Debug, Default)]
pub(crate) struct SocketRegistry {
    connections: HashMap<ConnectionId, mpsc::Sender<ServerMessage>>,
    streams: HashMap<StreamId, StreamHandle>,
    last_id: u64,
}

/// How the presenter's socket and the hub reach the task of a viewer's socket.
#[derive(Debug)]
struct StreamHandle {
    /// Where the presenter's socket goes; taken by the first one that comes.
    presenter_socket: Option<oneshot::Sender<WebSocket>>,
    ended: oneshot::Sender<StreamEnd>,
}

/// What the task of a viewer's socket waits for.
pub(crate) struct StreamSignals {
    pub presenter_socket: oneshot::Receiver<WebSocket>,
    pub ended: oneshot::Receiver<StreamEnd>,
}

impl SocketRegistry {
    /// An id for a page without a socket.
    pub const fn next_connection(&mut self) -> ConnectionId {
        self.last_id += 1;
        ConnectionId(self.last_id)
    }

    /// Registers a socket before the hub knows of it, since the hub may send it something at once.
    pub fn add_connection(&mut self) -> (ConnectionId, mpsc::Receiver<ServerMessage>) {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        let id = self.next_connection();
        self.connections.insert(id, sender);
        (id, receiver)
    }

    pub fn remove_connection(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Registers a stream before the presenter learns of it, since its program may dial at once.
    pub fn add_stream(&mut self) -> (StreamId, StreamSignals) {
        let (slot, presenter_socket) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        self.last_id += 1;
        let id = StreamId(self.last_id);
        self.streams.insert(id, StreamHandle { presenter_socket: Some(slot), ended: end });
        (id, StreamSignals { presenter_socket, ended })
    }

    pub fn remove_stream(&mut self, id: StreamId) {
        self.streams.remove(&id);
    }

    /// Where the presenter's socket for this stream goes.
    pub fn take_presenter_slot(&mut self, id: StreamId) -> Option<oneshot::Sender<WebSocket>> {
        self.streams.get_mut(&id)?.presenter_socket.take()
    }

    /// Sends a notice to its socket; returns the connection if its socket is gone or reads too slowly.
    pub fn carry_out(&mut self, notice: Notice) -> Option<ConnectionId> {
        match notice {
            Notice::Send { to, message } => {
                let taken = self.connections.get(&to).map(|sender| sender.try_send(message));
                if let Some(Ok(())) = taken {
                    return None;
                }
                // Without its sender the socket's task ends, and the hub learns from it that the page has left.
                self.connections.remove(&to);
                return Some(to);
            }
            Notice::HangUp { connection, message } => {
                if let Some(sender) = self.connections.remove(&connection) {
                    // A page that doesn't read misses the reason; its socket closes all the same.
                    let _ = sender.try_send(message);
                }
            }
            Notice::EndStream { stream, why } => {
                if let Some(handle) = self.streams.remove(&stream) {
                    // The viewer's task may have ended the stream itself.
                    let _ = handle.ended.send(why);
                }
            }
        }
        None
    }
}
