//! Events for people and scripts. The session crate declares each event's name and text; this
//! module puts them into the shapes that the window and scripts get. Never a PIN.

use session::LogContext;
use wire::Side;

use super::Setting;
use crate::{
    view::{EventView, LogLine, SideView},
    words,
};

/// The event of the session called `name`, as subscribers get it.
pub fn happening(of: &engine::journal::EventRecord, name: &str) -> EventView {
    let facts = of.event.facts();
    let session::event::Notice { text, notify } = facts.notice(name);
    EventView {
        seq: of.seq,
        at: of.at.0,
        session: of.session.to_string(),
        name: name.to_owned(),
        event: facts.name().to_owned(),
        text,
        notify,
    }
}

/// The longest text of a message in a notification, in characters.
const LONGEST_MESSAGE: usize = 200;

/// The notification for the newest of `unread` messages in the session called `name`; without `text` it says only
/// who wrote.
pub fn chat_message(name: &str, from: &str, text: Option<&str>, unread: u32) -> String {
    let from = words::plain(from, words::LONGEST_NAME);
    let who = match from.as_str() {
        "" => format!("Somebody in {name}'s session"),
        from if from == name => from.to_owned(),
        from => format!("{from} in {name}'s session"),
    };
    let more = match unread {
        0 | 1 => String::new(),
        many => format!(" ({many} unread messages)"),
    };
    match text.map(|text| words::plain(text, LONGEST_MESSAGE)).filter(|text| !text.is_empty()) {
        Some(text) => format!("{who}: {text}{more}"),
        None => format!("{who} wrote a message{more}"),
    }
}

/// A line of the session's log; `by` is the person who requested the session.
pub fn line(of: &engine::journal::EventRecord, by: &str, setting: &Setting<'_>) -> LogLine {
    let context = LogContext { created_by: by, clock: &|at| setting.clock(at) };
    let session::event::LogLine { text, is_failure } = of.event.facts().log_line(&context);
    LogLine { seq: of.seq, at: of.at.0, text, bad: is_failure }
}

/// The side that an event concerns, if it concerns one.
pub fn side(event: &session::Event) -> Option<SideView> {
    event.facts().side().map(|side| match side {
        Side::Presenter => SideView::Presenter,
        Side::Viewers => SideView::Viewers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_with_its_sender_and_its_text_only_where_that_is_wanted() {
        for (from, text, unread, told) in [
            ("Maria Lopez", Some("It is\nback"), 1, "Maria Lopez: It is back"),
            ("Ben", Some("Hi"), 3, "Ben in Maria Lopez's session: Hi (3 unread messages)"),
            ("Ben", None, 1, "Ben in Maria Lopez's session wrote a message"),
            ("", None, 2, "Somebody in Maria Lopez's session wrote a message (2 unread messages)"),
            ("\u{202E}", Some("\u{200B}"), 1, "Somebody in Maria Lopez's session wrote a message"),
        ] {
            assert_eq!(chat_message("Maria Lopez", from, text, unread), told);
        }
        let long = chat_message("M", "M", Some(&"x".repeat(5000)), 1);
        assert!(long.chars().count() < 250, "{long}");
    }
}
