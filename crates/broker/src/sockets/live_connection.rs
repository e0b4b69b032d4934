//! The live connection of a page: presence and chat over one WebSocket.
//!
//! The first message is a page's `hello` with PIN, side and page id, so that no URL contains the PIN. The
//! presenter's program exchanges the same messages as a page ([`crate::hub::messages`]).

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use serve::{Client, Turns};
use tokio::{
    sync::mpsc,
    time::{Instant, interval_at, sleep_until, timeout},
};
use uuid::Uuid;
use wire::{InvalidPin, Pin, Side};

use super::{HELLO_WITHIN, and_always, first_message, send};
use crate::{
    connecting::Connected,
    coordinator::Coordinator,
    hub::{
        connections::Link,
        credential::KeyHash,
        customer::Answer,
        join::{Access, JoinAs, JoinRequest},
        messages::{AskingHello, Hello, PageMessage, ServerMessage},
        presence::{ConnectionId, PageId},
        refusal::Refused,
        text,
    },
};

/// How often a page gets a ping.
pub(super) const PING_EVERY: Duration = Duration::from_secs(5);
/// A page that sent nothing for this long, not even an answer to a ping, is gone: a network that drops everything
/// closes no connection. Its screen must not look as if it were still shared.
pub(super) const SILENT: Duration = Duration::from_secs(15);

/// Serves one connection until either end closes it.
pub(crate) async fn serve(
    mut socket: WebSocket,
    turns: Turns,
    coordinator: Arc<Coordinator>,
    client: Client,
    console: Option<KeyHash>,
) {
    let connected = match join_request(first_message(&mut socket).await, console) {
        Ok(request) => coordinator.connect(client, request).await,
        Err(refused) => Err(refused),
    };
    match connected {
        Ok(Connected { id, welcome, mut messages }) => {
            let talk = async {
                if send(&mut socket, &welcome).await {
                    talk(&mut socket, turns, &coordinator, id, &mut messages).await;
                }
            };
            and_always(talk, coordinator.disconnect(id)).await;
        }
        Err(refused) => {
            coordinator.refusals.refused(refused.kind());
            // Here and not only over HTTP: PINs can be guessed on either way.
            tokio::time::sleep(refused.delay()).await;
            send(&mut socket, &ServerMessage::refused(&refused)).await;
        }
    }
    let goodbye = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    let _ = timeout(HELLO_WITHIN, socket.send(Frame::Close(Some(goodbye)))).await;
}

/// Reads from the first message who wants to join as what, and by which PIN or ticket.
fn join_request(
    first: Option<PageMessage>,
    console: Option<KeyHash>,
) -> Result<JoinRequest, Refused> {
    let hello = match first {
        Some(PageMessage::Hello(hello)) => hello,
        Some(PageMessage::Asking(asking)) => return asking_request(asking),
        Some(_) | None => return Err(Refused::malformed("the first message must be a hello")),
    };
    let Hello { session_pin, ticket, side, page, name, ro, companion, program } = hello;
    let join_as = match side {
        Side::Presenter if companion => JoinAs::Companion,
        Side::Presenter => JoinAs::Presenter(program),
        Side::Viewers => JoinAs::Viewer { read_only: ro },
    };
    let access = match (session_pin, ticket, side) {
        (None, Some(ticket), Side::Viewers) => Access::Ticket(ticket),
        (Some(pin), _, _) => Access::Pin(parse_pin(&pin)?),
        (None, _, _) => return Err(Refused::malformed("session_pin is missing")),
    };
    let (page, name) = (PageId(page), text::tidy_name(&name));
    Ok(JoinRequest { access, console, join_as, page, name, link: Link::Open })
}

fn asking_request(asking: AskingHello) -> Result<JoinRequest, Refused> {
    let AskingHello { session_pin, page, program } = asking;
    let (access, join_as) = (Access::Pin(parse_pin(&session_pin)?), JoinAs::Asking(program));
    let (page, name) = (PageId(page), String::new());
    Ok(JoinRequest { access, console: None, join_as, page, name, link: Link::Open })
}

