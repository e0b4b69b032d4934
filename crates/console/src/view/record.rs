//! What a session keeps on record: e-mails, chat, transcript, the customer's program, its log.

use serde::Serialize;
use ts_rs::TS;

use super::Trouble;

/// The customer's program, saved to be carried to them by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ProgramView {
    /// How far it is.
    pub state: ProgramState,
    /// That in words.
    pub text: String,
    /// What a person has to confirm before it is saved, or tried again; none while it can't be.
    pub ask: Option<String>,
}

/// How the window can write to a session's chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ChatBoxView {
    /// The most characters of a message.
    pub longest: u32,
    /// Where to write instead, in a sentence; none where messages can be sent from here.
    pub instead: Option<String>,
}

/// How far saving the customer's program has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ProgramState {
    /// Nobody asked for it here.
    NotAsked,
    /// The service is being asked for it, once.
    Asking,
    /// The file is being written.
    Downloading {
        /// Bytes that are in the file.
        bytes: u64,
        /// How many it will have; none if that isn't known.
        total: Option<u64>,
    },
    /// There is no file; the download may be tried again.
    Kept {
        /// Why there is none, and what to do.
        trouble: Trouble,
    },
    /// The file is complete.
    Saved {
        at: i64,
        /// Who saved it.
        by: String,
        /// Its size.
        bytes: u64,
        /// Where it is.
        path: String,
    },
    /// There is no file, and for this PIN there will be none.
    Gone {
        /// Why, and what to do instead.
        trouble: Trouble,
    },
}

/// An e-mail as ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MailView {
    /// Its number within the session.
    pub id: u32,
    /// To whom.
    pub to: String,
    /// To the customer (else to a colleague).
    pub to_customer: bool,
    /// How far it has come.
    pub state: MailKind,
    /// That in words, with the mail server's own where it refused.
    pub status: String,
    /// Whether it still waits and can be withdrawn.
    pub waiting: bool,
    /// Whether it failed or may not have been sent.
    pub doubtful: bool,
    /// Whether it can be sent once more.
    pub can_repeat: bool,
}

/// How far an e-mail has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// It waits for its event.
    Waiting,
    /// It waits for the verification gate.
    Held,
    /// The service is being asked.
    Sending,
    /// The service accepted it; more isn't known.
    Accepted,
    /// It is being handed to the mail server, or will be tried again.
    Queued,
    /// The mail server took it; whether it arrives isn't known.
    HandedOver,
    /// There is no mail server: it waits in the broker's outbox.
    NotSent,
    /// The mail server refused it.
    Refused,
    /// The service didn't take it.
    Failed,
    /// No answer came: it may have been sent.
    MaybeSent,
}

/// Who is known to have written a chat message, whatever name they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ChatSide {
    /// The customer's side.
    Customer,
    /// This console, or a viewer window of it.
    Technician,
}

/// One chat message.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
pub struct ChatLine {
    /// Its identity.
    pub guid: String,
    /// When it was sent.
    pub at: i64,
    /// The sender's self-chosen name, made harmless.
    pub from: String,
    /// Who wrote it; none where that isn't known.
    pub side: Option<ChatSide>,
    /// The text, made harmless.
    pub text: String,
}

impl std::fmt::Debug for ChatLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What people wrote is not for logs.
        f.debug_struct("ChatLine").field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// The transcript's way into the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TranscriptView {
    /// The session goes on.
    NotYet,
    /// It is being saved, or will be tried again.
    Wanted {
        /// Tries that failed.
        failed: u32,
    },
    /// Only the archive has the session, and no message of it: whether somebody wrote isn't known.
    NotKnown,
    /// It is in the archive.
    Saved {
        /// When it was saved; not known of a session that only the archive has.
        at: Option<i64>,
        /// How many messages.
        messages: u32,
    },
}

/// One line of a session's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct LogLine {
    /// Its place among everything that happened.
    pub seq: u64,
    pub at: i64,
    /// What, in a sentence.
    pub text: String,
    /// Whether it is a failure.
    pub bad: bool,
}
