//! Every failure as a trouble: its code, what was being done and why it failed, and what
//! to do next.
//!
//! This module and [`remedy`] are the only place where errors become text for people.

use std::fmt;

use engine::{BackgroundFault, CommandError, StoreError};
use session::Failure;

use super::remedy;
use crate::{
    settings::SettingsError,
    view::{Code, Trouble},
    words,
};

/// The trouble of an error whose text has what was being done and why it failed, with its remedy.
pub fn new(error: &impl fmt::Display, (code, remedy): (Code, &str)) -> Trouble {
    Trouble { code, text: sentence(&error.to_string()), remedy: sentence(remedy) }
}

/// A background task that doesn't run as it should.
pub fn of_background(fault: BackgroundFault) -> Trouble {
    new(&fault, remedy::of_background(fault))
}

/// The trouble of a failed call or effect. `doing` completes "could not ...".
pub fn of_failure(doing: &str, failure: Failure) -> Trouble {
    new(&format_args!("{doing}: {}", failure.reason()), remedy::of_failure(failure))
}

/// The trouble of a command that was not carried out.
pub fn of_command(error: &CommandError) -> Trouble {
    match error {
        CommandError::NotSaved(StoreError::Closed { .. })
        | CommandError::Archive(StoreError::Closed { .. })
        | CommandError::Stopping => stopping(),
        CommandError::NotSaved(store) | CommandError::Archive(store) => {
            new(store, remedy::of_refused(store))
        }
        CommandError::NoSession(_)
        | CommandError::Call(_)
        | CommandError::DownloadTarget(_)
        | CommandError::DoesNotFit(_)
        | CommandError::NotMade
        | CommandError::NoRandom
        | CommandError::Locked
        | CommandError::Gate { .. }
        | CommandError::Verification(_)
        | CommandError::TooSoon { .. }
        | CommandError::NotSetUp { .. } => new(error, remedy::of_command(error)),
    }
}

const NOTIFICATIONS: &str = "Show a desktop notification: ";

/// The trouble of desktop notifications of which none gets out.
pub fn of_notifications(why: &str) -> Trouble {
    let text = sentence(&format!("{NOTIFICATIONS}{why}"));
    let remedy = "Restart the desktop's notification service, or sign in to the desktop again. Until then, look at \
                  the sessions' logs, which have everything.";
    Trouble { code: Code::ServiceFault, text, remedy: remedy.into() }
}

/// Whether it is the trouble of desktop notifications.
pub fn is_of_notifications(trouble: &Trouble) -> bool {
    trouble.text.starts_with(NOTIFICATIONS)
}

const MARKS: [&str; 2] =
    ["Read which notifications were shown: ", "Note which notifications were shown: "];

/// The trouble of a journal that doesn't say (`read`) or take (`note`) which notifications were shown.
pub fn of_marks(doing: &str, error: &StoreError) -> Trouble {
    let (code, advice) = remedy::of_store(error);
    let (start, meanwhile) = if doing == "read" {
        (MARKS[0], "Until then none is shown: look at the sessions' logs, which have everything.")
    } else {
        (MARKS[1], "Until then those that were shown may be shown again after the next start.")
    };
    Trouble {
        code,
        text: sentence(&format!("{start}{error}")),
        remedy: format!("{advice} {meanwhile}"),
    }
}

/// Whether it is the trouble of [`of_marks`].
pub fn is_of_marks(trouble: &Trouble) -> bool {
    MARKS.iter().any(|start| trouble.text.starts_with(start))
}

/// The trouble of a row of the journal, damaged, that said which notifications were shown.
pub fn of_lost_marks(error: &StoreError) -> Trouble {
    let remedy = "Look at the sessions' logs, which have everything, for what happened while Deskhand was not running: \
                  it isn't notified. Notifications of what happens from now on are shown.";
    Trouble {
        code: Code::RestoreCopy,
        text: sentence(&format!("Look up which notifications were shown: {error}")),
        remedy: remedy.into(),
    }
}

const FULL: &str = "Take connections: ";

/// The trouble of a listener or a broker that has no room for some; `what` names it.
pub fn of_full_server(what: &str, limit: usize) -> Trouble {
    let text = sentence(&format!(
        "{FULL}{what} has so many of its {limit} connections open that it turns some away"
    ));
    let remedy = "Until it has room, customers may be unable to join and events may be lost. Look in the log for \
                  what is turned away, and set more connections, or keep whoever opens so many from this computer.";
    Trouble { code: Code::ServiceFault, text, remedy: remedy.into() }
}

/// Whether it is the trouble of a full server.
pub fn is_of_full_server(trouble: &Trouble) -> bool {
    trouble.text.starts_with(FULL)
}

const TURNED_AWAY: &str = "The listener for events turned away ";

/// The trouble of a listener that turned so many connections away because too many were of one address.
pub fn of_turned_away(connections: u64) -> Trouble {
    let number = u32::try_from(connections).unwrap_or(u32::MAX);
    let number = words::count(number, "connection", "connections");
    let text = sentence(&format!("{TURNED_AWAY}{number} of one address: events may be lost"));
    let remedy = "If events come through a proxy on another computer, name it in listener_trusted_proxies. Otherwise \
                  raise listener_connections, of which one address gets a quarter, or keep whoever opens so many from \
                  this computer; the log says what is turned away.";
    Trouble { code: Code::ServiceFault, text, remedy: remedy.into() }
}

