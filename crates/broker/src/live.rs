//! The live connection of a page: presence and chat over one WebSocket.
//!
//! The first message is a page's `hello` with PIN, side and page id, so that the PIN stands in no
//! URL. The presenter's program will speak the same words as the join page does now.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{Instant, interval_at, timeout},
};
use uuid::Uuid;
use wire::{Pin, Side};

use crate::{
    chat::Message,
    error::Refused,
    rules::{presence::LineId, session::Session},
    switchboard::{Client, Switchboard, caller},
};

/// How long a page has to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How often a silent page is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(15);
/// How many messages may wait for a page that reads slowly.
const WAITING: usize = 256;

/// What a page says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromPage {
    Hello {
        session_pin: String,
        side: Side,
        /// Made anew at each load, kept across reconnects.
        page: Uuid,
        #[serde(default)]
        name: String,
    },
    Name {
        name: String,
    },
    Chat {
        #[serde(default)]
        name: String,
        body: String,
    },
    Leave,
}

/// What a page is told.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToPage {
    /// The answer to hello.
    Welcome {
        side: Side,
        /// The same page came back within the grace.
        resumed: bool,
        /// Seconds since 1970.
        expires: u64,
        #[serde(flatten)]
        roster: Roster,
        chat: Vec<Message>,
    },
    /// Somebody came or went.
    Presence {
        #[serde(flatten)]
        roster: Roster,
    },
    /// Somebody said something.
    Chat { message: Message },
    /// Something that this page asked for was refused.
    Refused { code: &'static str, error: String },
    /// The last message: do not reconnect (`replaced`, `expired`, `revoked`, `refused`), or do
    /// (`restarting`).
    Bye { code: &'static str },
}

/// Who is there.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Roster {
    presenter: Option<String>,
    viewers: Vec<String>,
}

impl Roster {
    fn of(session: &Session) -> Self {
        let names = |side| session.presence(side).names().map(str::to_owned);
        Self { presenter: names(Side::Presenter).next(), viewers: names(Side::Viewers).collect() }
    }
}

impl ToPage {
    pub fn welcome(side: Side, resumed: bool, session: &Session, chat: Vec<Message>) -> Self {
        let expires = session.expires.seconds();
        Self::Welcome { side, resumed, expires, roster: Roster::of(session), chat }
    }

    pub fn presence(session: &Session) -> Self {
        Self::Presence { roster: Roster::of(session) }
    }

    pub const fn said(message: Message) -> Self {
        Self::Chat { message }
    }

    pub const fn replaced() -> Self {
        Self::Bye { code: "replaced" }
    }

    pub const fn over(code: &'static str) -> Self {
        Self::Bye { code }
    }

    pub const fn restarting() -> Self {
        Self::Bye { code: "restarting" }
    }

    fn refused(refused: &Refused) -> Self {
        let code = match refused {
            Refused::Malformed(_) => "malformed",
            Refused::UnknownPin { .. } => "unknown_pin",
            Refused::PinOver => "pin_over",
            Refused::TooMany { .. } => "too_many",
            Refused::Blocked => "blocked",
            Refused::NotSaved => "not_saved",
            Refused::AlreadyGiven
            | Refused::NotYours
            | Refused::ForeignPage
            | Refused::NoSuchCall => "refused",
        };
        Self::Refused { code, error: refused.to_string() }
    }
}

/// Serves one connection until either end has enough.
pub(crate) async fn serve(
    mut socket: WebSocket,
    board: std::sync::Arc<Switchboard>,
    client: Client,
) {
    let (out, mut told) = mpsc::channel(WAITING);
    let hello = timeout(HELLO_WITHIN, next(&mut socket)).await.ok().flatten();
    let joined = match hello {
        Some(FromPage::Hello { session_pin, side, page, name }) => match session_pin.parse::<Pin>()
        {
            Ok(pin) => board.arrive(client, &pin, caller(side, page, &name, Some(out))).await,
            Err(shape) => Err(Refused::malformed(shape.to_string())),
        },
        Some(FromPage::Name { .. } | FromPage::Chat { .. } | FromPage::Leave) | None => {
            Err(Refused::malformed("the first message is a hello"))
        }
    };
    match joined {
        Ok((line, welcome)) => {
            if tell(&mut socket, &welcome).await {
                talk(&mut socket, &board, line, &mut told).await;
            }
            board.depart(line).await;
        }
        Err(refused) => {
            if let Refused::UnknownPin { answer_after } = refused {
                tokio::time::sleep(answer_after).await;
            }
            tell(&mut socket, &ToPage::refused(&refused)).await;
        }
    }
    let goodbye = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    let _ = timeout(HELLO_WITHIN, socket.send(Frame::Close(Some(goodbye)))).await;
}

/// Carries messages both ways until the page leaves, is hung up, or no longer answers.
async fn talk(
    socket: &mut WebSocket,
    board: &std::sync::Arc<Switchboard>,
    line: LineId,
    told: &mut mpsc::Receiver<ToPage>,
) {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut heard = true;
    loop {
        tokio::select! {
            message = told.recv() => match message {
                Some(message) => if !tell(socket, &message).await { return },
                None => return,
            },
            frame = socket.recv() => {
                heard = true;
                match frame {
                    None | Some(Err(_) | Ok(Frame::Close(_))) => return,
                    Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                    Some(Ok(Frame::Text(text))) => {
                        if !answer(socket, board, line, text.as_bytes()).await { return }
                    }
                    Some(Ok(Frame::Binary(_))) => return,
                }
            }
            _ = pings.tick() => {
                let alive = std::mem::replace(&mut heard, false);
                if !alive || socket.send(Frame::Ping(Vec::new().into())).await.is_err() { return }
            }
        }
    }
}

/// Does what a page asks for; false when it is leaving.
async fn answer(
    socket: &mut WebSocket,
    board: &std::sync::Arc<Switchboard>,
    line: LineId,
    text: &[u8],
) -> bool {
    let outcome = match serde_json::from_slice(text) {
        Ok(FromPage::Chat { name, body }) => board.say(line, &name, &body).await,
        Ok(FromPage::Name { name }) => {
            board.rename(line, &name).await;
            Ok(())
        }
        Ok(FromPage::Leave) => return false,
        Ok(FromPage::Hello { .. }) | Err(_) => Err(Refused::malformed("no such message")),
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
