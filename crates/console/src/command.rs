//! What a person or a script can say. One enum for the window, the headless program and the tests.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view;

/// One command. Its answer is a [`Reply`] or a [`Trouble`](view::Trouble).
#[derive(Clone, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// A new session: allocates at once. Answers `session`.
    NewSession {
        /// Who and what it is about; all may be empty.
        #[serde(default)]
        about: About,
        /// A region chosen by hand; none for the fastest.
        #[serde(default)]
        region: Option<String>,
    },
    /// Starts a new session with an earlier one's customer, ticket and contact. Answers `session`.
    Again {
        /// The earlier one, live or archived.
        session: String,
    },
    /// Sets who and what a session is about.
    Describe {
        /// Which.
        session: String,
        /// What.
        about: About,
    },
    /// Tries again to get a PIN.
    Retry {
        /// Which.
        session: String,
        /// A region chosen by hand; none for the fastest.
        #[serde(default)]
        region: Option<String>,
    },
    /// Puts all hooks of a session now.
    Recheck {
        /// Which.
        session: String,
    },
    /// Says which session is on screen, so that it is polled faster and pushed in full.
    Show {
        /// Which; none if none is.
        session: Option<String>,
    },
    /// Marks a session's chat as read.
    Read {
        /// Which.
        session: String,
    },
    /// Orders an e-mail.
    Mail {
        /// Which.
        session: String,
        /// The address.
        to: String,
        /// To the customer (`viewer_started`), else to a colleague (`presenter_started`).
        to_customer: bool,
        /// When it goes out.
        when: MailWhen,
    },
    /// Withdraws an e-mail that waits.
    WithdrawMail {
        /// Which.
        session: String,
        /// Its number.
        mail: u32,
    },
    /// Gives the viewer's link, for a colleague. Answers `link`.
    ViewerLink {
        /// Which.
        session: String,
        /// Read-only: a convenience, not a lock.
        read_only: bool,
    },
    /// Opens a viewer window.
    OpenViewer {
        /// Which.
        session: String,
        /// Read-only (Watch).
        read_only: bool,
        /// To write to the customer: a window that is open already will do, and its chat is shown.
        #[serde(default)]
        #[ts(as = "Option<bool>", optional)]
        chat: bool,
    },
    /// Saves the customer's program to a file, to be carried to them by hand. The customer's own download
    /// stops working for this PIN.
    SaveProgram {
        /// Which.
        session: String,
        /// A person has confirmed that; else the command is refused, and says what there is to confirm.
        #[serde(default)]
        confirmed: bool,
        /// A folder, or a file that isn't there yet; none for the downloads.
        #[serde(default)]
        path: Option<String>,
    },
    /// Cancels the saving of the customer's program.
    CancelProgram {
        /// Which.
        session: String,
    },
    /// Closes the session here.
    Close {
        /// Which.
        session: String,
        /// How it came out.
        outcome: Outcome,
        /// A note; empty for none.
        #[serde(default)]
        note: String,
    },
    /// Sets a session's note.
    Note {
        /// Which.
        session: String,
        /// The whole note.
        text: String,
    },
    /// Sets a session's tags.
    Tags {
        /// Which.
        session: String,
        /// All of them.
        tags: Vec<String>,
    },
    /// Everything about a session, live or archived. Answers `detail`.
    Detail {
        /// Which.
        session: String,
    },
    /// Full-text search over sessions, notes, tickets and transcripts, newest first. Answers `found`.
    Search {
        /// What was typed; empty lists everything.
        query: String,
        /// Go on after this cursor.
        #[serde(default)]
        cursor: Option<String>,
    },
    /// Writes a session's transcript. Answers `text`.
    Export {
        /// Which.
        session: String,
        /// As what.
        format: Format,
    },
    /// A picture of the customer's screen that was saved. Answers `picture`.
    Picture {
        /// Of which session.
        session: String,
        /// Its number.
        picture: i64,
    },
    /// Races the regions again.
    ProbeRegions,
    /// Settings as they are. Answers `settings`.
    Settings,
    /// Changes settings; all fields given are validated first.
    Configure {
        /// Field by field, as in the settings file.
        #[ts(type = "Record<string, unknown>")]
        changes: serde_json::Map<String, serde_json::Value>,
    },
    /// Asks the service to reach our listener with a nonce. Answers `reach`.
    TestReach,
    /// Mails that the embedded broker would have sent. Answers `outbox`.
    Outbox,
    /// Reports a scammer's PIN; one minted here is refused.
    ReportAbuse {
        /// The PIN as typed.
        pin: String,
    },
    /// Makes a profile and its first passkey, in the browser. Answers `link`.
    CreateProfile {
        /// The name.
        name: String,
        /// The e-mail address.
        email: String,
    },
    /// "Not now": nobody signs in here, and records carry the OS user. Can be changed at any time.
    SkipProfile,
    /// Signs in or unlocks, in the browser. Answers `link`.
    SignIn {
        /// Who; none for whoever has a passkey of this console.
        #[serde(default)]
        #[ts(optional)]
        person: Option<String>,
    },
    /// The address of the step in the browser that is under way. Answers `link`.
    CeremonyLink,
    /// Gives up the step in the browser.
    CancelCeremony,
    /// Locks the console. Hooks are put and transcripts archived all the same.
    Lock,
    /// The passkeys and aliases of who is signed in. Answers `passkeys`.
    Passkeys,
    /// A further passkey, in the browser. Answers `link`.
    AddPasskey {
        /// What it is called.
        nickname: String,
    },
    /// Deletes a passkey.
    DeletePasskey {
        /// Its id.
        id: String,
        /// A person has confirmed that it is the last one.
        #[serde(default)]
        confirmed: bool,
    },
    /// Sets all aliases of who is signed in; those of before are replaced.
    SetAliases {
        /// All of them.
        aliases: Vec<String>,
        /// Whether the service keeps them hashed.
        hashing: bool,
    },
    /// Asks a person's phone. What comes of it is pushed with the session.
    Verify {
        /// Which session.
        session: String,
        /// Whom.
        who: view::Verified,
        /// The verification service's name or id of the person.
        user: String,
        /// It is an id.
        #[serde(default)]
        by_id: bool,
        /// Why, for the phone to show.
        #[serde(default)]
        reason: String,
        /// A one-time password (6 or 8 digits) or bypass code (9), instead of a push.
        #[serde(default)]
        #[ts(as = "Option<String>", optional)]
        code: Option<Secret>,
    },
    /// Cancels a verification that waits for an answer.
    CancelVerification {
        /// Which session.
        session: String,
        /// Its number.
        verification: u32,
    },
    /// Has a one-time password sent by e-mail; needs the person's id.
    MailCode {
        /// The verification service's id of the person.
        user: String,
    },
    /// Overrides the verification gate of one session, by a fresh sign-in. Answers `link`.
    OverrideGate {
        /// Which session.
        session: String,
        /// Why.
        reason: String,
    },
    /// Looks a login session up in the chat workspace and pins it to the session. Answers `device`, or
    /// `code_asked`.
    LookUpDevice {
        /// Which session.
        session: String,
        /// The workspace's id of the login session.
        login_session: String,
        /// The second factor, where one was asked for.
        #[serde(default)]
        #[ts(as = "Option<SecondFactor>", optional)]
        factor: Option<SecondFactor>,
    },
    /// A page of the workspace's login sessions to pick from. Answers `devices`, or `code_asked`.
    Devices {
        /// What was typed; empty for all.
        filter: String,
        /// How many to skip.
        offset: u32,
        /// The second factor, where one was asked for.
        #[serde(default)]
        #[ts(as = "Option<SecondFactor>", optional)]
        factor: Option<SecondFactor>,
    },
    /// Logs a login session out. Answers `done`, or `code_asked`.
    LogOutDevice {
        /// The session that it is pinned to; none from the list.
        #[serde(default)]
        #[ts(optional)]
        session: Option<String>,
        /// The workspace's id of the login session.
        login_session: String,
        /// A person has confirmed it.
        #[serde(default)]
        confirmed: bool,
        /// The second factor, where one was asked for.
        #[serde(default)]
        #[ts(as = "Option<SecondFactor>", optional)]
        factor: Option<SecondFactor>,
    },
    /// The three services, and what each still needs. Answers `services`.
    Services,
    /// Keeps a service's secret. It is never shown again. Answers `services`.
    SetSecret {
        /// Which.
        secret: view::SecretName,
        /// It.
        #[ts(as = "String")]
        value: Secret,
    },
    /// Removes a service's secret. Answers `services`.
    RemoveSecret {
        /// Which.
        secret: view::SecretName,
    },
    /// Tries a service with what is set. Answers `connection`.
    TestConnection {
        /// Which.
        service: view::Identity,
    },
    /// A page of the audit log, newest first. Answers `audit`.
    Audit {
        /// Go on before this entry.
        #[serde(default)]
        #[ts(optional)]
        before: Option<u64>,
    },
    /// Looks through the whole audit log for a broken link. Answers `audit_check`.
    VerifyAudit,
    /// The whole audit log as JSON Lines. Answers `text`.
    ExportAudit,
    /// Ends the program in good order.
    Quit,
}

