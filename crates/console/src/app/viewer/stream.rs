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
use seal::{Access, Initiator, Offer, Opener, SealError, Sealed, Sealer};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use wire::shared_screen::{Role, Secret, StreamAnswer, StreamHello};

use super::{Compared, PATIENCE, Shown, ViewerWindow, heard, tell, words_said};
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

/// A stream to the presenter, sealed from here to there.
struct Opened {
    socket: Socket,
    sealed: Sealed,
    role: Role,
    shown: Shown,
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
        Some(key) => open(console, window, key).await,
        None => Err(refused("unknown", "The window is not connected to its session.")),
    };
    let Opened { socket, sealed, role, shown } = match opened {
        Ok(opened) => opened,
        Err(refused) => {
            tell(page, refused).await;
            return;
        }
    };
    let broker = broker.insert(socket);
    window.words.send_replace(Some(shown));
    if tell(page, json!(StreamAnswer::Joined { role }).to_string()).await {
        carry(page, broker, sealed).await;
    }
}

/// A stream to the presenter; else the reason that is sent to the page.
async fn open(console: &Console, window: &ViewerWindow, key: Secret) -> Result<Opened, String> {
    // A presenter that turns out to have another key may not be controlled before its words were
    // compared, which is said with the first message. So the second time, it is.
    for _ in 0..2 {
        let (mut socket, role) = join(&console.engine, key.clone()).await?;
        let mut known = window.presenter.lock().await;
        known.look_up(console, window.session).await;
        let setting = console.settings.current().control_after_words;
        let offer = known.offer(role, setting);
        let waited = offer.only_watches;
        let sealed = exchange(&mut socket, role, offer).await.map_err(NotSealed::refusal)?;
        let changed = known.met(&sealed);
        let Some(shown) = known.shown(role, setting) else { break };
        if changed {
            known.keep(console, window.session).await;
            // From now on the session's page can answer about viewers that wait, too.
            console.updates.announce();
            if shown.compared == Compared::Changed {
                words_said::note_change(console, window).await;
            }
        }
        if waited || !shown.waits {
            return Ok(Opened { socket, sealed, role, shown });
        }
        drop(known);
        linger::hang_up(socket).await;
    }
    Err(refused("timeout", "The customer's program came with a new key again and again."))
}

/// A stream that the presenter has joined, and what this viewer may do by the broker's word.
async fn join(slot: &EngineSlot, key: Secret) -> Result<(Socket, Role), String> {
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
    match answer {
        Some(Message::Text(text)) => match serde_json::from_str(text.as_str()) {
            Ok(StreamAnswer::Joined { role }) => Ok((broker, role)),
            Ok(StreamAnswer::Refused { .. }) => Err(text.as_str().to_owned()),
            Err(_) => Err(broken()),
        },
        Some(_) | None => Err(broken()),
    }
}

/// Why an exchange came to nothing.
enum NotSealed {
    /// The presenter ended it before it answered, as a version does that says nothing of versions.
    Unanswered,
    Seal(SealError),
    Lost,
}

impl NotSealed {
    /// What the page is told: which end has to be updated, where it is that.
    fn refusal(self) -> String {
        match self {
            Self::Seal(SealError::Older) => {
                refused("older_program", "The customer's program is too old for this console.")
            }
            Self::Seal(SealError::Later) => {
                refused("older_viewer", "This console is too old for the customer's program.")
            }
            Self::Unanswered => {
                refused("unanswered", "The customer's program ended the encryption's first step.")
            }
            Self::Seal(_) | Self::Lost => {
                refused("timeout", "No encrypted connection to the customer's computer came about.")
            }
        }
    }
}

/// Agrees on keys with the presenter. The broker in between sees the exchange, and learns nothing
/// from it.
async fn exchange(broker: &mut Socket, role: Role, offer: Offer) -> Result<Sealed, NotSealed> {
    let access = match role {
        Role::Watch => Access::Watch,
        Role::Control => Access::Control,
    };
    let said = |error| {
        tracing::warn!(%error, "a viewer window");
        NotSealed::Seal(error)
    };
    let (initiator, first) = Initiator::start(access, offer).map_err(said)?;
    send(broker, Message::binary(first)).await.ok_or(NotSealed::Lost)?;
    let second = timeout(PATIENCE, next(broker)).await.map_err(|_| NotSealed::Lost)?;
    let Message::Binary(second) = second.ok_or(NotSealed::Unanswered)? else {
        return Err(NotSealed::Lost);
    };
    let (sealed, third) = initiator.finish(&second).map_err(said)?;
    send(broker, Message::binary(third)).await.ok_or(NotSealed::Lost)?;
    Ok(sealed)
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
