//! Two spliced WebSockets: what one sends the other receives, byte for byte.
//!
//! A message is read only after the one before it went out. So a receiver that doesn't read makes its sender
//! wait, and a stream never holds more than one message in each direction.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use serve::{Clock, Millis};
use tokio::{
    sync::oneshot,
    time::{Instant, interval_at, timeout},
};

use crate::hub::streams::StreamEnd;

/// The longest message.
pub(crate) const LONGEST: usize = 256 * 1024;
/// How often an end that is sent nothing gets a ping, so that no router on the way forgets the connection, and the
/// end knows that it still works.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long a goodbye may take.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// Carries messages both ways until either end leaves, `ended` fires, or nothing comes for `idle`.
pub(crate) async fn splice(
    viewer: WebSocket,
    presenter: WebSocket,
    (clock, idle): (&Clock, Duration),
    ended: &mut oneshot::Receiver<StreamEnd>,
) -> StreamEnd {
    let (mut to_viewer, mut from_viewer) = viewer.split();
    let (mut to_presenter, mut from_presenter) = presenter.split();
    let last = AtomicI64::new(clock.now().0);
    // Relaxed is enough: only the time itself is shared, and any recent one will do.
    let received = || last.store(clock.now().0, Ordering::Relaxed);
    let end = tokio::select! {
        why = ended => why.unwrap_or(StreamEnd::ConnectionEnded),
        why = pump(&mut from_viewer, &mut to_presenter, received) => why,
        why = pump(&mut from_presenter, &mut to_viewer, received) => why,
        () = silence(clock, idle, &last) => StreamEnd::Idle,
    };
    tokio::join!(send_close(&mut to_viewer, end), send_close(&mut to_presenter, end));
    end
}

async fn pump(
    from: &mut SplitStream<WebSocket>,
    to: &mut SplitSink<WebSocket, Frame>,
    received: impl Fn(),
) -> StreamEnd {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let sent = tokio::select! {
            frame = from.next() => match frame {
                Some(Ok(Frame::Binary(bytes))) => {
                    received();
                    // Data shows as well as a ping does that the connection works.
                    pings.reset();
                    to.send(Frame::Binary(bytes)).await
                }
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => continue,
                // Streams are binary: a text is a message of the exchange before them, which is over.
                Some(Ok(Frame::Text(_))) => return StreamEnd::Malformed,
                // An error is also a message that is too long.
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return StreamEnd::Left,
            },
            _ = pings.tick() => to.send(Frame::Ping(Vec::new().into())).await,
        };
        if sent.is_err() {
            return StreamEnd::Left;
        }
    }
}

/// Returns when nothing came for `idle`.
async fn silence(clock: &Clock, idle: Duration, last: &AtomicI64) {
    loop {
        let deadline = Millis(last.load(Ordering::Relaxed)).after(idle);
        if clock.now() >= deadline {
            return;
        }
        clock.sleep_until(deadline).await;
    }
}

async fn send_close(to: &mut SplitSink<WebSocket, Frame>, end: StreamEnd) {
    let frame = CloseFrame { code: close_code::NORMAL, reason: <&str>::from(end).into() };
    let _ = timeout(GOODBYE_WITHIN, to.send(Frame::Close(Some(frame)))).await;
}
