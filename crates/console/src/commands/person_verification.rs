//! Commands that prove who a person is: pushes, codes, and the override of the verification gate.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use engine::{remote::logintc, token::two_digits};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use session::{
    Input,
    verification::{Method, Subject, VerificationRequest as Question},
};
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult, failed, no_session, parse_id,
    policy::{AuditPolicy, Policy},
    profile::{link, signed_in},
};
use crate::{
    Settings,
    app::{App, AuditEntry, CeremonyTask, Console},
    parameters::Secret,
    present::{remedy, trouble},
    reply::Reply,
    view::{Trouble, Verified},
    words,
};

/// How many characters the reason for an override has.
const OVERRIDE_REASON: RangeInclusive<usize> = 3..=500;

/// Commands that prove who a person is.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum VerificationCommand {
    /// Asks a person's phone. What comes of it is pushed with the session.
    Verify {
        /// Which session.
        session: String,
        who: Verified,
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
        reason: String,
    },
}

impl VerificationCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::Verify { .. }
            | Self::CancelVerification { .. }
            | Self::MailCode { .. }
            | Self::OverrideGate { .. } => AuditPolicy::ByHandler,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Verify { session, who, user, by_id, reason, code } => {
                let request = VerificationRequest { who, user, by_id, reason, code };
                verify(console, &session, request, by).await
            }
            Self::CancelVerification { session, verification } => {
                cancel(console, &session, verification, by).await
            }
            Self::MailCode { user } => mail_code(console, &user, by).await,
            Self::OverrideGate { session, reason } => {
                override_gate(console, &session, &reason).await
            }
        }
    }
}

const DOING: &str = "verify the person";
/// The name of the number that both people compare.
const NUMBER: &str = "Number";
/// The longest reason, in characters, that fits on a phone's screen.
const LONGEST_REASON: usize = 200;

/// A verification that a person asks for.
struct VerificationRequest {
    who: Verified,
    user: String,
    by_id: bool,
    reason: String,
    code: Option<Secret>,
}

/// Asks the phone, or tries the code; the outcome is pushed with the session.
async fn verify(
    console: &Console,
    session: &str,
    request: VerificationRequest,
    by: &str,
) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    engine.snapshot(id).ok_or_else(|| no_session(DOING))?;
    let code = request.code.as_ref().map(typed).transpose()?;
    let question = question(console, &id.to_string(), request, code.as_ref(), by)?;
    let text = format!("Asked {} ({}) {}.", side(question.who), question.user, way(question.how));
    let wait = Duration::from_secs(u64::from(console.settings.current().verify_wait_s));
    engine.verify(id, question, code, wait).await.map_err(failed)?;
    drop(engine);
    let by = by.to_owned();
    record(console, AuditEntry { by, action: "verification_asked", text, session: Some(id) }).await;
    Ok(Reply::Done)
}

/// Cancels a verification that waits for an answer, and takes the push back.
async fn cancel(console: &Console, session: &str, verification: u32, by: &str) -> CommandResult {
    const CANCEL: &str = "cancel the verification";
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session(CANCEL))?;
    let mut all = snapshot.record.verifications.iter();
    if !all.any(|v| v.id == verification && v.status.is_under_way()) {
        return Err(trouble::bad_input(
            &format!("{CANCEL}: none of that number waits for an answer"),
            "look at the session's verifications; this one may have ended meanwhile",
        ));
    }
    engine.order(id, Input::CancelVerification { id: verification }).await.map_err(failed)?;
    drop(engine);
    let text = format!("Cancelled verification {verification}.");
    let by = by.to_owned();
    record(console, AuditEntry { by, action: "verification_withdrawn", text, session: Some(id) })
        .await;
    Ok(Reply::Done)
}

/// Has a one-time password sent by e-mail to the person with this id.
async fn mail_code(console: &Console, user: &str, by: &str) -> CommandResult {
    const MAIL: &str = "have a code sent by e-mail";
    let user = user.trim();
    if !is_id(user) {
        return Err(trouble::bad_input(
            &format!("{MAIL}: the verification service needs the person's id; a username won't do"),
            "take the id from the verification service's own list of users, or send a push",
        ));
    }
    let engine = console.engine.require().await?;
    engine.mail_code(user).await.map_err(failed)?;
    drop(engine);
    let (by, text) = (by.to_owned(), format!("Had a code sent by e-mail to {user}."));
    record(console, AuditEntry { by, action: "code_mailed", text, session: None }).await;
    Ok(Reply::Done)
}

