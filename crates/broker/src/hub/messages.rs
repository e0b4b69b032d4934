//! The messages of a live connection: what pages and the presenter's program send, and what they are sent.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;
use wire::{
    Side,
    shared_screen::{
        AdmissionAnswer, ProgramHello, Requester, Role, RosterEntry, Secret, Sharing, SharingEnd,
        ToPresenter, WaitingViewer,
    },
};

use super::{
    chat::{Message, ShownMessage},
    refusal::Refused,
};

/// What a page sends.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum PageMessage {
    Hello(Hello),
    Asking(AskingHello),
    /// From a program that asks: the customer agreed, so a connection that counts follows.
    Agreed,
    /// From a program that asks: the customer declined.
    Declined,
    Name {
        name: String,
    },
    Chat {
        #[serde(default)]
        name: String,
        body: String,
    },
    /// From the presenter's program: what there is to see now.
    Sharing {
        state: Sharing,
    },
    /// From the presenter's program: who waits to be let in.
    Waiting {
        viewers: Vec<WaitingViewer>,
    },
    /// From a viewer: the technician's answer about one that waits.
    Admit(AdmissionAnswer),
    /// From a viewer: how well it sees the screen.
    Quality {
        latency_ms: u32,
        fps: u16,
    },
    /// From a viewer: it has saved a picture of the screen.
    Snapshot,
    /// A browser doesn't show a page the pings that it answers, so a page has to ask by itself.
    Ping,
    Leave {
        /// From the presenter's program: why it ends the sharing.
        #[serde(default)]
        why: Option<SharingEnd>,
    },
}

/// The first message of a connection.
#[derive(Deserialize)]
pub(crate) struct Hello {
    pub session_pin: Option<String>,
    /// What a viewer's link carries instead of the PIN.
    pub ticket: Option<Secret>,
    pub side: Side,
    /// Made at each load of the page, and kept when the page reconnects.
    pub page: Uuid,
    #[serde(default)]
    pub name: String,
    /// A viewer that wants only to watch, even if it may do more.
    #[serde(default)]
    pub ro: bool,
    /// The customer's page beside the program: it chats, and doesn't count as present.
    #[serde(default)]
    pub companion: bool,
    /// The version and platform of a program that shares a screen.
    pub program: Option<ProgramHello>,
}

/// The first message of a program that asks the customer whether they agree, before it connects as the presenter.
///
/// Not a hello with one more field: an earlier broker would take that for a presenter that has started.
#[derive(Deserialize)]
pub(crate) struct AskingHello {
    pub session_pin: String,
    pub page: Uuid,
    pub program: ProgramHello,
}

/// What a page is sent.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerMessage {
    /// The answer to hello.
    Welcome(Box<Welcome>),
    /// Somebody came or went, or sees something else than before.
    Presence {
        #[serde(flatten)]
        roster: Roster,
    },
    /// A chat message.
    Chat {
        #[serde(serialize_with = "as_shown")]
        message: Message,
    },
    /// To the customer: a viewer has saved a picture of the screen.
    Snapshot { by: String },
    /// To the customer's program: another one with this PIN was refused.
    OtherProgram,
    /// To the customer's program: the technician's answer about a viewer that waits.
    Admit(AdmissionAnswer),
    /// The answer to a page's ping.
    Pong,
    /// Something that this page asked for was refused.
    Refused { code: &'static str, error: String },
    /// The last message. After `replaced`, `expired`, `revoked` and `refused` the page must not reconnect; after
    /// `restarting` it should.
    Bye { code: &'static str },
    /// What only the presenter's program is sent.
    #[serde(untagged)]
    Presenter(ToPresenter),
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Welcome {
    pub side: Side,
    /// The same page came back within the grace.
    pub resumed: bool,
    /// When the PIN expires, in seconds since 1970.
    pub expires: u64,
    /// This page's own public half, as in the roster's `watchers`.
    pub you: String,
    /// What a viewer may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// A viewer's credential for `/screen`, valid for as long as this connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch_key: Option<Secret>,
    #[serde(rename = "asker")]
    pub requester: Requester,
    #[serde(flatten)]
    pub roster: Roster,
    #[serde(serialize_with = "as_messages")]
    pub chat: Vec<Arc<Message>>,
}

fn as_messages<S: Serializer>(chat: &[Arc<Message>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(chat.iter().map(|message| ShownMessage::new(message)))
}

fn as_shown<S: Serializer>(message: &Message, serializer: S) -> Result<S::Ok, S::Error> {
    ShownMessage::new(message).serialize(serializer)
}

/// Who is there.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Roster {
    pub presenter: Option<String>,
    pub viewers: Vec<String>,
    pub sharing: Sharing,
    pub watchers: Vec<RosterEntry>,
    /// While no screen is shared: why the customer's program ended the sharing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_end: Option<SharingEnd>,
    /// The viewers that wait to be let in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingViewer>,
}

impl ServerMessage {
    pub const fn replaced() -> Self {
        Self::Bye { code: "replaced" }
    }

    pub const fn expired() -> Self {
        Self::Bye { code: "expired" }
    }

    pub const fn revoked() -> Self {
        Self::Bye { code: "revoked" }
    }

    pub const fn restarting() -> Self {
        Self::Bye { code: "restarting" }
    }

    pub fn refused(refused: &Refused) -> Self {
        Self::Refused { code: refused.code(), error: refused.to_string() }
    }
}