/// A secret on its way in: it can't be printed or sent back.
#[derive(Clone)]
pub struct Secret(pub secrecy::SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand: what serde says of a number repeats it, and six digits may be a code.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(text.into()),
            _ => Err(serde::de::Error::custom("a secret must be given as a text, in quotes")),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// A second factor.
#[derive(Clone, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// The code.
    #[ts(as = "String")]
    pub code: Secret,
    /// `totp`, `email` or `password`; none for what the workspace asked for.
    #[serde(default)]
    #[ts(optional)]
    pub method: Option<String>,
}

/// Who and what a session is about.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct About {
    /// The customer's name.
    pub customer: String,
    /// The ticket's number.
    pub ticket: String,
    /// How to reach the customer.
    pub contact: String,
}

/// When an e-mail goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MailWhen {
    /// At once.
    Now,
    /// When what it claims has become true, once.
    NextEvent,
    /// Whenever it becomes true.
    EveryEvent,
}

/// How a session came out.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Resolved,
    /// It isn't.
    Unresolved,
    /// Not said.
    Unknown,
}

/// What a transcript is exported as.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text.
    Text,
    /// JSON.
    Json,
    /// Comma-separated, safe for spreadsheets.
    Csv,
}

/// A command's answer.
#[derive(Clone, Serialize, TS)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Done, nothing to say.
    Done,
    /// A session was made.
    Session {
        /// Which.
        id: String,
    },
    /// A link, as secret as the PIN in it.
    Link {
        /// The URL.
        url: String,
        /// Whether a viewer's link is held to its role, whoever has it; if not, read-only is a
        /// convenience. None where it is no viewer's.
        by_role: Option<bool>,
    },
    /// A session in full.
    Detail {
        /// It.
        detail: Box<view::SessionDetail>,
    },
    /// A page of what was found.
    Found {
        /// The hits, newest first.
        hits: Vec<Hit>,
        /// Where to go on; none at the end.
        cursor: Option<String>,
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
        /// It.
        reach: view::Reach,
        /// In a sentence.
        text: String,
    },
    /// What the embedded broker would have sent.
    Outbox {
        /// The mails, newest first.
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
    Device {
        /// It.
        device: view::DeviceView,
    },
    /// The workspace asks for a second factor: give the command again, with it.
    CodeAsked {
        /// Which.
        asked: view::CodeAsked,
    },
    /// A page of login sessions.
    Devices {
        /// They.
        devices: Vec<view::DeviceView>,
        /// How many there are in all.
        total: u32,
        /// How many were skipped.
        offset: u32,
    },
    /// The three services.
    Services {
        /// They.
        services: Vec<view::IdentityServiceView>,
    },
    /// What a test of a connection found.
    Connection {
        /// It.
        connection: view::ConnectionView,
    },
    /// A page of the audit log.
    Audit {
        /// Its entries, newest first.
        entries: Vec<view::AuditLine>,
        /// Where to go on; none at the end.
        before: Option<u64>,
    },
    /// What a look at the whole audit log found.
    AuditCheck {
        /// It.
        check: view::AuditCheck,
    },
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
    /// Where the words were found: session, note, ticket or message.
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
    /// When.
    pub at: i64,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text; carries a link, so it is as secret as the PIN.
    pub body: String,
}
