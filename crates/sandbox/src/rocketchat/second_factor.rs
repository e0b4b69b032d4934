//! The second factor of a call or of a sign-in: which one a person has, and whether a code is good for it.

use std::time::Duration;

use rusqlite::Transaction;
use serve::Millis;

use super::{
    authorization::AuthenticatedUser,
    people,
    request::ApiRequest,
    response::{CallError, FactorChallenge},
    store,
    store::Person,
    totp,
};
use crate::keys;

/// After a good code the same token, User-Agent and address need none for so long.
const REMEMBERED: Duration = Duration::from_secs(1800);
/// How long a mailed code is good.
const MAILED: Duration = Duration::from_secs(900);
/// The length of a backup code; an authenticator's has six.
const BACKUP_CODE_LENGTH: usize = 8;

/// A kind of second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum FactorMethod {
    Totp,
    Email,
    Password,
}

impl FactorMethod {
    /// The method that a person has to use; none where nothing is set up.
    fn for_person(person: &Person, at_login: bool) -> Option<Self> {
        match person.factor.parse() {
            Ok(method @ (Self::Totp | Self::Email)) => Some(method),
            // The real one asks whoever has set none up for the password, where there is one; not at a sign-in,
            // which has just been given it.
            Ok(Self::Password) | Err(_) => {
                (person.password.is_some() && !at_login).then_some(Self::Password)
            }
        }
    }
}

/// Passes a call whose person has no second factor, has shown it lately, or shows it now.
pub(crate) fn require_second_factor(
    tx: &Transaction<'_>,
    request: &ApiRequest,
    caller: &AuthenticatedUser,
) -> Result<(), CallError> {
    let fingerprint = request.fingerprint();
    if store::is_remembered(tx, &caller.token, &fingerprint, caller.now)? {
        return Ok(());
    }
    let given = FactorAttempt {
        code: request.header("x-2fa-code"),
        method: request.header("x-2fa-method"),
    };
    if check_code(tx, &caller.person, given, caller.now, false)? {
        store::remember(tx, &caller.token, &fingerprint, caller.now.after(REMEMBERED))?;
    }
    Ok(())
}

/// A code and its method, as a client sends them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FactorAttempt<'a> {
    pub code: Option<&'a str>,
    pub method: Option<&'a str>,
}

/// True if the code is good; false if the person has no second factor.
pub(crate) fn check_code(
    tx: &Transaction<'_>,
    person: &Person,
    attempt: FactorAttempt<'_>,
    now: Millis,
    at_login: bool,
) -> Result<bool, CallError> {
    let Some(own) = FactorMethod::for_person(person, at_login) else { return Ok(false) };
    // A client may name the method of its code; any other name means the person's own method.
    let method = match attempt.method.and_then(|name| name.parse().ok()) {
        Some(named @ (FactorMethod::Totp | FactorMethod::Email)) => named,
        Some(FactorMethod::Password) | None => own,
    };
    let code = attempt.code.map(str::trim).filter(|code| !code.is_empty());
    if let Some(code) = code
        && code_is_good(tx, person, method, code, now)?
    {
        return Ok(true);
    }
    let mails = (method, own) == (FactorMethod::Email, FactorMethod::Email);
    let sent = mails && mail_code_once(tx, person, now)?;
    let methods = if own == FactorMethod::Password { Vec::new() } else { vec![own.into()] };
    let wrong = code.is_some();
    Err(CallError::SecondFactor(FactorChallenge {
        method: method.into(),
        sent,
        methods,
        wrong,
        at_login,
    }))
}

fn code_is_good(
    tx: &Transaction<'_>,
    person: &Person,
    method: FactorMethod,
    code: &str,
    now: Millis,
) -> rusqlite::Result<bool> {
    let has_authenticator = person.factor == <&str>::from(FactorMethod::Totp);
    match method {
        FactorMethod::Totp if has_authenticator && code.len() == BACKUP_CODE_LENGTH => {
            store::use_backup_code(tx, &person.id, code)
        }
        FactorMethod::Totp => Ok(has_authenticator && totp::accepts(&person.totp, code, now)),
        FactorMethod::Email => {
            let good = store::mailed_code(tx, &person.id, now)?.is_some_and(|sent| sent == code);
            if good {
                // A mailed code is good once.
                store::drop_mailed_code(tx, &person.id)?;
            }
            Ok(good)
        }
        // Clients send the password's SHA-256 in hex, in either case.
        FactorMethod::Password => Ok(people::is_password(person, &code.to_ascii_lowercase())),
    }
}

/// Whether a code was mailed just now: an earlier one that is still good is not followed by another.
fn mail_code_once(tx: &Transaction<'_>, person: &Person, now: Millis) -> rusqlite::Result<bool> {
    if store::mailed_code(tx, &person.id, now)?.is_some() {
        return Ok(false);
    }
    let code = keys::random(keys::DIGITS, 6);
    store::mail_code(tx, &person.id, &code, now.after(MAILED))?;
    Ok(true)
}
