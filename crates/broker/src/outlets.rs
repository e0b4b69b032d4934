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

/// How many messages may wait for a page that reads slowly. One that lets more pile up is hung up.
const MOST_WAITING: usize = 256;

/// What can be told to sockets.
#[derive(Debug, Default)]
pub(crate) struct Outlets {
    connections: HashMap<ConnectionId, mpsc::Sender<ServerMessage>>,
    streams: HashMap<StreamId, StreamOutlet>,
    last_id: u64,
}

/// The task of a viewer's socket, as the presenter's socket and the hub reach it.
#[derive(Debug)]
struct StreamOutlet {
    /// Taken by the presenter's socket.
    dialled: Option<oneshot::Sender<WebSocket>>,
    ended: oneshot::Sender<StreamEnd>,
}

/// What the task of a viewer's socket waits for.
pub(crate) struct StreamInlet {
    pub dialled: oneshot::Receiver<WebSocket>,
    pub ended: oneshot::Receiver<StreamEnd>,
}

impl Outlets {
    /// An id for a page without a socket.
    pub const fn next_connection(&mut self) -> ConnectionId {
        self.last_id += 1;
        ConnectionId(self.last_id)
    }

    /// Registers a socket before the hub knows of it, since the hub may tell it something at once.
    pub fn add_connection(&mut self) -> (ConnectionId, mpsc::Receiver<ServerMessage>) {
        let (outlet, inlet) = mpsc::channel(MOST_WAITING);
        let id = self.next_connection();
        self.connections.insert(id, outlet);
        (id, inlet)
    }

    pub fn remove_connection(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Registers a stream before the presenter is told of it, since that may dial at once.
    pub fn add_stream(&mut self) -> (StreamId, StreamInlet) {
        let (dial, dialled) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        self.last_id += 1;
        let id = StreamId(self.last_id);
        self.streams.insert(id, StreamOutlet { dialled: Some(dial), ended: end });
        (id, StreamInlet { dialled, ended })
    }

    pub fn remove_stream(&mut self, id: StreamId) {
        self.streams.remove(&id);
    }

    /// Where the presenter's socket for this stream goes.
    pub fn take_dialled(&mut self, id: StreamId) -> Option<oneshot::Sender<WebSocket>> {
        self.streams.get_mut(&id)?.dialled.take()
    }

    /// Carries out a notice; returns the connection if that doesn't take it any more.
    pub fn carry_out(&mut self, notice: Notice) -> Option<ConnectionId> {
        match notice {
            Notice::Send { to, message } => {
                let taken = self.connections.get(&to).map(|outlet| outlet.try_send(message));
                if let Some(Ok(())) = taken {
                    return None;
                }
                // Without its outlet the socket's task ends, and the hub hears that the page has left.
                self.connections.remove(&to);
                return Some(to);
            }
            Notice::HangUp { connection, message } => {
                if let Some(outlet) = self.connections.remove(&connection) {
                    // A page that doesn't read misses the reason; its socket closes all the same.
                    let _ = outlet.try_send(message);
                }
            }
            Notice::EndStream { stream, why } => {
                if let Some(outlet) = self.streams.remove(&stream) {
                    // The viewer's task may have ended the stream itself.
                    let _ = outlet.ended.send(why);
                }
            }
        }
        None
    }
}
