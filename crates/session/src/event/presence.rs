//! Events of presence, as the service's hooks report it.

use serde::{Deserialize, Serialize};
use wire::{HookType, Side, shared_screen::SharingEnd};

use super::{EventFacts, LogContext, LogLine, Notice, PresenceChange};
use crate::{
    Timestamp,
    text::{capital, plain_name},
};

/// Something newer of its side is known already: the event says what was so, and not what is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overtaken {
    /// When it happened, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Somebody came or went, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum PresenceEvent {
    /// The presenter is online.
    PresenterOnline {
        /// Whether it already was online: its page was loaded, or its program started, once more.
        again: bool,
        /// Whether something newer of this side is known already. Older events have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overtaken: Option<Overtaken>,
    },
    /// The presenter has been gone for over 60 s.
    PresenterOffline {
        /// Whether something newer of this side is known already. Older events have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overtaken: Option<Overtaken>,
        /// When it was last connected, where that is known. Older events have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Timestamp>,
    },
    /// A viewer joined.
    ViewerJoined {
        /// Whether at least one was present already.
        again: bool,
        /// Whether something newer of this side is known already. Older events have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overtaken: Option<Overtaken>,
    },
    /// All viewers have been gone for over 60 s.
    ViewersGone {
        /// Whether something newer of this side is known already. Older events have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overtaken: Option<Overtaken>,
        /// When one was last connected, where that is known. Older events have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Timestamp>,
    },
    /// Events may have been missed, so the presence of one side or both is unknown.
    StatusUnknown {
        /// The last moment at which it was known.
        since: Timestamp,
    },
    /// The broker told the presence of both sides, after it had been unknown.
    StatusKnown {
        /// Whether the presenter is online.
        presenter: bool,
        /// Whether a viewer is present.
        viewers: bool,
    },
    /// A second program came with the session's PIN. The broker refused it, or it took the first one's place.
    SecondProgram {
        /// When it came.
        at: Timestamp,
    },
    /// A viewer waits to be let in.
    ViewerWaits {
        /// The name that it gave itself: untrusted, may be empty.
        name: String,
    },
    /// The customer's program ended the sharing, and said why.
    SharingEnded {
        /// What the program said.
        why: SharingEnd,
    },
}

impl PresenceEvent {
    /// Of an event that a hook reports: which hook's, and whether something newer was known before it.
    const fn report(&self) -> Option<(HookType, Option<Overtaken>)> {
        Some(match self {
            Self::PresenterOnline { overtaken, .. } => (HookType::PresenterStarted, *overtaken),
            Self::PresenterOffline { overtaken, .. } => (HookType::PresenterOffline, *overtaken),
            Self::ViewerJoined { overtaken, .. } => (HookType::ViewerStarted, *overtaken),
            Self::ViewersGone { overtaken, .. } => (HookType::ViewerOffline, *overtaken),
            Self::StatusUnknown { .. }
            | Self::StatusKnown { .. }
            | Self::SecondProgram { .. }
            | Self::ViewerWaits { .. }
            | Self::SharingEnded { .. } => return None,
        })
    }
}

