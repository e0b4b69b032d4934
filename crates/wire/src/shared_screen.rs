//! The messages that presenter, viewers and broker exchange about a shared screen (docs/broker.md,
//! "The screen").
//!
//! A session has one presenter and any number of viewers. Each of them keeps a *live connection*
//! for presence, chat and the roster. Each viewer's picture travels in a *stream* of its own: the
//! broker splices a second WebSocket of the viewer to a second WebSocket of the presenter, and
//! passes binary messages only.

use serde::{Deserialize, Serialize};

use crate::secret::secret_text;

/// The most viewers that a broker of ours lets into one session, and so the most that wait to be let in.
pub const MOST_VIEWERS: usize = 32;

/// What a viewer may do. The broker issues it, the presenter enforces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See the screen only.
    Watch,
    /// See the screen, type, point and exchange the clipboard.
    Control,
}

/// Whether the presenter's screen is shared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// No program that shares a screen is connected.
    #[default]
    None,
    /// The screen is shared.
    Shared,
    /// The screen is shared, and the customer has paused control.
    Paused,
}

/// Why the presenter's program shares its screen no longer, by its own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharingEnd {
    /// The customer stopped it.
    Stopped,
    /// Key exchanges broke off again and again: somebody may try to get in between.
    Interfered,
    /// Another window covered the banner again and again.
    Covered,
    /// The screen can't be captured any more.
    Failed,
    /// The customer wants another program with the same PIN to share.
    Moved,
    /// A reason that a later version knows.
    #[serde(other)]
    Other,
}

/// A viewer that waits to be let in, as the presenter's program tells the technician.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingViewer {
    /// Made for this viewer by the program: an answer to it is good for nothing else.
    pub challenge: String,
    /// The viewer's page as in [`RosterEntry::page`].
    pub page: String,
    /// The name that the viewer gave itself; may be empty.
    pub name: String,
    /// What it may do once it is in.
    pub role: Role,
    /// Whether its stream is end-to-end encrypted.
    pub sealed: bool,
    /// Whether it has more than the PIN.
    pub invited: bool,
}

impl WaitingViewer {
    /// The bytes that an answer is signed over: everything that the person who answers has seen.
    pub fn answer_bytes(&self, lets_in: bool) -> Vec<u8> {
        let Self { challenge, page, name, role, sealed, invited } = self;
        let facts = format!("{role:?} {sealed} {invited} {lets_in}");
        // Each with its length, so that no text can pass for part of another.
        let pieces = [challenge, page, name, &facts];
        pieces.iter().flat_map(|piece| format!("{}:{piece},", piece.len()).into_bytes()).collect()
    }
}

/// The technician's answer about a [`WaitingViewer`], signed by their console (crate `seal`). The
/// broker passes it on and can't make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionAnswer {
    /// The viewer's [`WaitingViewer::challenge`].
    pub challenge: String,
    /// Whether it is let in.
    pub lets_in: bool,
    /// Whose signature it is.
    pub pairing: String,
    /// The signature.
    pub signature: String,
}

/// One viewer in the roster that everybody in the session gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// The public id of the viewer's page. It isn't a credential.
    pub page: String,
    /// The name that the viewer chose; may be empty.
    pub name: String,
    /// What the viewer may do.
    pub role: Role,
    /// Whether the viewer has a stream and so sees the screen now.
    pub watching: bool,
    /// Whether the viewer's stream is end-to-end encrypted; false also while there is none.
    pub sealed: bool,
    /// The round trip to the presenter that the viewer measured last, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    /// The pictures a second that reached the viewer lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<u16>,
}

/// The part of the first message that only the presenter's program sends, beside the hello of
/// any page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramHello {
    /// The version of the program.
    pub version: String,
    /// The platform, such as `linux-x86_64`.
    pub platform: String,
    /// The conf that the program was started with: proof that it belongs to this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf: Option<Secret>,
}

/// The first message on `{origin}/screen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamHello {
    /// A viewer asks for a stream.
    Watch {
        /// Identifies the viewer. It came with the welcome of the live connection.
        key: Secret,
        /// Whether the viewer will begin with the end-to-end handshake (crate `seal`).
        // A page in a browser has no such handshake and leaves the field out.
        #[serde(default)]
        sealed: bool,
    },
    /// The presenter connects for the viewer that [`ToPresenter::Viewer`] announced.
    Present {
        /// The stream's secret from the announcement.
        stream: Secret,
    },
}

/// The broker's answer on `{origin}/screen`, before the binary messages begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamAnswer {
    /// Both ends are connected. From here on every message comes from the other end.
    Joined {
        /// What the viewer of this stream may do.
        role: Role,
    },
    /// There will be no stream.
    Refused {
        /// `no_presenter`, `unknown`, `too_many`, `timeout` or `pin_over`.
        code: String,
        /// The reason, for people.
        error: String,
    },
}

/// The message that only the presenter's program gets on its live connection, beside those for
/// any page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPresenter {
    /// A viewer waits for its stream: connect to `{origin}/screen` and send
    /// [`StreamHello::Present`].
    Viewer {
        /// The stream's secret.
        stream: Secret,
        /// The viewer's page as in [`RosterEntry::page`].
        page: String,
        /// The name that the viewer chose; may be empty.
        name: String,
        /// What the viewer may do.
        role: Role,
        /// Whether the viewer will begin with the end-to-end handshake.
        sealed: bool,
        /// Whether the viewer has more than the PIN: the ticket of a link, or it is the console
        /// that asked for the session.
        // A broker that doesn't say so vouches for nobody.
        #[serde(default)]
        invited: bool,
        /// Whether it is the console that asked for the session.
        // Its word lets others in, so whoever came by a ticket must not pass for it.
        #[serde(default)]
        own: bool,
    },
}

/// The person who asks to see the screen, as shown to the customer. Either name may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The technician's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub technician: String,
    /// The company that the technician works for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
}

impl Requester {
    /// Whether neither name is known.
    pub fn is_unknown(&self) -> bool {
        self.technician.is_empty() && self.company.is_empty()
    }
}

secret_text! {
    /// A credential inside a message. Only there is it written out.
    Secret
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_what_the_pages_expect() {
        let hello: StreamHello = serde_json::from_str(r#"{"type":"watch","key":"k"}"#).unwrap();
        assert_eq!(hello, StreamHello::Watch { key: Secret::from("k".to_owned()), sealed: false });
        let joined = serde_json::to_string(&StreamAnswer::Joined { role: Role::Watch }).unwrap();
        assert_eq!(joined, r#"{"type":"joined","role":"watch"}"#);
    }

    #[test]
    fn a_credential_shows_in_no_debug() {
        let hello = StreamHello::Present { stream: Secret::from("geheim".to_owned()) };
        assert!(!format!("{hello:?}").contains("geheim"));
    }
}
