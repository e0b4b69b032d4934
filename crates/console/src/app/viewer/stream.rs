//! A window's picture: the broker's stream, which the presenter has sealed, opened for the page.
//!
//! In each direction the next message is read only when the last was accepted, so nothing
//! piles up here.

use axum::extract::ws::{Message as Frame, WebSocket};
use engine::remote::web_socket::{Channel, Socket};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use seal::{Access, Initiator, Opener, Sealed, Sealer};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use wire::shared_screen::{Role, Secret, StreamAnswer, StreamHello};

use super::{PATIENCE, ViewerWindow, heard, tell};
use crate::app::{Console, engine_slot::EngineSlot};

/// The presenter has 10 s to come, and its broker a little more to report it.
const PRESENTER: std::time::Duration = std::time::Duration::from_secs(20);

/// Serves one stream of the window's page until either end closes it.
pub(super) async fn serve(mut page: WebSocket, console: &Console, window: &ViewerWindow) {
    // A credential in the page's message is ignored: the page has none.
    let asked = heard(&mut page).await.and_then(|text| serde_json::from_str(&text).ok());
    let mut broker = None;
    if let Some(StreamHello::Watch { .. }) = asked {
        tokio::select! {
            () = watch(&mut page, console, window, &mut broker) => {}
            () = window.closed.cancelled() => {}
            () = console.lifecycle.watch.stopping.cancelled() => {}
        }
    }
    // The last keys and clicks still arrive, although pictures come that nobody reads any more.
    if let Some(broker) = broker {
        linger::hang_up(broker).await;
    }
    super::hang_up(page).await;
}

/// Shows the picture on the page; leaves its connection in `broker` for the caller to close.
async fn watch(
    page: &mut WebSocket,
    console: &Console,
    window: &ViewerWindow,
    broker: &mut Option<Socket>,
) {
    let key = window.key.borrow().clone();
    let opened = match key {
        Some(key) => open(&console.engine, key).await,
        None => Err(refused("unknown", "The window is not connected to its session.")),
    };
    let (socket, sealed, role) = match opened {
        Ok(opened) => opened,
        Err(refused) => {
            tell(page, refused).await;
            return;
        }
    };
    let broker = broker.insert(socket);
    let words = sealed.words.to_string();
    window.words.send_replace(Some(words.clone()));
    if tell(page, json!(StreamAnswer::Joined { role }).to_string()).await {
        carry(page, broker, sealed).await;
    }
    // A stream that has replaced this one has its own words.
    window.words.send_if_modified(|now| {
        let ours = now.as_ref() == Some(&words);
        if ours {
            *now = None;
        }
        ours
    });
}

/// A stream to the presenter, sealed from here to there; else the reason that is sent to the page.
async fn open(slot: &EngineSlot, key: Secret) -> Result<(Socket, Sealed, Role), String> {
    let client = slot.client().await;
    let client = client.ok_or_else(|| refused("unknown", "Deskhand is ending."))?;
    let unreachable = |error| {
        tracing::info!(%error, "a viewer window");
        refused("timeout", "The server can't be reached now.")
    };
    let mut broker = client.dial(Channel::Screen).await.map_err(unreachable)?;
    let hello = json!(StreamHello::Watch { key, sealed: true }).to_string();
    let broken = || refused("timeout", "The server did not answer in time.");
    send(&mut broker, Message::text(hello)).await.ok_or_else(broken)?;
    let answer = timeout(PRESENTER, next(&mut broker)).await.ok().flatten();
    let role = match answer {
        Some(Message::Text(text)) => match serde_json::from_str(text.as_str()) {
            Ok(StreamAnswer::Joined { role }) => role,
            Ok(StreamAnswer::Refused { .. }) => return Err(text.as_str().to_owned()),
            Err(_) => return Err(broken()),
        },
        Some(_) | None => return Err(broken()),
    };
    let sealed = exchange(&mut broker, role).await.ok_or_else(|| {
        refused("timeout", "No encrypted connection to the customer's computer came about.")
    })?;
    Ok((broker, sealed, role))
}

/// Agrees on keys with the presenter. The broker in between sees the exchange, and learns nothing
/// from it.
async fn exchange(broker: &mut Socket, role: Role) -> Option<Sealed> {
    let access = match role {
        Role::Watch => Access::Watch,
        Role::Control => Access::Control,
    };
    let said = |error| tracing::warn!(%error, "a viewer window");
    let (initiator, first) = Initiator::start(access).map_err(said).ok()?;
    send(broker, Message::binary(first)).await?;
    let Message::Binary(second) = timeout(PATIENCE, next(broker)).await.ok()?? else { return None };
    let (sealed, third) = initiator.finish(&second).map_err(said).ok()?;
    send(broker, Message::binary(third)).await?;
    Some(sealed)
}

/// Carries the picture one way and keys the other, until either end closes.
async fn carry(page: &mut WebSocket, broker: &mut Socket, sealed: Sealed) {
    let Sealed { sealer, opener, .. } = sealed;
    let (to_broker, from_broker) = broker.split();
    let (to_page, from_page) = page.split();
    tokio::select! {
        () = show(from_broker, opener, to_page) => {}
        () = steer(from_page, sealer, to_broker) => {}
    }
}

async fn show(
    mut broker: SplitStream<&mut Socket>,
    mut opener: Opener,
    mut page: SplitSink<&mut WebSocket, Frame>,
) {
    while let Some(Ok(message)) = broker.next().await {
        match message {
            Message::Binary(bytes) => match opener.open(&bytes) {
                Ok(plain) => {
                    if page.send(Frame::Binary(plain.into())).await.is_err() {
                        return;
                    }
                }
                Err(error) => return tracing::warn!(%error, "a viewer window"),
            },
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            Message::Text(_) | Message::Close(_) => return,
        }
    }
}

async fn steer(
    mut page: SplitStream<&mut WebSocket>,
    mut sealer: Sealer,
    mut broker: SplitSink<&mut Socket, Message>,
) {
    while let Some(Ok(frame)) = page.next().await {
        match frame {
            Frame::Binary(bytes) => {
                let Ok(sealed) = sealer.seal_all(&bytes) else { return };
                for piece in sealed {
                    if broker.send(Message::binary(piece)).await.is_err() {
                        return;
                    }
                }
            }
            Frame::Ping(_) | Frame::Pong(_) => {}
            Frame::Text(_) | Frame::Close(_) => return,
        }
    }
}

async fn send(broker: &mut Socket, message: Message) -> Option<()> {
    timeout(PATIENCE, broker.send(message)).await.ok()?.ok()
}

/// The next message with content; none if the broker is gone.
async fn next(broker: &mut Socket) -> Option<Message> {
    loop {
        match broker.next().await?.ok()? {
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            Message::Close(_) => return None,
            message @ (Message::Text(_) | Message::Binary(_)) => return Some(message),
        }
    }
}

fn refused(code: &str, error: &str) -> String {
    json!(StreamAnswer::Refused { code: code.into(), error: error.into() }).to_string()
}
