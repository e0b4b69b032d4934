//! A row of the session list.

use engine::Snapshot;
use session::SessionStatus;

use super::{Setting, hooks, name, state, verify};
use crate::view::SessionRow;

/// The row of `snapshot`.
pub fn view(snapshot: &Snapshot, revision: u64, unread: u32, setting: &Setting<'_>) -> SessionRow {
    let record = &snapshot.record;
    let word = SessionStatus::new(record, setting.now);
    let sharing = snapshot.facts.as_ref().map(|facts| facts.sharing);
    let told = snapshot.facts.as_ref().filter(|_| record.is_live());
    let waiting = told.and_then(|facts| u32::try_from(facts.waiting.len()).ok());
    SessionRow {
        id: snapshot.id.to_string(),
        revision,
        name: name(&record.about, record.created, setting),
        state: state::view(&word, snapshot.windows, sharing, setting),
        active_at: snapshot.active_at.0,
        timer_since: state::timer(&word),
        unread,
        waiting: waiting.unwrap_or(0),
        hook_lost: record.is_live() && hooks::is_lost(&snapshot.lamps),
        verified: snapshot.gate.verified(record, setting.now).map(verify::who),
        live: state::is_live(&word),
    }
}
