//! What of a command goes into the audit log. The one place for what a command alone tells; sign-in,
//! verification, override and lookup are noted where it is known what came of them.

use engine::SessionId;
use serde_json::{Map, Value};

use super::{Answer, parse_id};
use crate::{
    Settings,
    app::{Inner, Noted},
    command::{Command, Format, Outcome, Reply},
    view::{SecretName, Trouble},
    words,
};

/// What is noted of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    action: &'static str,
    text: String,
    session: Option<SessionId>,
    /// It must not happen unseen: it is noted first, and isn't done if that fails.
    first: bool,
}

/// Notes what must be noted before it is done, and answers what is to be noted of it afterwards.
///
/// # Errors
/// It could not be noted, so it must not be done.
pub(super) async fn before(
    inner: &Inner,
    command: &Command,
    by: &str,
) -> Result<Option<Entry>, Trouble> {
    let entry = of(command, &inner.settings());
    if let Some(entry) = entry.as_ref().filter(|entry| entry.first) {
        inner.note(entry.noted(by, entry.action, entry.text.clone(), entry.session)).await?;
    }
    Ok(entry)
}

/// Notes what was done; of what was noted before, that it was not. What can't be noted stands as a
/// trouble, and was done all the same.
pub(super) async fn after(inner: &Inner, entry: &Entry, by: &str, answer: &Answer) {
    let session = match answer {
        Ok(Reply::Session { id }) => id.parse().ok(),
        Ok(_) | Err(_) => entry.session,
    };
    let noted = match (answer, entry.first) {
        (Ok(_), false) => entry.noted(by, entry.action, entry.text.clone(), session),
        (Err(trouble), true) => {
            let text = format!("It was not done: {} {}", entry.text, trouble.text);
            entry.noted(by, "not_done", text, session)
        }
        (Ok(_), true) | (Err(_), false) => return,
    };
    let _ = inner.note(noted).await;
}

impl Entry {
    fn noted(
        &self,
        by: &str,
        action: &'static str,
        text: String,
        session: Option<SessionId>,
    ) -> Noted {
        Noted { by: by.to_owned(), action, text, session }
    }
}

fn of(command: &Command, settings: &Settings) -> Option<Entry> {
    let about = |action, text: String, session: &str| {
        // What is no session's id is refused, so there is nothing to note.
        let session = Some(parse_id(session).ok()?);
        Some(Entry { action, text, session, first: false })
    };
    let first = |entry: Option<Entry>| entry.map(|entry| Entry { first: true, ..entry });
    let by_itself =
        |action, text: String| Some(Entry { action, text, session: None, first: false });
    match command {
        Command::NewSession { .. } | Command::Again { .. } => {
            by_itself("session_created", created(settings))
        }
        Command::Mail { session, to, to_customer, .. } => {
            about("invite_mailed", mailed(to, *to_customer), session)
        }
        Command::ViewerLink { session, read_only } => first(about(
            "viewer_link",
            format!("Takes the viewer's link{}.", watching(*read_only)),
            session,
        )),
        Command::OpenViewer { session, read_only, chat } => about(
            "viewer_opened",
            match chat {
                true => "Opened the chat in a viewer window.".into(),
                false => format!("Opened a viewer window{}.", watching(*read_only)),
            },
            session,
        ),
        Command::SaveProgram { session, .. } => {
            about("program_saved", "Had the customer's program saved to a file.".into(), session)
        }
        Command::Close { session, outcome, .. } => {
            about("session_closed", closed(*outcome).into(), session)
        }
        Command::Export { session, format } => {
            first(about("exported", exported(*format).into(), session))
        }
        Command::Picture { session, .. } => first(about(
            "picture_opened",
            "Opens a saved picture of the customer's screen.".into(),
            session,
        )),
        Command::Configure { changes } => {
            let entry = by_itself("settings_changed", changed(changes));
            if changes.keys().any(|field| Settings::is_guard(field)) { first(entry) } else { entry }
        }
        Command::ReportAbuse { .. } => {
            by_itself("abuse_reported", "Reported a PIN of somebody else's for abuse.".into())
        }
        Command::SetSecret { secret, .. } => {
            first(by_itself("secret_set", format!("Sets {}.", secret_name(*secret))))
        }
        Command::RemoveSecret { secret } => {
            first(by_itself("secret_removed", format!("Removes {}.", secret_name(*secret))))
        }
        Command::ExportAudit => first(by_itself("audit_exported", "Exports the audit log.".into())),
        // Noted where it is known what came of it.
        Command::CreateProfile { .. }
        | Command::SkipProfile
        | Command::SignIn { .. }
        | Command::Lock
        | Command::AddPasskey { .. }
        | Command::DeletePasskey { .. }
        | Command::SetAliases { .. }
        | Command::Verify { .. }
        | Command::CancelVerification { .. }
        | Command::MailCode { .. }
        | Command::OverrideGate { .. }
        | Command::LookUpDevice { .. }
        | Command::LogOutDevice { .. } => None,
        // They only look, or what they do is in the session's own record.
        Command::Describe { .. }
        | Command::Retry { .. }
        | Command::Recheck { .. }
        | Command::Show { .. }
        | Command::Read { .. }
        | Command::WithdrawMail { .. }
        | Command::CancelProgram { .. }
        | Command::Note { .. }
        | Command::Tags { .. }
        | Command::Detail { .. }
        | Command::Search { .. }
        | Command::ProbeRegions
        | Command::Settings
        | Command::TestReach
        | Command::Outbox
        | Command::CeremonyLink
        | Command::CancelCeremony
        | Command::Passkeys
        | Command::Devices { .. }
        | Command::Services
        | Command::TestConnection { .. }
        | Command::Audit { .. }
        | Command::VerifyAudit
        | Command::Quit => None,
    }
}

/// Mails that stand as rules are invites too.
fn created(settings: &Settings) -> String {
    let to: Vec<String> =
        settings.mail_rules.iter().map(|rule| words::plain(&rule.to, 254)).collect();
    match to.is_empty() {
        true => "Started a session.".into(),
        false => format!("Started a session; by rule, e-mails were ordered to {}.", to.join(", ")),
    }
}

fn mailed(to: &str, to_customer: bool) -> String {
    let whom = if to_customer { "the customer" } else { "a colleague" };
    format!("Ordered an e-mail to {whom}, {}.", words::plain(to, 254))
}

const fn watching(read_only: bool) -> &'static str {
    if read_only { ", to watch only" } else { "" }
}

const fn closed(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved => "Closed the session as resolved.",
        Outcome::Unresolved => "Closed the session as unresolved.",
        Outcome::Unknown => "Closed the session.",
    }
}

const fn exported(format: Format) -> &'static str {
    match format {
        Format::Text => "Exports the session as text.",
        Format::Json => "Exports the session as JSON.",
        Format::Csv => "Exports the session as CSV.",
    }
}

/// Which settings; their values only where these are short and say how the console is guarded.
fn changed(changes: &Map<String, Value>) -> String {
    let fields = changes.iter().map(|(field, value)| {
        let field = words::plain(field, 40);
        match Settings::is_guard(&field) {
            true => format!("{field} to {}", words::plain(&value.to_string(), 20)),
            false => field,
        }
    });
    format!("Settings: {}.", fields.collect::<Vec<_>>().join(", "))
}

fn secret_name(secret: SecretName) -> String {
    format!("the {} of {}", secret.name(), secret.service().name())
}
