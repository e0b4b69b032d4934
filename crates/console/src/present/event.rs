//! What happened, for people and scripts. What an event is called and how it is told is said where the event is
//! declared, in the session crate; here it is put into the shapes that the window and scripts get. Never a PIN.

use session::LogContext;
use wire::Side;

use super::Setting;
use crate::view::{EventView, LogLine, SideView};

/// What happened to the session called `name`, as it is told once.
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

/// A line of the session's log; `by` asked for the session.
pub fn line(of: &engine::journal::EventRecord, by: &str, setting: &Setting<'_>) -> LogLine {
    let context = LogContext { created_by: by, clock: &|at| setting.clock(at) };
    let session::event::LogLine { text, is_failure } = of.event.facts().log_line(&context);
    LogLine { seq: of.seq, at: of.at.0, text, bad: is_failure }
}

/// The side that an event speaks of, if it is of one.
pub fn side(event: &session::Event) -> Option<SideView> {
    event.facts().side().map(|side| match side {
        Side::Presenter => SideView::Presenter,
        Side::Viewers => SideView::Viewers,
    })
}
