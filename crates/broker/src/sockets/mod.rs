//! The handlers of WebSockets: live connections at `/live`, streams of the screen at `/screen`, consoles' event channels
//! at `/api/v1/x/events`.

pub(crate) mod event_channel;
pub(crate) mod live_connection;
pub(crate) mod splice;
pub(crate) mod stream_socket;

use std::time::Duration;

use axum::extract::ws::{Message as Frame, WebSocket};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;

/// How long a socket has for its first message, and for taking a message.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// The first message of a socket; `None` if it doesn't come in time or isn't one that belongs here.
async fn first_message<T: DeserializeOwned>(socket: &mut WebSocket) -> Option<T> {
    let first = async {
        loop {
            match socket.recv().await?.ok()? {
                Frame::Text(text) => return serde_json::from_str(text.as_str()).ok(),
                Frame::Ping(_) | Frame::Pong(_) => {}
                Frame::Binary(_) | Frame::Close(_) => return None,
            }
        }
    };
    timeout(HELLO_WITHIN, first).await.ok().flatten()
}

/// Sends a message; false if the other end is gone or takes too long.
async fn send(socket: &mut WebSocket, message: &impl Serialize) -> bool {
    let Ok(text) = serde_json::to_string(message) else { return false };
    matches!(timeout(HELLO_WITHIN, socket.send(Frame::Text(text.into()))).await, Ok(Ok(())))
}
