//! What to do about the services that prove who a person is.

use engine::remote::{logintc, passwordless::PasskeyError};
use session::push_brake::BrakeReason;
use wire::passwordless::LimitError;

use super::{Remedy, of_failure};
use crate::view::Code;

pub const fn of_brake(why: BrakeReason) -> &'static str {
    match why {
        BrakeReason::UnderWay => "Wait for that answer, or cancel it there.",
        BrakeReason::Denied(_) => {
            "Speak with them first: whoever says no may not be the person you think. A code needs no push."
        }
        BrakeReason::Unanswered { .. } => {
            "Speak with them first: a phone that rings on and on annoys, and proves nothing. A code needs no push."
        }
        BrakeReason::WrongCodes { .. } => "Ask them to read out a new code, or send a push.",
        BrakeReason::Mailed { .. } => "Have them look at what came already, or send a push.",
    }
}

pub const fn of_verification(error: &logintc::Error) -> Remedy {
    use logintc::InputError;
    match error {
        logintc::Error::NoDevice => (
            Code::Refused,
            "Add a device for them at the verification service, or use a bypass code.",
        ),
        logintc::Error::NotEnabled => {
            (Code::Refused, "Switch it on at the verification service, or send a push.")
        }
        logintc::Error::UnknownUser(_) => (Code::BadInput, "Check the person's name or id."),
        logintc::Error::Input(_, InputError::Id | InputError::Username) => {
            (Code::BadInput, "Check what was typed.")
        }
        logintc::Error::Input(_, InputError::Attributes) => {
            (Code::BadInput, "Leave some details out.")
        }
        logintc::Error::Input(_, InputError::Key | InputError::Value) => {
            (Code::BadInput, "Shorten that detail.")
        }
        logintc::Error::Unauthorized(_) => {
            (Code::SetUp, "Enter a valid API key in the settings, under Services.")
        }
        logintc::Error::WrongDomain(_) => {
            (Code::SetUp, "Check the domain's id in the settings, under Services.")
        }
        logintc::Error::Gone(_) => (Code::TryAgain, "Ask the person again."),
        logintc::Error::Call(call) => of_failure(call.failure),
    }
}

pub const fn of_passkey(error: &PasskeyError) -> Remedy {
    match error {
        PasskeyError::Unauthorized(_) => {
            (Code::SetUp, "Enter the API secret again in the settings, under Services.")
        }
        PasskeyError::InvalidToken(_) => (Code::SignInAgain, "Begin again."),
        PasskeyError::ExpiredToken(_) => {
            (Code::TryAgain, "Begin again, and check this computer's clock if that repeats.")
        }
        PasskeyError::AliasConflict(_) => (Code::BadInput, "Remove or change that alias."),
        PasskeyError::UnknownCredential(_) => (Code::NotFound, "Load the list again."),
        PasskeyError::Limit { limit, .. } => (Code::BadInput, of_limit(*limit)),
        PasskeyError::Invalid { .. } => (Code::BadInput, "Change what the service refused."),
        PasskeyError::Call(call) => of_failure(call.failure),
    }
}

const fn of_limit(limit: LimitError) -> &'static str {
    match limit {
        // Deskhand itself makes this id, so no person can mend it.
        LimitError::UserId => "See the log and report it.",
        LimitError::NoUsername => "Give a name.",
        LimitError::TooManyAliases => "Remove some aliases.",
        LimitError::EmptyAlias(_) => "Remove that line.",
        LimitError::LongAlias(_) => "Shorten that alias.",
        LimitError::TwiceAlias(_) => "Remove one of the two.",
    }
}
