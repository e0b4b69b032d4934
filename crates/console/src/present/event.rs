//! Events for people and scripts. The session crate declares each event's name and text; this
//! module puts them into the shapes that the window and scripts get. Never a PIN.

use engine::journal::EventRecord;
use session::{LogContext, PresenceChange, Timestamp};
use wire::Side;

use super::Setting;
use crate::{
    view::{EventView, LogLine, SideView},
    words,
};

/// The event of the session called `name`, as subscribers get it.
pub fn happening(of: &EventRecord, name: &str) -> EventView {
    let facts = of.event.facts();
    let session::event::Notice { text, notify } = facts.notice(name);
    EventView {
        overtaken: facts.overtaken().is_some(),
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

/// The events that a session's log shows, each at its own place: one that something newer has overtaken comes before
/// that, however late it was told.
pub fn logged(happenings: &[EventRecord]) -> Vec<&EventRecord> {
    let mut ordered: Vec<&EventRecord> = Vec::with_capacity(happenings.len());
    for (at, happening) in happenings.iter().enumerate() {
        if happening.event.facts().is_logged() {
            let place = place(&ordered, happening, &happenings[at + 1..]);
            ordered.insert(place, happening);
        }
    }
    ordered
}

fn place(before: &[&EventRecord], happening: &EventRecord, after: &[EventRecord]) -> usize {
    let facts = happening.event.facts();
    let Some(overtaken) = facts.overtaken() else { return before.len() };
    let reported = |other: &EventRecord| match other.event.facts().presence_change() {
        Some(PresenceChange::Reported(hook)) => facts.side() == Some(hook.side()),
        Some(_) | None => false,
    };
    // Whatever overtook it is of its side: it was told right after it, in the same turn, or before it. Where none is
    // found, it was told when nobody knew anything.
    let follows = after.iter().take_while(|other| other.at == happening.at).any(reported);
    let newer = if follows { None } else { before.iter().rposition(|other| reported(other)) };
    let newer = newer.unwrap_or(before.len());
    let own = overtaken.at.and_then(|at| before.iter().position(|other| when(other) > at));
    own.map_or(newer, |own| own.min(newer))
}

/// When it happened, as far as that is known; else when it was told.
pub fn when(of: &EventRecord) -> Timestamp {
    let own = of.event.facts().overtaken().and_then(|overtaken| overtaken.at);
    own.unwrap_or(of.at)
}

/// A line of the session's log; `by` is the person who requested the session.
pub fn line(of: &EventRecord, by: &str, setting: &Setting<'_>) -> LogLine {
    let context = LogContext { created_by: by, at: when(of), clock: &|at| setting.clock(at) };
    let session::event::LogLine { text, is_failure } = of.event.facts().log_line(&context);
    LogLine { seq: of.seq, at: when(of).0, text, bad: is_failure }
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
    use engine::SessionId;
    use session::{Event, Overtaken, PresenceEvent};

    use super::*;

    #[test]
    fn what_was_overtaken_stands_at_its_own_place_in_the_log() {
        let record = |seq, at, event: PresenceEvent| {
            let (at, session) = (Timestamp(at), SessionId::from_bytes([0; 16]));
            EventRecord { seq, session, at, event: Event::Presence(event) }
        };
        let late = |at: Option<i64>| Some(Overtaken { at: at.map(Timestamp) });
        let happenings = [
            record(1, 100, PresenceEvent::ViewerJoined { again: false, overtaken: None }),
            record(2, 500, PresenceEvent::PresenterOffline { overtaken: None, left: None }),
            // When it was is known, or only that it was before what overtook it.
            record(
                3,
                600,
                PresenceEvent::PresenterOnline { again: false, overtaken: late(Some(50)) },
            ),
            record(4, 600, PresenceEvent::PresenterOnline { again: false, overtaken: late(None) }),
            record(5, 700, PresenceEvent::ViewersGone { overtaken: None, left: None }),
            // Told in one turn, the newer one last: one came and left while nobody looked.
            record(
                6,
                900,
                PresenceEvent::ViewerJoined { again: false, overtaken: late(Some(800)) },
            ),
            record(7, 900, PresenceEvent::ViewersGone { overtaken: None, left: None }),
        ];
        let ordered = logged(&happenings);
        let places: Vec<_> = ordered.iter().map(|record| (record.seq, when(record).0)).collect();
        let expected = [(3, 50), (1, 100), (4, 600), (2, 500), (5, 700), (6, 800), (7, 900)];
        assert_eq!(places, expected);
    }

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
