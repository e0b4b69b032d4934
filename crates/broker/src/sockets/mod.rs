//! The handlers of WebSockets: live connections at `/live`, streams of the screen at `/screen`, consoles' event channels
//! at `/api/v1/x/events`.

pub(crate) mod event_channel;
pub(crate) mod live_connection;
pub(crate) mod splice;
pub(crate) mod stream_socket;

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::Duration,
};

use axum::extract::ws::{Message as Frame, WebSocket};
use futures_util::FutureExt as _;
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

/// Does `after` whatever becomes of `work`. Should a mistake of ours make that panic, nobody must count as present for it, or
/// keep a place that they have left.
async fn and_always<T>(work: impl Future<Output = T>, after: impl Future<Output = ()>) -> T {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    after.await;
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_is_served_has_left_afterwards_also_where_serving_panics() {
        static LEFT: AtomicU32 = AtomicU32::new(0);
        let leave = async || {
            LEFT.fetch_add(1, Ordering::Relaxed);
        };
        assert_eq!(and_always(async { 7 }, leave()).await, 7);
        let panics = tokio::spawn(and_always(async { panic!("as a test") }, leave()));
        assert!(panics.await.unwrap_err().is_panic());
        assert_eq!(LEFT.load(Ordering::Relaxed), 2);
    }
}
