//! The broker's event channel (assumed): the present state of all followed sessions over one WebSocket. Only where
//! [`Capabilities::tells_events`](super::Capabilities::tells_events).

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Bytes, Message},
};
use tunnel::Stream;
use wire::session_events::{FromConsole, ToConsole};

use super::LoginWithMe;
use crate::remote::{CallError, web_socket::Channel};

/// The open channel, over a connection of any kind. Whoever is done with it calls [`EventChannel::close`].
pub struct EventChannel<S = MaybeTlsStream<Stream>> {
    socket: WebSocketStream<S>,
}

/// What came by the channel.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Said(ToConsole),
    /// A sign of life, or a message that this version doesn't know.
    Alive,
}

impl LoginWithMe {
    /// Opens the event channel. No session is followed at first.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open_events(&self) -> Result<EventChannel, CallError> {
        Ok(EventChannel { socket: self.dial(Channel::Events).await? })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> EventChannel<S> {
    #[cfg(test)]
    pub(crate) const fn over(socket: WebSocketStream<S>) -> Self {
        Self { socket }
    }

    /// Sends a message; false if the channel is gone.
    pub async fn send(&mut self, message: &FromConsole) -> bool {
        let Ok(text) = serde_json::to_string(message) else { return true };
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// Asks for a sign of life; false if the channel is gone.
    pub async fn ping(&mut self) -> bool {
        self.socket.send(Message::Ping(Bytes::new())).await.is_ok()
    }

    /// What has come already; none if nothing has.
    pub fn waiting(&mut self) -> Option<Option<Received>> {
        self.next().now_or_never()
    }

    /// The next message; none if the channel is gone. It may be cancelled without losing one.
    pub async fn next(&mut self) -> Option<Received> {
        match self.socket.next().await? {
            Ok(Message::Text(text)) => Some(match serde_json::from_str(&text) {
                Ok(message) => Received::Said(message),
                // Its text may hold a PIN or chat, so it isn't quoted.
                Err(_) => {
                    tracing::debug!("the broker sent a message that this version does not know");
                    Received::Alive
                }
            }),
            Ok(Message::Close(_)) | Err(_) => None,
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_)) => {
                Some(Received::Alive)
            }
        }
    }

    /// Closes the channel, so that the last words on it arrive.
    pub async fn close(self) {
        linger::hang_up(self.socket).await;
    }
}
