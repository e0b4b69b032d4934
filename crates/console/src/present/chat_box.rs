//! Whether the window can write to a session's chat, and where to write instead.

use crate::view::ChatBoxView;

/// The most characters of a message, as our own broker takes it.
pub const LONGEST: u32 = 2_000;

/// Whether the service takes messages from this console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    Yes,
    No,
    /// It hasn't said so far.
    Unknown,
}

impl From<bool> for Sends {
    fn from(able: bool) -> Self {
        if able { Self::Yes } else { Self::No }
    }
}

/// Where to write instead; none where messages can be sent from here.
pub const fn instead(sends: Sends) -> Option<&'static str> {
    match sends {
        Sends::Yes => None,
        Sends::No => Some(
            "Write in the chat of the viewer window: this service takes no messages from here.",
        ),
        Sends::Unknown => Some(
            "Write in the chat of the viewer window: the service hasn't said whether it takes messages from here.",
        ),
    }
}

pub fn view(sends: Sends) -> ChatBoxView {
    let instead = instead(sends).map(str::to_owned);
    ChatBoxView { longest: LONGEST, instead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_place_to_write_or_a_sentence_that_names_one() {
        assert_eq!(view(true.into()).instead, None);
        for sends in [false.into(), Sends::Unknown] {
            assert!(view(sends).instead.is_some_and(|text| text.contains("viewer window")));
        }
    }
}
