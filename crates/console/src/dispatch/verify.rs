//! Whether this is the person: pushes, codes, and what a customer's phone is shown.

use std::time::Duration;

use engine::remote::logintc;
use secrecy::ExposeSecret as _;
use session::{
    Input,
    verification::{Asked as Question, How, Who},
};

use super::{Answer, engine, failed, no_session, parse_id};
use crate::{
    app::{Inner, Noted},
    command::{Reply, Secret},
    present::trouble,
    view::{Trouble, Verified},
    words,
};

const DOING: &str = "verify the person";
/// The longest reason, in characters: what a phone's screen shows.
const LONGEST_REASON: usize = 200;

/// What was asked.
pub(super) struct Asked {
    pub who: Verified,
    pub user: String,
    pub by_id: bool,
    pub reason: String,
    pub code: Option<Secret>,
}

/// Asks the phone, or tries the code; what comes of it is pushed with the session.
pub(super) async fn verify(inner: &Inner, session: &str, asked: Asked, by: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    engine.snapshot(id).ok_or_else(|| no_session(DOING))?;
    let code = asked.code.as_ref().map(typed).transpose()?;
    let question = question(inner, &id.to_string(), asked, code.as_ref(), by)?;
    let text = format!("Asked {} ({}) {}.", side(question.who), question.user, way(question.how));
    let wait = Duration::from_secs(u64::from(inner.settings().verify_wait_s));
    engine.verify(id, question, code, wait).await.map_err(failed)?;
    drop(engine);
    let by = by.to_owned();
    note(inner, Noted { by, action: "verification_asked", text, session: Some(id) }).await;
    Ok(Reply::Done)
}

/// Cancels a verification that waits for an answer, and takes the push back.
pub(super) async fn cancel(inner: &Inner, session: &str, verification: u32, by: &str) -> Answer {
    const CANCEL: &str = "cancel the verification";
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
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
    note(inner, Noted { by, action: "verification_withdrawn", text, session: Some(id) }).await;
    Ok(Reply::Done)
}

/// Has a one-time password sent by e-mail to the person with this id.
pub(super) async fn mail_code(inner: &Inner, user: &str, by: &str) -> Answer {
    const MAIL: &str = "have a code sent by e-mail";
    let user = user.trim();
    if !is_id(user) {
        return Err(trouble::bad_input(
            &format!("{MAIL}: the verification service needs the person's id; a username won't do"),
            "take the id from the verification service's own list of users, or send a push",
        ));
    }
    let engine = engine(inner).await?;
    engine.mail_code(user).await.map_err(failed)?;
    drop(engine);
    let (by, text) = (by.to_owned(), format!("Had a code sent by e-mail to {user}."));
    note(inner, Noted { by, action: "code_mailed", text, session: None }).await;
    Ok(Reply::Done)
}

fn question(
    inner: &Inner,
    session: &str,
    asked: Asked,
    code: Option<&logintc::Code>,
    by: &str,
) -> Result<Question, Trouble> {
    let Asked { who, user, by_id, reason, code: _ } = asked;
    let user = user.trim();
    if user.is_empty() {
        return Err(trouble::bad_input(
            &format!("{DOING}: it does not say whom"),
            "give the username or id that the verification service has for them",
        ));
    }
    // Refused, not cut: nobody shall approve half a sentence.
    if reason.trim().chars().count() > LONGEST_REASON {
        return Err(trouble::bad_input(
            &format!("{DOING}: the reason is longer than {LONGEST_REASON} characters"),
            "shorten it: it is read on a phone",
        ));
    }
    let reason = words::plain(&reason, LONGEST_REASON);
    Ok(Question {
        who: match who {
            Verified::Customer => Who::Customer,
            Verified::Technician => Who::Technician,
        },
        user: user.to_owned(),
        by_id,
        how: match code {
            None => How::Push,
            Some(logintc::Code::Otp(_)) => How::Otp,
            Some(logintc::Code::Bypass(_)) => How::BypassCode,
        },
        by: by.to_owned(),
        shown: shown(inner, session, &reason, by),
        reason,
    })
}

/// What helps the person to decide. The session's reference is the start of its random id: nothing in
/// it comes from the PIN.
fn shown(inner: &Inner, session: &str, reason: &str, by: &str) -> Vec<(String, String)> {
    let settings = inner.settings();
    let name = words::plain(&settings.technician, words::LONGEST_NAME);
    // The name that the customer knows from mails and viewer, and who really asks.
    let technician = if name == by { name } else { format!("{name} ({by})") };
    let reference = session.split('-').next().unwrap_or_default().to_uppercase();
    let all = [
        ("Technician", technician),
        ("Company", settings.company.clone()),
        ("Reason", reason.to_owned()),
        ("Session", reference),
    ];
    let given = all.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn typed(Secret(code): &Secret) -> Result<logintc::Code, Trouble> {
    logintc::Code::from_typed(code.expose_secret()).map_err(|shape| {
        trouble::bad_input(&format!("{DOING}: {shape}"), "type it again as it was given")
    })
}

/// Ids have 40 hexadecimal digits in every sample; a name of that shape is nobody's.
fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

const fn side(who: Who) -> &'static str {
    match who {
        Who::Customer => "the customer",
        Who::Technician => "the technician",
    }
}

const fn way(how: How) -> &'static str {
    match how {
        How::Push => "by a push",
        How::Otp => "for a one-time password",
        How::BypassCode => "for a bypass code",
    }
}

/// It has been done, so a log that can't be written doesn't undo it: that is said by itself.
async fn note(inner: &Inner, noted: Noted) {
    if let Err(trouble) = inner.note(noted).await {
        tracing::warn!(text = trouble.text, "note a verification in the audit log");
    }
}