fn parse_pin(text: &str) -> Result<Pin, Refused> {
    text.parse().map_err(|shape: InvalidPin| Refused::malformed(shape.to_string()))
}

/// Carries messages both ways until the page leaves, is hung up, or doesn't answer any more.
async fn talk(
    socket: &mut WebSocket,
    mut turns: Turns,
    coordinator: &Arc<Coordinator>,
    id: ConnectionId,
    messages: &mut mpsc::Receiver<ServerMessage>,
) {
    // A plain interval would tick at once, before the page has read its welcome.
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut last_received = Instant::now();
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(message) => if !send(socket, &message).await { return },
                None => return,
            },
            frame = next_frame(socket, &turns) => {
                last_received = Instant::now();
                // Whatever it is: to be refused costs work as well. What has come is carried out all the same.
                let counted = turns.count();
                match frame {
                    None | Some(Err(_) | Ok(Frame::Close(_))) => return,
                    // The library answers pings, and a pong was counted above.
                    Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                    Some(Ok(Frame::Text(text))) => {
                        if !answer(socket, coordinator, id, text.as_bytes()).await { return }
                    }
                    Some(Ok(Frame::Binary(_))) => return,
                }
                if counted.is_err() { return }
            }
            _ = pings.tick() => {
                let ping = socket.send(Frame::Ping(Vec::new().into()));
                if !matches!(timeout(HELLO_WITHIN, ping).await, Ok(Ok(()))) { return }
            }
            () = sleep_until(last_received + SILENT) => return,
        }
    }
}

/// What comes next, once it is this page's turn.
pub(super) async fn next_frame(
    socket: &mut WebSocket,
    turns: &Turns,
) -> Option<Result<Frame, axum::Error>> {
    turns.wait().await;
    socket.recv().await
}

/// Does what a page asks for; false when it is leaving.
async fn answer(
    socket: &mut WebSocket,
    coordinator: &Arc<Coordinator>,
    id: ConnectionId,
    text: &[u8],
) -> bool {
    let outcome = match serde_json::from_slice(text) {
        Ok(PageMessage::Chat { name, body }) => {
            let guid = Uuid::new_v4();
            coordinator.apply(|hub, now| hub.post_chat(id, (&name, &body), guid, now)).await
        }
        Ok(PageMessage::Name { name }) => {
            coordinator.apply(|hub, now| hub.rename(id, &name, now)).await
        }
        Ok(PageMessage::Sharing { state }) => {
            coordinator.apply(|hub, now| hub.share(id, state, now)).await
        }
        Ok(PageMessage::Quality { latency_ms, fps }) => {
            coordinator.apply(|hub, now| hub.report_quality(id, (latency_ms, fps), now)).await
        }
        Ok(PageMessage::Waiting { viewers }) => {
            coordinator.apply(|hub, now| hub.note_waiting(id, viewers, now)).await
        }
        Ok(PageMessage::Admit(answer)) => {
            coordinator.apply(|hub, now| hub.pass_answer(id, answer, now)).await
        }
        Ok(PageMessage::Snapshot) => coordinator.apply(|hub, now| hub.saved_picture(id, now)).await,
        Ok(PageMessage::Ping) => return send(socket, &ServerMessage::Pong).await,
        Ok(PageMessage::Leave { why }) => {
            if let Some(why) = why {
                coordinator.record(|hub, now| hub.note_sharing_end(id, why, now)).await;
            }
            return false;
        }
        Ok(PageMessage::Agreed) => {
            coordinator.apply(|hub, now| hub.answer_question(id, Answer::Agreed, now)).await
        }
        Ok(PageMessage::Declined) => {
            coordinator.apply(|hub, now| hub.answer_question(id, Answer::Declined, now)).await
        }
        Ok(PageMessage::Hello(_) | PageMessage::Asking(_)) | Err(_) => {
            Err(Refused::malformed("no such message"))
        }
    };
    match outcome {
        Ok(()) => true,
        Err(refused) => send(socket, &ServerMessage::refused(&refused)).await,
    }
}