/// Whether it is the trouble of connections that the listener turned away.
pub fn is_of_turned_away(trouble: &Trouble) -> bool {
    trouble.text.starts_with(TURNED_AWAY)
}

/// The trouble of a failed store.
pub fn of_store(error: &StoreError) -> Trouble {
    match error {
        // A store is closed only because the console is ending, which is the fact that people need.
        StoreError::Closed { .. } => stopping(),
        StoreError::DiskFull { .. }
        | StoreError::Locked { .. }
        | StoreError::WrongKey { .. }
        | StoreError::Damaged { .. }
        | StoreError::TooNew { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::PathTooLong { .. }
        | StoreError::Io { .. } => new(error, remedy::of_store(error)),
    }
}

/// The trouble of a journal of which rows can't be read; none where all can.
pub fn of_unreadable_rows(sessions: usize, events: usize) -> Option<Trouble> {
    let count = |number: usize, one, more| {
        (number > 0).then(|| words::count(u32::try_from(number).unwrap_or(u32::MAX), one, more))
    };
    let sessions = count(sessions, "of its sessions", "of its sessions")
        .map(|number| format!("{number} can't be read (not shown, and no event of them arrives)"));
    let events = count(events, "of its events", "of its events")
        .map(|number| format!("{number} can't be read (left out)"));
    let parts: Vec<String> = sessions.into_iter().chain(events).collect();
    (!parts.is_empty()).then(|| Trouble {
        code: Code::RestoreCopy,
        text: sentence(&format!("read the journal: {}", parts.join("; "))),
        remedy: remedy::RESTORE_OR_SALVAGE.into(),
    })
}

/// The trouble of an invalid setting.
pub fn of_setting(error: &SettingsError) -> Trouble {
    Trouble {
        code: Code::BadInput,
        text: sentence(&format!("set {}: {}", error.field, error.problem)),
        remedy: sentence(&error.remedy),
    }
}

/// The trouble of an invalid command.
pub fn bad_input(text: &str, remedy: &str) -> Trouble {
    Trouble { code: Code::BadInput, text: sentence(text), remedy: sentence(remedy) }
}

/// Something that doesn't exist.
pub fn not_found(text: &str) -> Trouble {
    new(&text, remedy::NO_SESSION)
}

/// Somebody must sign in first.
pub fn locked() -> Trouble {
    of_command(&CommandError::Locked)
}

/// The console is ending.
pub fn stopping() -> Trouble {
    new(&"carry out the command: Deskhand is ending", remedy::STOPPING)
}

/// Capitalises the first letter and ends the text with a full stop; an empty text stays empty.
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
    use session::Obstacle;

    use super::*;

    #[test]
    fn rows_that_cannot_be_read_are_counted() {
        assert_eq!(of_unreadable_rows(0, 0), None);
        let trouble = of_unreadable_rows(1, 2).unwrap();
        assert_eq!(trouble.code, Code::RestoreCopy);
        for part in ["1 of its sessions", "2 of its events"] {
            assert!(trouble.text.contains(part), "{}", trouble.text);
        }
        assert!(
            of_unreadable_rows(0, 1).unwrap().text.starts_with("Read the journal: 1 of its events")
        );
    }

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
            Failure::Rejected { status: 507 },
            Failure::Faulty { status: 503 },
            Failure::Malformed,
            Failure::Blocked { by: Obstacle::CertificateExpired },
            Failure::Blocked { by: Obstacle::CertificateOfAnother },
            Failure::Blocked { by: Obstacle::CertificateUntrusted },
            Failure::Blocked { by: Obstacle::Proxy },
            Failure::Blocked { by: Obstacle::Gateway { status: 403 } },
            Failure::Blocked { by: Obstacle::Redirect },
            Failure::Blocked { by: Obstacle::NeedsHttps },
            Failure::Blocked { by: Obstacle::BrokeOff },
            Failure::Blocked { by: Obstacle::Encoded },
            Failure::TooLarge { most: 8 << 20 },
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
    fn what_stands_before_a_service_is_named_with_what_helps_against_it() {
        let of = |failure| {
            let Trouble { text, remedy, .. } = of_failure("get a PIN", failure);
            format!("{text} {remedy}")
        };
        let by = |by| of(Failure::Blocked { by });
        for (told, words) in [
            (by(Obstacle::CertificateExpired), ["expired", "date and time"]),
            (by(Obstacle::CertificateOfAnother), ["another name", "address in the settings"]),
            (by(Obstacle::CertificateUntrusted), ["issuer", "install that authority's"]),
            (by(Obstacle::Proxy), ["407", "user name and the password"]),
            (by(Obstacle::Gateway { status: 403 }), ["firewall", "let Deskhand through"]),
            (by(Obstacle::Gateway { status: 404 }), ["404", "address in the settings"]),
            (by(Obstacle::Redirect), ["another server", "sign in to the network"]),
            (by(Obstacle::NeedsHttps), ["only over https", "Write https://"]),
            (by(Obstacle::BrokeOff), ["broke off", "Try again"]),
            (of(Failure::Unauthorized), ["401", "service's address"]),
        ] {
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
            assert!(!told.contains("no longer valid") && !told.contains("Sign in again"), "{told}");
        }
    }
}
