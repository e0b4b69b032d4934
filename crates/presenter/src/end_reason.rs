//! Why the program ends, each as one sentence for the customer.

use crate::{dial::DialError, screen::ScreenError};

/// Why nothing is shared, or nothing any more. Its text is shown to the customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// The customer stopped it, or the system asked the program to end.
    #[error("You stopped sharing. Nobody sees your screen any more.")]
    Stopped,
    /// The customer declined.
    #[error("You declined. Nothing was shared.")]
    Declined,
    /// The PIN's life ended while the screen was shared.
    #[error(
        "The session's time is over, so your screen is no longer shared. If you still need help, ask for a new PIN."
    )]
    Expired,
    /// The PIN's life was over before the screen was shared.
    #[error(
        "This session's PIN is no longer valid. Ask the person who helps you for a new one. (If it is new, check the date and time of this computer.)"
    )]
    PinOver,
    /// No session has this PIN.
    #[error(
        "No session has this PIN. Compare it with the person who helps you, and start this program again."
    )]
    UnknownPin,
    /// The technician ended the session.
    #[error("The person who helps you has ended the session. Your screen is no longer shared.")]
    Revoked,
    /// The same session was taken over by a later start.
    #[error(
        "This program was started again, and your screen is shared by the new one. This one has ended."
    )]
    Replaced,
    /// The session's own program shares already.
    #[error(
        "A screen is shared with this PIN already, by the program that was made for it. Stop that one first."
    )]
    Taken,
    /// The broker doesn't take this program for the session's own.
    #[error(
        "The server doesn't take this program for the one of its session. Get it again from the page where you typed your PIN."
    )]
    NotItsProgram,
    /// The broker has blocked this network.
    #[error(
        "The server refuses calls from this network. Tell the person who helps you, and give no PIN to anybody else."
    )]
    Blocked,
    /// The broker counted too many attempts from this network.
    #[error(
        "The server has had too many tries from this network. Wait some minutes and try again."
    )]
    TooMany,
    /// The broker was never reached.
    #[error("{0}")]
    Unreachable(#[from] DialError),
    /// The screen can't be shared, or no longer.
    #[error("{}.", sentence(.0))]
    Screen(#[from] ScreenError),
    /// The operating system refuses something that every program needs.
    #[error("This computer couldn't {0}. Restart it and try again.")]
    System(&'static str),
}

impl EndReason {
    /// The program's exit code, as `--help` lists them.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped | Self::Expired | Self::Revoked | Self::Replaced => 0,
            Self::Unreachable(_) | Self::Screen(_) | Self::System(_) | Self::TooMany => 1,
            Self::Declined => 4,
            Self::PinOver
            | Self::UnknownPin
            | Self::Taken
            | Self::NotItsProgram
            | Self::Blocked => 5,
        }
    }

    /// Whether the customer is told in a window: not what they have just done themselves.
    pub const fn is_news(&self) -> bool {
        !matches!(self, Self::Stopped | Self::Declined)
    }

    /// Whether another start of the same file could still share: then it must not remove itself.
    pub const fn may_be_tried_again(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Screen(_)
            | Self::System(_)
            | Self::TooMany
            | Self::Taken
            | Self::Blocked => true,
            Self::Stopped
            | Self::Declined
            | Self::Expired
            | Self::PinOver
            | Self::UnknownPin
            | Self::Revoked
            | Self::Replaced
            | Self::NotItsProgram => false,
        }
    }
}

fn sentence(error: &ScreenError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}
