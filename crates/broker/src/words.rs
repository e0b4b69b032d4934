//! The words of a live connection: what pages and the presenter's program say and are told.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::{
    Side,
    screen::{Asker, Program, Role, Secret, Sharing, ToPresenter, Watcher},
};

use crate::{chat::Message, error::Refused};

/// What a page says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FromPage {
    Hello(Hello),
    Name {
        name: String,
    },
    Chat {
        #[serde(default)]
        name: String,
        body: String,
    },
    /// The presenter's program: what there is to see now.
    Sharing {
        state: Sharing,
    },
    /// A viewer: how well the screen reaches it.
    Quality {
        latency_ms: u32,
        fps: u16,
    },
    /// A viewer has saved a picture of the screen.
    Snapshot,
    /// A browser tells a page nothing of the pings that it answers, so a page has to ask by itself.
    Ping,
    Leave,
}

/// The first message of a connection.
#[derive(Deserialize)]
pub(crate) struct Hello {
    pub session_pin: Option<String>,
    /// A viewer's, instead of the PIN: what a viewer's link carries.
    pub ticket: Option<Secret>,
    pub side: Side,
    /// Made anew at each load, kept across reconnects.
    pub page: Uuid,
    #[serde(default)]
    pub name: String,
    /// A viewer that wants to watch only, whatever it might do.
    #[serde(default)]
    pub ro: bool,
    /// The customer's page beside the program: chats, and is not there itself.
    #[serde(default)]
    pub companion: bool,
    /// A program that shares a screen says what it is.
    pub program: Option<Program>,
}

/// What a page is told.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToPage {
    /// The answer to hello.
    Welcome(Box<Welcome>),
    /// Somebody came or went, or sees more or less than before.
    Presence {
        #[serde(flatten)]
        roster: Roster,
    },
    /// Somebody said something.
    Chat { message: Message },
    /// To the customer: a viewer has saved a picture of the screen.
    Snapshot { by: String },
    /// The answer to a page's ping.
    Pong,
    /// Something that this page asked for was refused.
    Refused { code: &'static str, error: String },
    /// The last message: do not reconnect (`replaced`, `expired`, `revoked`, `refused`), or do
    /// (`restarting`).
    Bye { code: &'static str },
    /// What only the presenter's program is told.
    #[serde(untagged)]
    Presenter(ToPresenter),
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Welcome {
    pub side: Side,
    /// The same page came back within the grace.
    pub resumed: bool,
    /// Seconds since 1970.
    pub expires: u64,
    /// This page's own public half, as in the roster's `watchers`.
    pub you: String,
    /// A viewer's: what it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// A viewer's credential for `/screen`, as long as this connection lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch_key: Option<Secret>,
    pub asker: Asker,
    #[serde(flatten)]
    pub roster: Roster,
    pub chat: Vec<Message>,
}

/// Who is there.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Roster {
    pub presenter: Option<String>,
    pub viewers: Vec<String>,
    pub sharing: Sharing,
    pub watchers: Vec<Watcher>,
}

impl ToPage {
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

    pub fn refused(refused: &Refused) -> Self {
        Self::Refused { code: refused.code(), error: refused.to_string() }
    }
}
