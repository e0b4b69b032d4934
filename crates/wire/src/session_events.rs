//! The messages of the event channel: what a broker of ours tells a console of all its sessions, over one WebSocket
//! at `/x/events` below the API's base (docs/broker.md, "The event channel").
//!
//! For each session that the console follows, the broker sends the session's whole present state at once and again
//! after each change, never a difference. A reader that is slow gets fewer states, each as new as can be, so what
//! waits for it is bounded by the number of its sessions. Only chat is a sequence: it is resumed after the number of
//! messages that the console already has.

use serde::{Deserialize, Serialize};

use crate::{
    HookType, Pin,
    shared_screen::{Role, Secret, Sharing, SharingEnd, WaitingViewer},
};

/// The header by which a console says which sessions are its own: on the call that mints a PIN, on the one that asks
/// for the capabilities, and when it opens the channel. Its value is a random text that the console keeps secret.
pub const CONSOLE_KEY_HEADER: &str = "deskhand-console";

/// The header of a hook's delivery that gives the session's [`SessionFacts::revision`] after the change for which the
/// hook fired.
pub const REVISION_HEADER: &str = "deskhand-revision";

/// What a console sends on the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromConsole {
    /// Follow these sessions, too. One that is followed already gets its present state again.
    Follow {
        /// The sessions.
        sessions: Vec<Follow>,
    },
    /// Follow these sessions no longer.
    Unfollow {
        /// Their PINs.
        session_pins: Vec<Secret>,
    },
}

/// A session that the console wants to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Its PIN.
    pub session_pin: Secret,
    /// How many messages of its chat the console already has: the number of the last one that it got.
    #[serde(default)]
    pub chat_after: u64,
    /// That message's own id. If it isn't the one that the broker has by this number, as after its store was put back
    /// from a copy, all messages that it still has are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_after_guid: Option<String>,
}

/// What the broker sends on the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToConsole {
    /// The present state of a session.
    State(Box<SessionFacts>),
    /// Messages of a session's chat that are new to this console, in order.
    Chat {
        /// The session.
        #[serde(serialize_with = "crate::pin::expose")]
        session_pin: Pin,
        /// The messages.
        messages: Vec<NumberedMessage>,
    },
    /// The broker knows no such session, or it isn't this console's.
    Unknown {
        /// The PIN that was asked for.
        session_pin: Secret,
    },
}

/// A message of a session's chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedMessage {
    /// Its place in this session's chat: 1 for the first.
    pub number: u64,
    /// Its own id, as in `GET /chat`.
    pub guid: String,
    /// When it was written, in seconds since 1970.
    pub timestamp: u64,
    /// The name that the sender gave: untrusted text.
    pub subject: String,
    /// The text: untrusted.
    pub body: String,
    /// The side that wrote it, where the broker knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<crate::Side>,
    /// Whether the session's own console wrote it, or a viewer window of that console, by the key that it showed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_console: bool,
}

/// Everything that the broker knows of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFacts {
    /// The session.
    #[serde(serialize_with = "crate::pin::expose")]
    pub session_pin: Pin,
    /// Greater with every change of this session, also across restarts of the broker: of two states, the one with
    /// the greater revision is the newer.
    pub revision: u64,
    /// Another text for each run of the broker. Where its store was put back from a copy, a later run gives revisions
    /// that an earlier one has given already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whether the PIN still works.
    pub life: PinLife,
    /// For how many milliseconds it will; none where it doesn't any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u64>,
    /// How far the customer has come before a program of theirs is online.
    pub arrival: Arrival,
    /// Whether the screen is shared.
    #[serde(default)]
    pub sharing: Sharing,
    /// The customer's side.
    pub presenter: SideFacts,
    /// All viewers together.
    pub viewers: SideFacts,
    /// While the viewers are offline: whether a program of the customer has started since then, which makes the
    /// session live again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<bool>,
    /// Those who are online: the presenter and each viewer.
    #[serde(default)]
    pub participants: Vec<Participant>,
    /// The viewers that wait to be let in, as the customer's program tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingViewer>,
    /// The e-mails that were asked for, oldest first.
    #[serde(default)]
    pub mails: Vec<MailFacts>,
    /// How often each hook's event has happened, in the order of [`HookType::ALL`], whether or not the hook was armed.
    #[serde(default)]
    pub happened: [u64; HookType::ALL.len()],
    /// How long ago each of them last happened, in milliseconds and in the same order; none where it never did, or not
    /// since the broker started.
    #[serde(default)]
    pub happened_ms: [Option<u64>; HookType::ALL.len()],
    /// How many deliveries of each hook are still to come: waiting for the disk, held back, being made or waiting to be
    /// tried again, in the same order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way: Option<[u64; HookType::ALL.len()]>,
    /// A second program with this PIN was refused or took the place of the first: how long ago, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_program_ms: Option<u64>,
    /// Which time that was: another text for each, and the same one however often it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_program_id: Option<String>,
    /// While no screen is shared: why the customer's program ended the sharing, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing_end: Option<SharingEndFacts>,
    /// How many messages its chat has.
    #[serde(default)]
    pub messages: u64,
}

