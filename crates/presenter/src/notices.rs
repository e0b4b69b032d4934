//! What the banner says for a moment.

use seal::SealError;

use crate::{
    exchanges::OneTooMany,
    screen::{ClipboardLoss, NotCarried},
    viewer_stream::StreamError,
};

/// What the customer is told where what they copied can't be sent.
pub(crate) const fn not_sent(why: NotCarried) -> &'static str {
    match why {
        NotCarried::OtherPicture => {
            "The picture that you copied was not sent: it is of another kind than PNG"
        }
        NotCarried::LargePicture => "The picture that you copied was not sent: it is too large",
        NotCarried::LongText => "The text that you copied was not sent: it is too long",
        NotCarried::Other => "What you copied was not sent: it is neither a text nor a picture",
    }
}

/// What the customer is told where a viewer's text or picture took the place of what they had copied, and that
/// doesn't come back as it was.
pub(crate) const fn lost(why: ClipboardLoss) -> &'static str {
    match why {
        ClipboardLoss::Secret => {
            "Your helper put something on the clipboard: the secret that you copied is gone from it"
        }
        ClipboardLoss::TooLarge => {
            "Your helper put something on the clipboard: what you copied is too large to come back"
        }
        ClipboardLoss::Unread => {
            "Your helper put something on the clipboard: what you copied couldn't be kept"
        }
        ClipboardLoss::Part => {
            "Your helper put something on the clipboard: what you copied comes back only in part"
        }
    }
}

/// What the customer is told where viewers are shut out; none where that ends the sharing.
pub(crate) const fn shut_out(which: OneTooMany) -> Option<&'static str> {
    match which {
        OneTooMany::End => None,
        OneTooMany::Guest => {
            Some("A viewer that connected in a wrong way again and again is shut out")
        }
        OneTooMany::Guests => {
            Some("Viewers connected in a wrong way: only your helper can connect now")
        }
    }
}

/// What the customer is told where a viewer can't connect since one end is older than the other.
pub(crate) const fn other_version(error: &StreamError) -> Option<&'static str> {
    let StreamError::Seal(error) = error else { return None };
    match error {
        SealError::Older => {
            Some("A viewer can't connect: their Deskhand is too old and has to be updated")
        }
        SealError::Later => {
            Some("A viewer can't connect: this program is too old, so download it again")
        }
        SealError::Exchange
        | SealError::Commitment
        | SealError::Damaged
        | SealError::TooLong
        | SealError::NoRandomness => None,
    }
}
