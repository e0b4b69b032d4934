//! Whose device it is: what the chat workspace knows of a login session.

use serde::Serialize;
use ts_rs::TS;

/// What was looked up and pinned to a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DeviceView {
    /// The workspace's id of the login session.
    pub login_session: String,
    /// `browser` and so on; empty where not known, as all that follows.
    pub kind: String,
    /// The browser or app, with its version.
    pub app: String,
    /// The operating system, with its version.
    pub os: String,
    /// The host that it logged in to.
    pub host: String,
    /// Its IP address.
    pub ip: String,
    /// When it logged in.
    pub login_at: Option<i64>,
    /// The person's name.
    pub name: String,
    /// The person's username.
    pub username: String,
    /// The workspace's id of the person.
    pub user_id: String,
    /// When it was looked up; none in a list to pick from.
    pub looked_up_at: Option<i64>,
    /// By whom; empty in a list to pick from.
    pub by: String,
    /// Whether it was logged out from here.
    pub logged_out: bool,
}

/// A second factor that the workspace asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CodeAsked {
    /// `totp`, `email`, `password`, or another word of the workspace's.
    pub method: String,
    /// What can be used instead.
    pub methods: Vec<String>,
    /// The workspace has sent a code.
    pub sent: bool,
    /// A code was given, and it was wrong.
    pub wrong: bool,
    /// That in a sentence.
    pub text: String,
}
