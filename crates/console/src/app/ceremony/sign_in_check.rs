//! When a sign-in that the passkey service vouches for is accepted. Pure.
//!
//! The token came out of a browser, so each of its claims is checked: its success, the kind of
//! use, the person, the page, the relying party and the time. The caller makes sure that it is
//! used only once.

use engine::{access::Person, remote::passwordless::SignIn};
use session::Timestamp;
use wire::passwordless::SignInKind;

use super::browser_page::PasskeyUse;
use crate::view::{Code, Trouble};

/// The relying party: the host of our page.
pub const RP_ID: &str = "localhost";
/// For how long a sign-in counts as new, and by how much the clocks may differ, in ms.
const NEW: i64 = 5 * 60_000;

/// The properties that a sign-in must have.
pub struct Expected<'a> {
    /// The use that the passkey was to be put to.
    pub passkey_use: PasskeyUse,
    /// The person who was asked; none if any of `people` may answer.
    pub person: Option<&'a Person>,
    /// The people who can sign in here.
    pub people: &'a [Person],
    /// Our page's origin.
    pub origin: &'a str,
}

/// The reason why a sign-in is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The sign-in did not succeed.
    NoSuccess,
    /// The passkey was used for another purpose.
    OtherKind,
    /// The passkey belongs to another person than the one asked.
    WrongUser,
    /// The passkey belongs to nobody at this console.
    Stranger,
    /// The passkey was used on another page, or for another relying party.
    OtherPage,
    /// The sign-in is too old, or lies in the future.
    NotNow,
    /// The sign-in was used before.
    Used,
}