impl EventFacts for PresenceEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        if let Some((hook, Some(_))) = self.report() {
            // It isn't so any more, so it is worth no notification.
            return Notice::quiet(match hook {
                HookType::PresenterStarted => format!("Told late: {session} had come online"),
                HookType::PresenterOffline => format!("Told late: {session} had gone offline"),
                HookType::ViewerStarted => {
                    format!("Told late: a viewer had joined {session}'s session")
                }
                HookType::ViewerOffline => {
                    format!("Told late: all viewers had left {session}'s session")
                }
            });
        }
        match self {
            Self::PresenterOnline { again: false, .. } => {
                Notice::loud(format!("{session} is online"))
            }
            Self::PresenterOnline { again: true, .. } => {
                Notice::quiet(format!("{session} started again"))
            }
            Self::PresenterOffline { .. } => Notice::loud(format!("{session} went offline")),
            Self::ViewerJoined { again: false, .. } => {
                Notice::loud(format!("A viewer joined {session}'s session"))
            }
            Self::ViewerJoined { again: true, .. } => {
                Notice::quiet(format!("Another viewer joined {session}'s session"))
            }
            Self::ViewersGone { .. } => {
                Notice::quiet(format!("All viewers left {session}'s session"))
            }
            Self::StatusUnknown { .. } => Notice::quiet(format!("{session}: status unknown")),
            Self::StatusKnown { .. } => Notice::quiet(format!("{session}: status known again")),
            // It may be somebody who found the PIN.
            Self::SecondProgram { .. } => Notice::loud(format!(
                "{session}: a second program came with the same PIN. Ask the customer whether it is theirs"
            )),
            // They see nothing until somebody answers.
            Self::ViewerWaits { name } => {
                Notice::loud(format!("{} waits to be let into {session}'s session", whoever(name)))
            }
            Self::SharingEnded { why } => {
                let text = format!("{session}: {}", why_ended(*why));
                match why {
                    SharingEnd::Stopped | SharingEnd::Other => Notice::quiet(text),
                    SharingEnd::Moved
                    | SharingEnd::Interfered
                    | SharingEnd::Covered
                    | SharingEnd::Failed => Notice::loud(text),
                }
            }
        }
    }

    fn log_line(&self, log: &LogContext<'_>) -> LogLine {
        if let Some((hook, Some(overtaken))) = self.report() {
            let what = match hook {
                HookType::PresenterStarted => "the customer's program had come online",
                HookType::PresenterOffline => "the customer's program had gone offline",
                HookType::ViewerStarted => "a viewer had joined",
                HookType::ViewerOffline => "all viewers had left",
            };
            let at = overtaken.at.map_or_else(String::new, |at| log.at_another_time("at", at));
            return LogLine::success(format!("Told late, after something newer: {what}{at}"));
        }
        LogLine::success(match self {
            Self::PresenterOnline { again: false, .. } => "The customer's program is online",
            Self::PresenterOnline { again: true, .. } => "The customer's program started again",
            Self::PresenterOffline { left: Some(left), .. } => {
                let left = match log.at_another_time("at", *left).as_str() {
                    "" => String::new(),
                    at => format!(": it left{at}"),
                };
                return LogLine::success(format!("The customer's program is offline{left}"));
            }
            Self::PresenterOffline { left: None, .. } => "The customer's program is offline",
            Self::ViewerJoined { again: false, .. } => "A viewer joined",
            // Hooks carry no identity: a page that was loaded again looks like a second viewer.
            Self::ViewerJoined { again: true, .. } => "A viewer joined, or came again",
            Self::ViewersGone { left: Some(left), .. } => {
                return LogLine::success(format!(
                    "All viewers left{}",
                    log.at_another_time("at", *left)
                ));
            }
            Self::ViewersGone { left: None, .. } => "All viewers left",
            Self::StatusKnown { .. } => "The broker says how it is: the status is known again",
            Self::SharingEnded { why: why @ (SharingEnd::Stopped | SharingEnd::Other) } => {
                return LogLine::success(capital(why_ended(*why)));
            }
            Self::SharingEnded { why } => return LogLine::failure(capital(why_ended(*why))),
            Self::ViewerWaits { name } => {
                return LogLine::success(format!("{} waits to be let in", whoever(name)));
            }
            Self::StatusUnknown { since } => {
                let since = (log.clock)(*since);
                return LogLine::failure(format!(
                    "Events may have been missed: unknown since {since}"
                ));
            }
            Self::SecondProgram { at } => {
                let at = log.at_another_time("at", *at);
                return LogLine::failure(format!(
                    "A second program came with this PIN{at}: it was refused, or took the first one's place. Unless \
                     it is the customer's, somebody else has the PIN: close this session and start a new one"
                ));
            }
        })
    }

    fn presence_change(&self) -> Option<PresenceChange> {
        match (self, self.report()) {
            (_, Some((hook, overtaken))) => {
                overtaken.is_none().then_some(PresenceChange::Reported(hook))
            }
            (Self::StatusUnknown { since }, None) => Some(PresenceChange::UnknownSince(*since)),
            (Self::StatusKnown { presenter, viewers }, None) => {
                Some(PresenceChange::Known { presenter: *presenter, viewers: *viewers })
            }
            (_, None) => None,
        }
    }

    fn side(&self) -> Option<Side> {
        self.hook().map(HookType::side)
    }

    fn hook(&self) -> Option<HookType> {
        self.report().map(|(hook, _)| hook)
    }

    fn left(&self) -> Option<Timestamp> {
        match self {
            Self::PresenterOffline { left, .. } | Self::ViewersGone { left, .. } => *left,
            Self::PresenterOnline { .. }
            | Self::ViewerJoined { .. }
            | Self::StatusUnknown { .. }
            | Self::StatusKnown { .. }
            | Self::SecondProgram { .. }
            | Self::ViewerWaits { .. }
            | Self::SharingEnded { .. } => None,
        }
    }

    fn overtaken(&self) -> Option<Overtaken> {
        self.report().and_then(|(_, overtaken)| overtaken)
    }

    fn is_activity(&self) -> bool {
        match self {
            Self::PresenterOnline { .. }
            | Self::PresenterOffline { .. }
            | Self::ViewerJoined { .. }
            | Self::ViewersGone { .. }
            | Self::SecondProgram { .. }
            | Self::ViewerWaits { .. }
            | Self::SharingEnded { .. } => true,
            Self::StatusUnknown { .. } | Self::StatusKnown { .. } => false,
        }
    }
}

/// A viewer as people read their name.
fn whoever(name: &str) -> String {
    let name = plain_name(name);
    if name.is_empty() { "Somebody without a name".to_owned() } else { name }
}

/// What ended the sharing, and what to do about it.
const fn why_ended(why: SharingEnd) -> &'static str {
    match why {
        SharingEnd::Stopped => "the customer stopped sharing the screen",
        SharingEnd::Interfered => {
            "the customer's program ended the sharing, because the encryption broke off, or was set up anew, too often within an hour. A poor network can do that, but so does somebody who tries to get in between. Call the customer, and begin a new session over another network"
        }
        SharingEnd::Covered => {
            "the customer's program ended the sharing, because another window kept covering the bar that shows who sees the screen. Ask the customer which window that is before they start it again"
        }
        SharingEnd::Failed => {
            "the customer's program ended the sharing, because it couldn't capture the screen any more. Ask the customer to start it again"
        }
        SharingEnd::Moved => {
            "the customer moves the sharing to another program with the same PIN. Compare the words again once it is there"
        }
        SharingEnd::Other => "the customer's program ended the sharing",
    }
}
