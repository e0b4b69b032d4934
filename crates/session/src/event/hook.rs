//! Events of the hooks themselves: whether the service can report events.

use serde::{Deserialize, Serialize};
use wire::HookType;

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::Failure;

/// A hook was lost or is armed again, or a webhook did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum HookEvent {
    /// A hook could not be re-armed twice in a row: the status may be out of date.
    HookLost {
        /// The hook that is not armed.
        hook: HookType,
        /// Why the last try failed.
        failure: Failure,
        /// Whether no other hook of the session was lost then: those of one outage are one thing to tell. Older events
        /// don't say.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        is_first: bool,
    },
    /// A lost hook is armed again.
    HookBack {
        /// The hook that is armed.
        hook: HookType,
        /// Whether no hook of the session is lost any more. Older events don't say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_last: bool,
    },
    /// The broker itself told of an event that its webhook did not report in time.
    WebhookLost {
        /// The webhook that did not arrive.
        hook: HookType,
    },
}

impl EventFacts for HookEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        match self {
            Self::HookLost { hook, is_first, .. } => {
                let text = format!(
                    "{session}: status may be out of date (hook {hook} could not be re-armed)"
                );
                if *is_first { Notice::loud(text) } else { Notice::quiet(text) }
            }
            // Who was told that the status may be out of date is told that it isn't any more.
            Self::HookBack { is_last: true, .. } => {
                Notice::loud(format!("{session}: all hooks are armed again"))
            }
            Self::HookBack { hook, is_last: false } => {
                Notice::quiet(format!("{session}: hook {hook} is armed again"))
            }
            Self::WebhookLost { hook } => {
                Notice::quiet(format!("{session}: a webhook was lost: {hook}"))
            }
        }
    }

    fn log_line(&self, _: &LogContext<'_>) -> LogLine {
        match self {
            Self::HookLost { hook, failure, .. } => {
                LogLine::failure(format!("Hook {hook} could not be re-armed: {}", failure.reason()))
            }
            Self::HookBack { hook, .. } => LogLine::success(format!("Hook {hook} is armed again")),
            Self::WebhookLost { hook } => LogLine::failure(format!(
                "A webhook was lost: {hook}. The status is right, for the broker itself told it"
            )),
        }
    }

    // The console arms hooks by itself: a flaky network must not make a session look busy.
    fn is_activity(&self) -> bool {
        false
    }
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
const fn is_yes(value: &bool) -> bool {
    *value
}
