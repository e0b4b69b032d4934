//! The live connection of a page: presence and chat over one WebSocket.
//!
//! The first message is a page's `hello` with PIN, side and page id, so that the PIN stands in no
//! URL. The presenter's program speaks the same words as a page ([`crate::words`]).

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use tokio::{
    sync::mpsc,
    time::{Instant, interval_at, sleep_until, timeout},
};
use wire::{PinShape, Side};

use crate::{
    error::Refused,
    lines::{Caller, Claim, Wish},
    rules::{
        presence::{LineId, PageId},
        text,
    },
    switchboard::{Client, Switchboard},
    words::{FromPage, Hello, ToPage},
};

/// How long a page has to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How often a page is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A page of which nothing was heard for so long, not even an answer to a ping, is gone: a network that
/// drops everything closes no connection. Its screen must not go on to look as if it were shared.
const SILENT: Duration = Duration::from_secs(15);
/// How many messages may wait for a page that reads slowly.
const WAITING: usize = 256;

/// Serves one connection until either end has enough.
pub(crate) async fn serve(
    mut socket: WebSocket,
    board: std::sync::Arc<Switchboard>,
    client: Client,
) {
    let (out, mut told) = mpsc::channel(WAITING);
    let hello = timeout(HELLO_WITHIN, next(&mut socket)).await.ok().flatten();
    let joined = match hello {
        Some(FromPage::Hello(hello)) => match caller(hello, out) {
            Ok(caller) => board.arrive(client, caller).await,
            Err(refused) => Err(refused),
        },
        Some(
            FromPage::Name { .. }
            | FromPage::Chat { .. }
            | FromPage::Sharing { .. }
            | FromPage::Quality { .. }
            | FromPage::Snapshot
            | FromPage::Ping
            | FromPage::Leave,
        )
        | None => Err(Refused::malformed("the first message is a hello")),
    };
    match joined {
        Ok((line, welcome)) => {
            if tell(&mut socket, &welcome).await {
                talk(&mut socket, &board, (client, line), &mut told).await;
            }
            board.depart(line).await;
        }
        Err(refused) => {
            tokio::time::sleep(refused.answer_after()).await;
            tell(&mut socket, &ToPage::refused(&refused)).await;
        }
    }
    let goodbye = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    let _ = timeout(HELLO_WITHIN, socket.send(Frame::Close(Some(goodbye)))).await;
}

/// Who wants to connect as what, and what lets it in.
fn caller(hello: Hello, out: mpsc::Sender<ToPage>) -> Result<Caller, Refused> {
    let Hello { session_pin, ticket, side, page, name, ro, companion, program } = hello;
    let wish = match side {
        Side::Presenter if companion => Wish::Companion,
        Side::Presenter => Wish::Presenter(program),
        Side::Viewers => Wish::Viewer { ro },
    };
    let claim = match (session_pin, ticket, side) {
        (None, Some(ticket), Side::Viewers) => Claim::Ticket(ticket),
        (Some(pin), _, _) => Claim::Pin(
            pin.parse().map_err(|shape: PinShape| Refused::malformed(shape.to_string()))?,
        ),
        (None, _, _) => return Err(Refused::malformed("session_pin is missing")),
    };
    let name = text::tidy_name(&name);
    Ok(Caller { claim, wish, page: PageId(page), name, out: Some(out) })
}

/// Carries messages both ways until the page leaves, is hung up, or no longer answers.
async fn talk(
    socket: &mut WebSocket,
    board: &std::sync::Arc<Switchboard>,
    (client, line): (Client, LineId),
    told: &mut mpsc::Receiver<ToPage>,
) {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            message = told.recv() => match message {
                Some(message) => if !tell(socket, &message).await { return },
                None => return,
            },
            frame = socket.recv() => {
                heard = Instant::now();
                match frame {
                    None | Some(Err(_) | Ok(Frame::Close(_))) => return,
                    Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                    Some(Ok(Frame::Text(text))) => {
                        if !answer(socket, board, (client, line), text.as_bytes()).await { return }
                    }
                    Some(Ok(Frame::Binary(_))) => return,
                }
            }
            _ = pings.tick() => {
                let ping = socket.send(Frame::Ping(Vec::new().into()));
                if !matches!(timeout(HELLO_WITHIN, ping).await, Ok(Ok(()))) { return }
            }
            () = sleep_until(heard + SILENT) => return,
        }
    }
}

/// Does what a page asks for; false when it is leaving.
async fn answer(
    socket: &mut WebSocket,
    board: &std::sync::Arc<Switchboard>,
    (client, line): (Client, LineId),
    text: &[u8],
) -> bool {
    let rates = board.rates.of(client);
    let outcome = match serde_json::from_slice(text) {
        Ok(FromPage::Chat { name, body }) => board.say(line, &name, &body).await,
        Ok(FromPage::Name { name }) => {
            board.rename(line, &name).await;
            Ok(())
        }
        Ok(FromPage::Sharing { state }) => board.lock().0.share(line, state),
        Ok(FromPage::Quality { latency_ms, fps }) => {
            let (mut state, now) = board.lock();
            state.judge_quality(line, (latency_ms, fps), rates, now)
        }
        Ok(FromPage::Snapshot) => {
            let (mut state, now) = board.lock();
            state.saved_picture(line, rates, now)
        }
        Ok(FromPage::Ping) => return tell(socket, &ToPage::Pong).await,
        Ok(FromPage::Leave) => return false,
        Ok(FromPage::Hello(_)) | Err(_) => Err(Refused::malformed("no such message")),
    };
    match outcome {
        Ok(()) => true,
        Err(refused) => tell(socket, &ToPage::refused(&refused)).await,
    }
}

/// The next thing that the page says; `None` if it is gone or talks nonsense.
async fn next(socket: &mut WebSocket) -> Option<FromPage> {
    loop {
        match socket.recv().await?.ok()? {
            Frame::Text(text) => return serde_json::from_slice(text.as_bytes()).ok(),
            Frame::Ping(_) | Frame::Pong(_) => {}
            Frame::Binary(_) | Frame::Close(_) => return None,
        }
    }
}

/// False if the page is gone, or takes too long.
async fn tell(socket: &mut WebSocket, message: &ToPage) -> bool {
    let Ok(text) = serde_json::to_string(message) else { return false };
    matches!(timeout(HELLO_WITHIN, socket.send(Frame::Text(text.into()))).await, Ok(Ok(())))
}
