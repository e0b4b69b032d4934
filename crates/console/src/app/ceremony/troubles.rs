//! The troubles of failed ceremonies.

use engine::remote::passwordless::PasskeyError;

use super::{browser_page::BrowserFailure, sign_in_check::Refusal, task::CeremonyTask};
use crate::{
    present::{remedy, trouble},
    view::{Code, Trouble},
};

/// What the passkey service's failure means for `doing`.
pub(crate) fn of_passkey(doing: &str, error: &PasskeyError) -> Trouble {
    match error {
        PasskeyError::ExpiredToken(_) => Refusal::NotNow.trouble(doing),
        PasskeyError::Unauthorized(_)
        | PasskeyError::InvalidToken(_)
        | PasskeyError::AliasConflict(_)
        | PasskeyError::Limit { .. }
        | PasskeyError::Invalid { .. }
        | PasskeyError::UnknownCredential(_) => {
            trouble::new(&format_args!("{doing}: {}", error.why()), remedy::of_passkey(error))
        }
        PasskeyError::Call(call) => {
            trouble::of_failure(&format!("{doing} at the passkey service"), call.failure)
        }
    }
}

pub(super) fn browser_failure(task: &CeremonyTask, reason: BrowserFailure) -> Trouble {
    let (code, why, remedy) = match reason {
        BrowserFailure::Cancelled => (
            Code::TryAgain,
            "it was cancelled in the browser, or took too long there",
            "Try again on that page, or begin again here.",
        ),
        BrowserFailure::Unsupported => (
            Code::Refused,
            "this browser can't use passkeys",
            "Copy the link, and open it in another browser on this computer.",
        ),
        BrowserFailure::Failed => (
            Code::TryAgain,
            "the browser could not do it",
            "See the page for the reason; then try again there, or begin again here.",
        ),
    };
    let text = trouble::sentence(&format!("{}: {why}", task.doing()));
    Trouble { code, text, remedy: remedy.into() }
}

pub(super) fn given_up(task: &CeremonyTask) -> Trouble {
    Trouble {
        code: Code::TryAgain,
        text: trouble::sentence(&format!("{}: it was given up in Deskhand", task.doing())),
        remedy: "Begin again there.".into(),
    }
}

pub(super) fn too_late(task: &CeremonyTask) -> Trouble {
    let text = format!("{}: nothing came from the browser in time", task.doing());
    Trouble {
        code: Code::TryAgain,
        text: trouble::sentence(&text),
        remedy: "Begin again. If no page opened, copy the link and open it in a browser.".into(),
    }
}

pub(super) fn no_page(doing: &str) -> Trouble {
    Trouble {
        code: Code::SetUp,
        text: trouble::sentence(&format!("{doing}: this program was built without its page for the browser")),
        remedy: "Install Deskhand's package, or name the folder that the page was built into with --pages.".into(),
    }
}
