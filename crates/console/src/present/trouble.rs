//! Every failure as a trouble: its code, what was being done and why it failed, what to do next.
//!
//! The only place where errors become text for people.

use engine::{
    CommandError, StoreError,
    remote::{DownloadTargetError, logintc},
};
use session::Failure;

use crate::{
    settings::SettingsError,
    view::{Code, Trouble},
    words,
};

/// A failed call or effect. `doing` completes "could not ...".
pub fn of_failure(doing: &str, failure: Failure) -> Trouble {
    let (code, remedy) = remedy(failure);
    Trouble {
        code,
        text: sentence(&format!("{doing}: {}", failure.reason())),
        remedy: remedy.into(),
    }
}

/// A command that was not carried out.
pub fn of_command(error: &CommandError) -> Trouble {
    let text = error.to_string();
    match error {
        CommandError::NoSession(_) => not_found(&text),
        CommandError::NotSaved(store) => of_store(store),
        CommandError::Archive(_) => from_text(Code::FreeSpace, &text),
        CommandError::Call(call) => {
            let (code, remedy) = remedy(call.failure);
            Trouble { code, text: sentence(&text), remedy: remedy.into() }
        }
        CommandError::DownloadTarget(DownloadTargetError::Folder { .. }) => {
            from_text(Code::FreeSpace, &text)
        }
        CommandError::DownloadTarget(
            DownloadTargetError::Taken(_) | DownloadTargetError::NoName(_),
        ) => from_text(Code::BadInput, &text),
        CommandError::DoesNotFit(_) => from_text(Code::BadInput, &text),
        CommandError::Gate { .. } => Trouble {
            code: Code::Verify,
            text: sentence(&text),
            remedy: "Verify the customer first, or override the gate with a reason.".into(),
        },
        CommandError::Verification(error) => of_verification(error),
        CommandError::NotSetUp { .. } => Trouble {
            code: Code::SetUp,
            text: sentence(&text),
            remedy: "Set it up in the settings, under Services.".into(),
        },
        CommandError::NotMade => from_text(Code::FreeSpace, &text),
        CommandError::NoRandom => from_text(Code::Internal, &text),
        CommandError::Locked => locked(),
        CommandError::Stopping => stopping(),
    }
}

/// What the verification service didn't do.
pub fn of_verification(error: &logintc::Error) -> Trouble {
    let text = error.to_string();
    match error {
        logintc::Error::NoDevice | logintc::Error::NotEnabled => from_text(Code::Refused, &text),
        logintc::Error::UnknownUser(_) | logintc::Error::Input(..) => {
            from_text(Code::BadInput, &text)
        }
        logintc::Error::Unauthorized(_) | logintc::Error::WrongDomain(_) => {
            from_text(Code::SetUp, &text)
        }
        logintc::Error::Gone(_) => from_text(Code::TryAgain, &text),
        logintc::Error::Call(call) => {
            let (code, remedy) = remedy(call.failure);
            Trouble { code, text: sentence(&text), remedy: remedy.into() }
        }
    }
}

/// A store that didn't do it.
pub fn of_store(error: &StoreError) -> Trouble {
    store_code(error).map_or_else(stopping, |code| from_text(code, &error.to_string()))
}

/// What helps against a store's failure; none if it is closed already.
pub const fn store_code(error: &StoreError) -> Option<Code> {
    match error {
        StoreError::WrongKey { .. } => Some(Code::UnlockKey),
        StoreError::DiskFull { .. }
        | StoreError::Locked { .. }
        | StoreError::Damaged { .. }
        | StoreError::TooNew { .. }
        | StoreError::Io { .. } => Some(Code::FreeSpace),
        StoreError::Closed { .. } => None,
    }
}

/// A setting that can't be.
pub fn of_setting(error: &SettingsError) -> Trouble {
    Trouble {
        code: Code::BadInput,
        text: sentence(&format!("set {}: {}", error.field, error.problem)),
        remedy: sentence(&error.remedy),
    }
}

/// A command that doesn't fit.
pub fn bad_input(text: &str, remedy: &str) -> Trouble {
    Trouble { code: Code::BadInput, text: sentence(text), remedy: sentence(remedy) }
}

/// Something that doesn't exist.
pub fn not_found(text: &str) -> Trouble {
    Trouble {
        code: Code::NotFound,
        text: sentence(text),
        remedy: "Choose a session from the list or the archive.".into(),
    }
}

/// Somebody must sign in first.
pub fn locked() -> Trouble {
    Trouble {
        code: Code::Locked,
        text: "Carry out the command: Deskhand is locked.".into(),
        remedy: "Sign in.".into(),
    }
}

/// The console is ending.
pub fn stopping() -> Trouble {
    Trouble {
        code: Code::TryAgain,
        text: "Carry out the command: Deskhand is ending.".into(),
        remedy: "Start it again.".into(),
    }
}

/// A text of the form "doing: why; what to do next".
pub fn from_text(code: Code, text: &str) -> Trouble {
    let (text, remedy) = text.rsplit_once("; ").unwrap_or((text, ""));
    Trouble { code, text: sentence(text), remedy: sentence(remedy) }
}

fn remedy(failure: Failure) -> (Code, &'static str) {
    match failure {
        Failure::Unauthorized => (Code::SignInAgain, "Sign in again."),
        Failure::RateLimited { .. } => (Code::Wait, "Wait a little; then try again."),
        Failure::Unreachable => {
            (Code::CheckNetwork, "Check the network, and the service's address in the settings.")
        }
        Failure::NoAnswer | Failure::TimedOut => {
            (Code::TryAgain, "Try again; if it stays so, check the network.")
        }
        Failure::Rejected { .. } => (
            Code::Refused,
            "Check what was asked for. If the PIN's life is over, start a new session.",
        ),
        Failure::Faulty { .. } => {
            (Code::ServiceFault, "Try again later, or ask who runs the service.")
        }
        Failure::Malformed => (Code::CheckAddress, "Check the service's address in the settings."),
        Failure::NoRegion => {
            (Code::ChooseRegion, "Check the network and try again, or choose a region by hand.")
        }
        Failure::Storage => {
            (Code::FreeSpace, "Free some space and check the data folder's permissions.")
        }
        Failure::Internal => {
            (Code::Internal, "Try again; see the log and report it if it stays so.")
        }
    }
}

/// Upper case at its start, a full stop at its end; an empty text stays empty.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut sentence = words::capital(text);
    if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_reason_and_a_remedy() {
        let all = [
            Failure::Unauthorized,
            Failure::RateLimited { retry_after_ms: Some(1_500) },
            Failure::RateLimited { retry_after_ms: None },
            Failure::Unreachable,
            Failure::NoAnswer,
            Failure::TimedOut,
            Failure::Rejected { status: 404 },
            Failure::Faulty { status: 503 },
            Failure::Malformed,
            Failure::NoRegion,
            Failure::Storage,
            Failure::Internal,
        ];
        for failure in all {
            let trouble = of_failure("get a PIN", failure);
            assert!(trouble.text.starts_with("Get a PIN: ") && trouble.text.ends_with('.'));
            assert!(!trouble.remedy.is_empty(), "{failure:?}");
        }
    }

    #[test]
    fn a_text_falls_into_what_happened_and_what_to_do() {
        let trouble =
            from_text(Code::FreeSpace, "save an event: the disk is full; free some space");
        assert_eq!(trouble.text, "Save an event: the disk is full.");
        assert_eq!(trouble.remedy, "Free some space.");
    }
}
