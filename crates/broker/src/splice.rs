//! Two WebSockets, each other's ends: what one says the other hears, byte for byte.
//!
//! A message is read only after the one before it went out, so a receiver that doesn't read makes
//! its sender wait, and a stream never holds more than one message each way.

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

use crate::streams::Ending;

/// The longest message.
pub(crate) const LONGEST: usize = 256 * 1024;
/// How often an end that hears nothing gets a ping, so that no router on the way forgets it, and it knows
/// that the way is still there.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long a goodbye may take.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// Carries messages both ways until either end leaves, `ended` says so, or nothing comes for `idle`.
pub(crate) async fn splice(
    viewer: WebSocket,
    presenter: WebSocket,
    (clock, idle): (&Clock, Duration),
    ended: &mut oneshot::Receiver<Ending>,
) -> Ending {
    let (mut to_viewer, mut from_viewer) = viewer.split();
    let (mut to_presenter, mut from_presenter) = presenter.split();
    let last = AtomicI64::new(clock.now().0);
    let noted = || last.store(clock.now().0, Ordering::Relaxed);
    let ending = tokio::select! {
        told = ended => told.unwrap_or(Ending::LineEnded),
        why = pump(&mut from_viewer, &mut to_presenter, noted) => why,
        why = pump(&mut from_presenter, &mut to_viewer, noted) => why,
        () = silence(clock, idle, &last) => Ending::Idle,
    };
    tokio::join!(say_goodbye(&mut to_viewer, ending), say_goodbye(&mut to_presenter, ending));
    ending
}

async fn pump(
    from: &mut SplitStream<WebSocket>,
    to: &mut SplitSink<WebSocket, Frame>,
    noted: impl Fn(),
) -> Ending {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let sent = tokio::select! {
            frame = from.next() => match frame {
                Some(Ok(Frame::Binary(bytes))) => {
                    noted();
                    pings.reset();
                    to.send(Frame::Binary(bytes)).await
                }
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => continue,
                Some(Ok(Frame::Text(_))) => return Ending::Malformed,
                // Also a message that is too long.
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return Ending::Left,
            },
            _ = pings.tick() => to.send(Frame::Ping(Vec::new().into())).await,
        };
        if sent.is_err() {
            return Ending::Left;
        }
    }
}

/// Ends when nothing came for so long.
async fn silence(clock: &Clock, idle: Duration, last: &AtomicI64) {
    loop {
        let due = Millis(last.load(Ordering::Relaxed)).after(idle);
        if clock.now() >= due {
            return;
        }
        clock.sleep_until(due).await;
    }
}

async fn say_goodbye(to: &mut SplitSink<WebSocket, Frame>, ending: Ending) {
    let frame = CloseFrame { code: close_code::NORMAL, reason: ending.word().into() };
    let _ = timeout(GOODBYE_WITHIN, to.send(Frame::Close(Some(frame)))).await;
}