/// The person who has signed in.
///
/// # Errors
/// [`Refusal`].
pub fn signed_in_person(
    sign_in: &SignIn,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Person, Refusal> {
    if !sign_in.success {
        return Err(Refusal::NoSuccess);
    }
    let kind = match expected.passkey_use {
        PasskeyUse::Register => SignInKind::PasskeyRegister,
        PasskeyUse::SignIn => SignInKind::PasskeySignin,
    };
    // A sign-in is marked as used by its token's id, so one without an id is refused.
    if sign_in.kind != kind || sign_in.token_id.is_empty() {
        return Err(Refusal::OtherKind);
    }
    // Another page, even of this computer, may have asked for the passkey and passed its token on.
    if sign_in.origin != expected.origin || sign_in.rp_id != RP_ID {
        return Err(Refusal::OtherPage);
    }
    // A UUID may be written in upper or lower case.
    let is = |person: &&Person| person.id.to_string().eq_ignore_ascii_case(&sign_in.user_id);
    let person = match expected.person {
        Some(person) => Some(person).filter(is).ok_or(Refusal::WrongUser)?,
        None => expected.people.iter().find(is).ok_or(Refusal::Stranger)?,
    };
    let (at, ends) = (sign_in.timestamp.as_millisecond(), sign_in.expires_at.as_millisecond());
    if (now.0 - at).abs() > NEW || now.0.saturating_sub(NEW) > ends {
        return Err(Refusal::NotNow);
    }
    Ok(person.clone())
}

impl Refusal {
    /// The refusal for people. `doing` completes "could not ...".
    pub fn trouble(self, doing: &str) -> Trouble {
        let (code, why, remedy) = match self {
            Self::NoSuccess => (
                Code::SignInAgain,
                "the passkey service says that nobody has signed in",
                "Try again.",
            ),
            Self::OtherKind => (
                Code::SignInAgain,
                "the passkey was used for another purpose than requested",
                "Begin again here, and use the page that opens then.",
            ),
            Self::WrongUser => (
                Code::SignInAgain,
                "the passkey belongs to somebody else",
                "Try again with your own passkey, or choose who you are first.",
            ),
            Self::Stranger => (
                Code::SignInAgain,
                "the passkey belongs to nobody at this console",
                "Try again with a passkey that was made here.",
            ),
            Self::OtherPage => (
                Code::Refused,
                "the passkey was used on another page than this console's",
                "Begin again here, and close other pages that ask for a passkey.",
            ),
            Self::NotNow => (
                Code::TryAgain,
                "by this computer's clock, the sign-in is too old or lies in the future",
                "Check this computer's clock, date and time zone; then try again.",
            ),
            Self::Used => (Code::SignInAgain, "this sign-in was already used", "Begin again here."),
        };
        Trouble {
            code,
            text: crate::present::trouble::sentence(&format!("{doing}: {why}")),
            remedy: remedy.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp(1_764_000_000_000);
    const ORIGIN: &str = "http://localhost:4711";

    fn person(n: u128) -> Person {
        Person { id: Uuid::from_u128(n), name: "Anna".into(), email: String::new() }
    }

    fn at(ms: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(ms).unwrap()
    }

    fn good() -> SignIn {
        SignIn {
            success: true,
            user_id: person(1).id.to_string(),
            timestamp: at(NOW.0 - 1_000),
            rp_id: RP_ID.into(),
            origin: ORIGIN.into(),
            device: String::new(),
            country: String::new(),
            nickname: String::new(),
            expires_at: at(NOW.0 + 119_000),
            token_id: "t".into(),
            credential_id: "c".into(),
            kind: SignInKind::PasskeySignin,
        }
    }

    fn accept(sign_in: &SignIn, asked: Option<&Person>) -> Result<Person, Refusal> {
        let people = [person(1), person(2)];
        let expected = Expected {
            passkey_use: PasskeyUse::SignIn,
            person: asked,
            people: &people,
            origin: ORIGIN,
        };
        signed_in_person(sign_in, &expected, NOW)
    }

    #[test]
    fn a_sign_in_that_is_as_it_must_be_says_who_it_is() {
        assert_eq!(accept(&good(), None), Ok(person(1)));
        assert_eq!(accept(&good(), Some(&person(1))), Ok(person(1)));
    }

    #[test]
    fn each_thing_that_is_not_as_it_must_be_is_refused_by_its_name() {
        let with = |change: fn(&mut SignIn)| {
            let mut sign_in = good();
            change(&mut sign_in);
            accept(&sign_in, None).unwrap_err()
        };
        assert_eq!(with(|s| s.success = false), Refusal::NoSuccess);
        assert_eq!(with(|s| s.kind = SignInKind::PasskeyRegister), Refusal::OtherKind);
        assert_eq!(with(|s| s.kind = SignInKind::Other("generated".into())), Refusal::OtherKind);
        assert_eq!(with(|s| s.token_id.clear()), Refusal::OtherKind);
        assert_eq!(with(|s| s.origin = "http://localhost:4712".into()), Refusal::OtherPage);
        assert_eq!(with(|s| s.origin = "http://127.0.0.1:4711".into()), Refusal::OtherPage);
        assert_eq!(with(|s| s.rp_id = "evil.example".into()), Refusal::OtherPage);
        assert_eq!(with(|s| s.rp_id.clear()), Refusal::OtherPage);
        assert_eq!(with(|s| s.user_id = person(3).id.to_string()), Refusal::Stranger);
        assert_eq!(with(|s| s.user_id.clear()), Refusal::Stranger);
        assert_eq!(with(|s| s.timestamp = at(NOW.0 - NEW - 1)), Refusal::NotNow);
        assert_eq!(with(|s| s.timestamp = at(NOW.0 + NEW + 1)), Refusal::NotNow);
        assert_eq!(with(|s| s.expires_at = at(NOW.0 - NEW - 1)), Refusal::NotNow);
        assert_eq!(accept(&good(), Some(&person(2))), Err(Refusal::WrongUser));
    }

    #[test]
    fn each_refusal_says_what_to_do_and_the_one_of_time_names_the_clock() {
        for refusal in [
            Refusal::NoSuccess,
            Refusal::OtherKind,
            Refusal::WrongUser,
            Refusal::Stranger,
            Refusal::OtherPage,
            Refusal::NotNow,
            Refusal::Used,
        ] {
            let trouble = refusal.trouble("sign in");
            assert!(trouble.text.starts_with("Sign in: "), "{}", trouble.text);
            assert!(!trouble.remedy.is_empty());
        }
        assert!(Refusal::NotNow.trouble("sign in").remedy.contains("clock"));
    }
}
