//! What a command answers.

use serde::Serialize;
use ts_rs::TS;

use crate::view;

/// What a command answers when it was carried out.
#[derive(Clone, Serialize, TS)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Done, nothing to say.
    Done,
    /// A session was made.
    Session { id: String },
    /// A link, as secret as the PIN in it.
    Link {
        /// The URL.
        url: String,
        /// Whether a viewer's link is held to its role, whoever has it; if not, read-only is a
        /// convenience. None where it is no viewer's.
        by_role: Option<bool>,
    },
    /// A session in full.
    Detail { detail: Box<view::SessionDetail> },
    /// A page of a session's chat.
    Chat {
        /// Its messages, oldest first.
        chat: Vec<view::ChatLine>,
        /// How many messages come before them.
        earlier: u32,
    },
    /// A page of what was found.
    Found {
        /// The hits, newest first.
        hits: Vec<Hit>,
        /// Where to go on; none at the end.
        cursor: Option<String>,
        /// How much of the archive the search knows, in percent, while what an older version archived is indexed:
        /// until then something may be missing. None once it knows all.
        indexed: Option<u8>,
    },
    /// A picture to look at or save.
    Picture {
        /// A file name for it.
        file_name: String,
        /// The picture (PNG), in base64.
        png: String,
    },
    /// A text to save or copy.
    Text {
        /// A file name for it.
        file_name: String,
        /// The text.
        text: String,
    },
    /// The settings.
    Settings {
        /// Field by field, with the defaults filled in.
        #[ts(type = "Record<string, unknown>")]
        settings: serde_json::Value,
    },
    /// Whether the service can reach us.
    Reach {
        reach: view::Reach,
        /// In a sentence.
        text: String,
    },
    /// What quitting would end.
    Quitting { quitting: view::QuittingView },
    /// What the embedded broker would have sent.
    Outbox {
        /// The e-mails, newest first.
        mails: Vec<OutboxMail>,
    },
    /// The passkeys and aliases of who is signed in.
    Passkeys {
        /// The passkeys.
        passkeys: Vec<view::PasskeyView>,
        /// What of aliases is known here.
        aliases: view::AliasesView,
    },
    /// A device that was looked up.
    Device { device: view::DeviceView },
    /// The workspace asks for a second factor: give the command again, with it.
    CodeAsked { asked: view::CodeAsked },
    /// A page of login sessions.
    Devices {
        devices: Vec<view::DeviceView>,
        /// How many there are in all.
        total: u32,
        /// How many were skipped.
        offset: u32,
    },
    /// The three services.
    Services { services: Vec<view::IdentityServiceView> },
    /// What a test of a connection found.
    Connection { connection: view::ConnectionView },
    /// A page of the audit log.
    Audit {
        /// Its entries, newest first.
        entries: Vec<view::AuditLine>,
        /// Where to go on; none at the end.
        before: Option<u64>,
    },
    /// A backup was written.
    Backup {
        /// The file.
        path: String,
        /// How many bytes it has.
        bytes: u64,
    },
    /// Backups to restore from.
    Backups {
        /// Where they are.
        folder: String,
        /// The newest first.
        backups: Vec<BackupFile>,
    },
    /// A backup was restored beside the data; it takes the data's place at the next start.
    Restored {
        /// When it was made.
        made_at: i64,
    },
    /// What a look at the whole audit log found.
    AuditCheck { check: view::AuditCheck },
}

/// A backup's file.
#[derive(Debug, Clone, Serialize, TS)]
pub struct BackupFile {
    /// Its name.
    pub name: String,
    /// When it was written last.
    pub at: i64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// One hit of a search.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Hit {
    /// The session.
    pub session: String,
    /// What it is called.
    pub name: String,
    /// When it was.
    pub at: i64,
    /// Where the words were found: session, note, ticket, tag or message.
    pub place: String,
    /// The text around them.
    pub snippet: String,
    /// Highlights in `snippet`, as pairs of UTF-16 offsets from and to.
    pub marks: Vec<(u32, u32)>,
    /// The session's state.
    pub state: view::StateView,
}

/// One mail in the embedded broker's outbox.
#[derive(Clone, Serialize, TS)]
pub struct OutboxMail {
    pub at: i64,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text; carries a link, so it is as secret as the PIN.
    pub body: String,
    /// How far it has come: not_sent, queued, handed_over or refused.
    pub state: view::MailKind,
    /// The mail server's words, where it has not taken it; none otherwise.
    pub reason: Option<String>,
}
