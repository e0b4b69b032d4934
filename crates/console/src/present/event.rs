//! Events for people and scripts. The session crate declares each event's name and text; this
//! module puts them into the shapes that the window and scripts get. Never a PIN.

use session::LogContext;
use wire::Side;

use super::Setting;
use crate::view::{EventView, LogLine, SideView};

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