/// How many revisions one run of a broker has, from the start of its process on: more than any makes.
pub const REVISIONS_OF_A_RUN: u64 = 1 << 40;

/// The run in which a revision was given. Later runs have larger numbers.
pub const fn run_of(revision: u64) -> u64 {
    revision / REVISIONS_OF_A_RUN
}

/// The end of the sharing, by the word of the customer's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingEndFacts {
    /// What the program said.
    pub why: SharingEnd,
    /// How long ago, in milliseconds by the broker's clock.
    pub ago_ms: u64,
    /// Which end it is: another text for each, and the same one however often it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Whether a PIN still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinLife {
    /// It works.
    Live,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
}

/// How far the customer has come. All times are how long it has been so, in milliseconds, by the broker's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Arrival {
    /// Nothing of the customer was seen yet.
    #[default]
    Nothing,
    /// Their page is open.
    PageOpen {
        /// For how long.
        for_ms: u64,
    },
    /// Their page was open and was closed; nothing was downloaded.
    PageClosed {
        /// For how long.
        for_ms: u64,
    },
    /// They downloaded the program, which hasn't connected yet.
    Downloaded {
        /// How long ago.
        for_ms: u64,
        /// Whether their page is still open.
        page_open: bool,
    },
    /// The program asks them whether they agree.
    Asked {
        /// For how long.
        for_ms: u64,
    },
    /// They declined.
    Declined {
        /// How long ago.
        for_ms: u64,
    },
    /// They agreed, or there was nothing to ask: from here on the presence tells.
    Agreed {
        /// How long ago.
        for_ms: u64,
    },
}

/// One side's presence. All times are how long it has been so, in milliseconds, by the broker's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum SideFacts {
    /// It was never online.
    #[default]
    Never,
    /// At least one of it is connected.
    Online {
        /// For how long.
        for_ms: u64,
    },
    /// None of it is connected, and it may still come back within the grace.
    Leaving {
        /// For how long nobody was connected.
        for_ms: u64,
    },
    /// None of it was connected for more than the grace.
    Offline {
        /// For how long the side has been offline.
        for_ms: u64,
    },
}

/// Somebody who is online.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The side.
    pub side: crate::Side,
    /// The name that they gave themselves: untrusted text, may be empty.
    pub name: String,
    /// What a viewer may do; none for the presenter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Since how many milliseconds.
    pub for_ms: u64,
    /// The public id of its page, as in the roster. It isn't a credential.
    #[serde(default)]
    pub page: String,
    /// Whether a viewer has a stream and so sees the screen now.
    #[serde(default)]
    pub watching: bool,
    /// Whether that stream is end-to-end encrypted; false also while there is none.
    #[serde(default)]
    pub sealed: bool,
    /// What the presenter's program runs on, such as `linux-x86_64`; none for a viewer and for a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// What has become of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailFacts {
    /// The id that the answer to the order gave.
    pub id: String,
    /// How far it has come.
    pub state: MailState,
    /// The mail server's words where it refused; what is missing where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far an e-mail has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// No mail server is configured: it waits in the broker's outbox, and nobody gets it.
    NotSent,
    /// It is being handed to the mail server, or will be tried again.
    Queued,
    /// The mail server took it. Whether it arrives is not known.
    HandedOver,
    /// The mail server refused it for good, or could not be reached in time.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_what_the_documents_print() {
        let follow: FromConsole = serde_json::from_str(
            r#"{"type":"follow","sessions":[{"session_pin":"7W2-97-8570","chat_after":3}]}"#,
        )
        .unwrap();
        let session_pin = Secret::from("7W2-97-8570".to_owned());
        assert_eq!(
            follow,
            FromConsole::Follow {
                sessions: vec![Follow { session_pin, chat_after: 3, chat_after_guid: None }]
            }
        );
        assert!(!format!("{follow:?}").contains("7W2"));
        let side = serde_json::to_string(&SideFacts::Leaving { for_ms: 5 }).unwrap();
        assert_eq!(side, r#"{"is":"leaving","for_ms":5}"#);
    }
}
