//! Closes connections so that the last bytes on them arrive.
//!
//! When a socket is closed while received data in it is unread, the kernel sends a reset and throws
//! away what was sent and hasn't arrived yet: the answer to a request that was refused early, a
//! chat message, a Close frame with its reason. Hence the order that RFC 9112, section 9.6, asks
//! for: end the sending half, read until the peer has ended its own, and only then close.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy, sink},
    time::timeout,
};
use tokio_tungstenite::WebSocketStream;

/// How long each of the two steps of [`hang_up`] may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(1);

/// Ends the sending half, then reads and discards until the peer's end, for at most `within`.
pub async fn drain(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), within: Duration) {
    let drained = async {
        // If the peer is gone already, this fails, and the copying below ends at once.
        let _ = stream.shutdown().await;
        let _ = copy(stream, &mut sink()).await;
    };
    let _ = timeout(within, drained).await;
}

/// Closes a WebSocket that this side has dialled. All sent messages arrive, unless the peer takes
/// too long.
pub async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>) {
    let _ = timeout(STEP_TIMEOUT, socket.close(None)).await;
    drain(socket.get_mut(), STEP_TIMEOUT).await;
}