async fn override_gate(console: &Arc<Console>, session: &str, reason: &str) -> CommandResult {
    let doing = "override the verification";
    let id = parse_id(session)?;
    if console.engine.require().await?.snapshot(id).is_none() {
        return Err(no_session(doing));
    }
    let person = signed_in(console, doing)?;
    let typed = reason.trim().chars().count();
    let reason = words::plain(reason, *OVERRIDE_REASON.end());
    if !OVERRIDE_REASON.contains(&typed) || !OVERRIDE_REASON.contains(&reason.chars().count()) {
        let (least, most) = (OVERRIDE_REASON.start(), OVERRIDE_REASON.end());
        let text = format!("{doing}: a reason has {least} to {most} characters");
        return Err(trouble::bad_input(&text, "say why this person need not be verified"));
    }
    link(console, CeremonyTask::Override { person, session: id, reason }).await
}

fn question(
    console: &Console,
    session: &str,
    request: VerificationRequest,
    code: Option<&logintc::Code>,
    by: &str,
) -> Result<Question, Trouble> {
    let VerificationRequest { who, user, by_id, reason, code: _ } = request;
    let user = user.trim();
    if user.is_empty() {
        return Err(trouble::bad_input(
            &format!("{DOING}: it does not say whom"),
            "give the username or id that the verification service has for them",
        ));
    }
    // Refused rather than cut: nobody should approve half a sentence.
    if reason.trim().chars().count() > LONGEST_REASON {
        return Err(trouble::bad_input(
            &format!("{DOING}: the reason is longer than {LONGEST_REASON} characters"),
            "shorten it: it is read on a phone",
        ));
    }
    let reason = words::plain(&reason, LONGEST_REASON);
    let shown = shown(console, session, who, &reason, by)?;
    Ok(Question {
        who: match who {
            Verified::Customer => Subject::Customer,
            Verified::Technician => Subject::Technician,
        },
        user: user.to_owned(),
        by_id,
        how: match code {
            None => Method::Push,
            Some(logintc::Code::Otp(_)) => Method::Otp,
            Some(logintc::Code::Bypass(_)) => Method::BypassCode,
        },
        by: by.to_owned(),
        shown,
        reason,
        denied_before: None,
    })
}

/// The facts that help the person to decide. The session's reference is the start of its random id:
/// nothing in it comes from the PIN.
fn shown(
    console: &Console,
    session: &str,
    who: Verified,
    reason: &str,
    by: &str,
) -> Result<Vec<(String, String)>, Trouble> {
    let settings = console.settings.current();
    let name = words::plain(&settings.technician, words::LONGEST_NAME);
    // The name that the customer knows from e-mails and the viewer, and the person who really asks.
    let technician =
        if name == by || name.is_empty() { by.to_owned() } else { format!("{name} ({by})") };
    let reference = session.split('-').next().unwrap_or_default().to_uppercase();
    // Who is asked as the one must not take it for the other.
    let (asked_as, usual) = match who {
        Verified::Customer => (
            "Customer: if you approve, the technician may see your screen",
            "Remote support of your computer",
        ),
        Verified::Technician => (
            "Technician: if you approve, you say that it is you who gives support",
            "Show that you are the technician",
        ),
    };
    let reason = if reason.is_empty() { usual } else { reason };
    let number = two_digits().map_err(|error| trouble::new(&error, remedy::NO_RANDOM))?;
    let all = [
        ("Asked as", asked_as.to_owned()),
        ("Technician", technician),
        ("Company", settings.company.clone()),
        ("Reason", reason.to_owned()),
        ("Session", reference),
        // Read out to the person, so that nobody approves a question that isn't theirs.
        (NUMBER, number.to_string()),
    ];
    let given = all.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(given.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn typed(Secret(code): &Secret) -> Result<logintc::Code, Trouble> {
    logintc::Code::from_typed(code.expose_secret()).map_err(|shape| {
        trouble::bad_input(&format!("{DOING}: {shape}"), "type it again as it was given")
    })
}

/// Ids have 40 hexadecimal digits in every sample, and nobody's name has that shape.
fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

const fn side(who: Subject) -> &'static str {
    match who {
        Subject::Customer => "the customer",
        Subject::Technician => "the technician",
    }
}

const fn way(how: Method) -> &'static str {
    match how {
        Method::Push => "by a push",
        Method::Otp => "for a one-time password",
        Method::BypassCode => "for a bypass code",
    }
}

/// Records the act. A log that can't be written doesn't undo it, and stands as a trouble.
async fn record(console: &Console, entry: AuditEntry) {
    if let Err(trouble) = console.audit.record(entry).await {
        tracing::warn!(text = trouble.text, "record a verification in the audit log");
    }
}
