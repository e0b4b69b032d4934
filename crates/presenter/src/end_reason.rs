//! The reasons why the program ends, each with one sentence for the customer.

use wire::shared_screen::SharingEnd;

use crate::{dial::DialError, screen::ScreenError};

/// The reason why the screen isn't shared (any more). Its text is shown to the customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// The customer stopped it, or the system asked the program to end.
    #[error("You stopped sharing. Nobody sees your screen any more.")]
    Stopped,
    /// The customer declined.
    #[error("You declined. Nothing was shared.")]
    Declined,
    /// The PIN expired while the screen was shared.
    #[error(
        "The session's time is over, so your screen is no longer shared. If you still need help, ask for a new PIN."
    )]
    Expired,
    /// The PIN had expired before the screen was shared.
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
    /// A later start of the program took the session over.
    #[error(
        "This program was started again, and your screen is shared by the new one. This one has ended."
    )]
    Replaced,
    /// Another run of the session's own program shares the screen already.
    #[error(
        "A screen is shared with this PIN already, by the program that was made for it. If that is yours, press “Move it there” in the bar on that screen, or stop that program, and start this one again."
    )]
    Taken,
    /// The customer moved the sharing to another computer.
    #[error(
        "Your screen is no longer shared from this computer. Start the program on the other one again, and compare the words with the person who helps you anew."
    )]
    Moved,
    /// The broker doesn't accept the conf, so this isn't the session's own program.
    #[error(
        "The server doesn't accept this program for its session. Download it again from the page where you typed your PIN."
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
    /// The screen can't be shared (any more).
    #[error("{}.", sentence(.0))]
    Screen(#[from] ScreenError),
    /// Key exchanges broke off again and again, or made new keys, as they do if somebody tries to get in between.
    #[error(
        "Your screen is no longer shared. The encryption with the other end broke off, or was set up anew, too often within an hour. A poor network can do that, but so does somebody who tries to get in between. Call the person who helps you, and begin a new session over another network."
    )]
    Interfered,
    /// Another window covered the banner again and again.
    #[error(
        "Your screen is no longer shared. Another window kept covering the bar that shows who sees your screen. If you don't know that window, tell the person who helps you, and look for a program that you didn't start."
    )]
    Covered,
    /// The operating system refused a basic service, such as starting a thread.
    #[error("This computer couldn't {0}. Restart it and try again.")]
    System(&'static str),
}

impl EndReason {
    /// The program's exit code, as `--help` lists them.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped | Self::Moved | Self::Expired | Self::Revoked | Self::Replaced => 0,
            Self::Unreachable(_)
            | Self::Screen(_)
            | Self::System(_)
            | Self::TooMany
            | Self::Interfered
            | Self::Covered => 1,
            Self::Declined => 4,
            Self::PinOver
            | Self::UnknownPin
            | Self::Taken
            | Self::NotItsProgram
            | Self::Blocked => 5,
        }
    }

    /// What the technician is told of it; none where their side ended it, or knows.
    pub const fn for_the_technician(&self) -> Option<SharingEnd> {
        match self {
            Self::Stopped => Some(SharingEnd::Stopped),
            Self::Moved => Some(SharingEnd::Moved),
            Self::Interfered => Some(SharingEnd::Interfered),
            Self::Covered => Some(SharingEnd::Covered),
            Self::Screen(_) | Self::System(_) => Some(SharingEnd::Failed),
            Self::Declined
            | Self::Expired
            | Self::PinOver
            | Self::UnknownPin
            | Self::Revoked
            | Self::Replaced
            | Self::Taken
            | Self::NotItsProgram
            | Self::Blocked
            | Self::TooMany
            | Self::Unreachable(_) => None,
        }
    }

    /// Whether nobody comes back to this session, so that what was kept for that can go.
    pub const fn is_for_good(&self) -> bool {
        match self {
            Self::Expired
            | Self::PinOver
            | Self::UnknownPin
            | Self::Revoked
            | Self::Moved
            | Self::Interfered => true,
            Self::Stopped
            | Self::Declined
            | Self::Replaced
            | Self::Taken
            | Self::NotItsProgram
            | Self::Blocked
            | Self::TooMany
            | Self::Unreachable(_)
            | Self::Screen(_)
            | Self::Covered
            | Self::System(_) => false,
        }
    }

    /// Whether a window shows the reason. It doesn't if the customer has just caused the end.
    pub const fn is_news(&self) -> bool {
        !matches!(self, Self::Stopped | Self::Declined)
    }

    /// Whether another start of the same file could succeed; then the file must not be removed.
    pub const fn may_be_tried_again(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Screen(_)
            | Self::System(_)
            | Self::TooMany
            | Self::Taken
            | Self::Covered
            | Self::Blocked => true,
            Self::Stopped
            | Self::Declined
            | Self::Expired
            | Self::PinOver
            | Self::UnknownPin
            | Self::Revoked
            | Self::Replaced
            | Self::Moved
            | Self::Interfered
            | Self::NotItsProgram => false,
        }
    }
}

fn sentence(error: &ScreenError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}
