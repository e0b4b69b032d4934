//! Commands over who is at this console: profile, sign-in, lock.

use std::sync::Arc;

use engine::access::{Person, Presence, Why};
use serde::Deserialize;
use serde_json::{Map, Value};
use strum::VariantNames;
use ts_rs::TS;
use uuid::Uuid;
use wire::MailAddress;

use super::{
    CommandResult, configure,
    policy::{AuditPolicy, Policy},
    refused,
};
use crate::{
    Settings,
    app::{App, AuditEntry, CeremonyTask, Console, begin_ceremony},
    present::trouble,
    reply::Reply,
    settings::name_of,
    view::{Code, Trouble},
    words,
};

/// Commands over who is at this console.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum ProfileCommand {
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
}

impl ProfileCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        match self {
            Self::CreateProfile { .. } | Self::SkipProfile => {
                // The handlers themselves check whether somebody has a profile already.
                Policy::allowed_at_first_start(AuditPolicy::ByHandler)
            }
            Self::SignIn { .. } | Self::Lock => {
                Policy::allowed_while_locked(AuditPolicy::ByHandler)
            }
            Self::CeremonyLink | Self::CancelCeremony => {
                Policy::allowed_while_locked(AuditPolicy::Nothing)
            }
        }
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::CreateProfile { name, email } => create_profile(console, &name, &email).await,
            Self::SkipProfile => skip_profile(console, by).await,
            Self::SignIn { person } => sign_in(console, person.as_deref()).await,
            Self::CeremonyLink => ceremony_link(console),
            Self::CancelCeremony => cancel_ceremony(console),
            Self::Lock => lock(console).await,
        }
    }
}

async fn create_profile(console: &Arc<Console>, name: &str, email: &str) -> CommandResult {
    let doing = "create a profile";
    let person = Person {
        id: Uuid::new_v4(),
        name: words::plain(name, words::LONGEST_NAME),
        email: email.trim().to_owned(),
    };
    if person.name.is_empty() || name.trim().chars().count() > words::LONGEST_NAME {
        let text = format!("{doing}: a name has 1 to {} characters", words::LONGEST_NAME);
        return Err(trouble::bad_input(&text, "give the name that records shall carry"));
    }
    if words::is_programs_name(&person.name) {
        let text = format!(
            "{doing}: this is the program's own name, which stands for what nobody asked for"
        );
        return Err(trouble::bad_input(&text, "give the name that records shall carry"));
    }
    if let Err(why) = person.email.parse::<MailAddress>() {
        let text = format!("{doing}: this is not an e-mail address: {why}");
        return Err(trouble::bad_input(&text, "give one such as anna@example.com"));
    }
    let taken = |other: &Person| other.name == person.name;
    if console.access.people.lock().iter().any(taken) {
        let text = format!("{doing}: somebody with that name already has one here");
        return Err(trouble::bad_input(&text, "sign in, or choose a name that tells you apart"));
    }
    link(console, CeremonyTask::CreateProfile(person)).await
}

async fn skip_profile(console: &Arc<Console>, by: &str) -> CommandResult {
    match console.access.state.presence() {
        Presence::Open => return Ok(Reply::Done),
        Presence::SignedIn { .. } | Presence::Locked { .. } => {
            return Err(refused(
                "go on without a profile: there is one",
                "Start Deskhand with --forget-profiles to give it up.",
            ));
        }
        Presence::FirstStart { required: true } => {
            return Err(refused(
                "go on without a profile: a setting requires that somebody signs in",
                "Create a profile with a passkey.",
            ));
        }
        Presence::FirstStart { required: false } => {}
    }
    let changes = Map::from_iter([(name_of!(sign_in_skipped).to_owned(), Value::Bool(true))]);
    configure::configure(console, changes, by).await?;
    console.ceremonies.current.lock().cancel();
    record(console, by, "profile_skipped", "chose to go on without a profile").await;
    Ok(Reply::Done)
}

async fn sign_in(console: &Arc<Console>, person: Option<&str>) -> CommandResult {
    let people = console.access.people.lock().clone();
    if people.is_empty() {
        return Err(refused(
            "sign in: nobody has a profile at this console",
            "Create one with a passkey.",
        ));
    }
    let find = |id: &str| {
        let known = people.iter().find(|person| person.id.to_string() == id).cloned();
        known.ok_or_else(|| Trouble {
            code: Code::NotFound,
            text: "Sign in: nobody with that id has a profile at this console.".into(),
            remedy: "Choose somebody from the list.".into(),
        })
    };
    let person = person.map(find).transpose()?;
    link(console, CeremonyTask::SignIn(person)).await
}

fn ceremony_link(console: &Console) -> CommandResult {
    let url = console.ceremonies.current.lock().url();
    let url = url.ok_or_else(|| Trouble {
        code: Code::NotFound,
        text: "Give the link to the step in the browser: none is under way.".into(),
        remedy: "Begin again.".into(),
    })?;
    Ok(Reply::Link { url, by_role: None })
}

fn cancel_ceremony(console: &Console) -> CommandResult {
    console.ceremonies.current.lock().cancel();
    console.updates.announce();
    Ok(Reply::Done)
}

async fn lock(console: &Console) -> CommandResult {
    match console.access.state.presence() {
        Presence::SignedIn { .. } => {
            console.lock(Why::Asked).await;
            Ok(Reply::Done)
        }
        Presence::Locked { .. } => Ok(Reply::Done),
        Presence::FirstStart { .. } | Presence::Open => Err(refused(
            "lock Deskhand: nobody is signed in, so nobody could unlock it",
            "Create a profile with a passkey first.",
        )),
    }
}

/// Begins a step in the browser, and answers with the link to it.
pub(super) async fn link(console: &Arc<Console>, task: CeremonyTask) -> CommandResult {
    Ok(Reply::Link { url: begin_ceremony(console, task).await?, by_role: None })
}

/// The signed-in person, for commands that need one.
pub(super) fn signed_in(console: &Console, doing: &str) -> Result<Person, Trouble> {
    console.access.state.person().ok_or_else(|| {
        refused(
            &format!("{doing}: nobody is signed in"),
            "Create a profile with a passkey, or sign in.",
        )
    })
}

/// Records the act. It can't be undone any more, so an entry that can't be written is only logged.
pub(super) async fn record(console: &Console, by: &str, action: &'static str, what: &str) {
    let text = trouble::sentence(what);
    console
        .audit
        .record_or_warn(AuditEntry { by: by.to_owned(), action, text, session: None })
        .await;
}
