//! What happens because time passes: sides go offline, PINs expire, and what is too old is forgotten.

use serve::Millis;
use wire::Side;

use super::{Hub, change::Change, messages::ServerMessage, records::Write, session::Life};

impl Hub {
    /// Applies every deadline that has passed: graces that are over, PINs that have expired.
    pub fn fire_elapsed(&mut self, now: Millis) -> Change {
        let grace = self.settings.durations.offline_grace;
        let mut change = Change::default();
        let mut expired = Vec::new();
        for (pin, entry) in &mut self.sessions {
            let life = entry.session.life(now);
            for side in [Side::Presenter, Side::Viewers] {
                let (gone, fired) = match life {
                    Life::Live => entry.session.expire_side(side, now, grace),
                    // Consoles see who is there all the same, but none of its hooks may fire any more.
                    Life::Expired | Life::Revoked => {
                        (entry.session.expire_presence(side, now, grace), None)
                    }
                };
                if gone {
                    change.add_presence(pin, &entry.session, side);
                    change.add_fired(pin, &entry.session, fired);
                }
            }
            match life {
                // The connections of a session that was revoked were hung up then.
                Life::Live | Life::Revoked => {}
                Life::Expired => {
                    // Once, or every console would be told of every old session at each deadline.
                    if !std::mem::replace(&mut entry.expiry_announced, true) {
                        change.changed.push(pin.clone());
                    }
                    expired.push(pin.clone());
                }
            }
            entry.chat.forget_old(now);
        }
        for pin in expired {
            change.notices.extend(self.hang_up_session(&pin, &ServerMessage::expired()));
        }
        change
    }

    /// When [`Hub::fire_elapsed`] has something to do next.
    pub fn next_deadline(&self, now: Millis) -> Option<Millis> {
        let grace = self.settings.durations.offline_grace;
        let deadline = self.sessions.values().filter_map(|entry| {
            let leaving = entry.session.next_deadline(grace);
            let expires = match entry.session.life(now) {
                Life::Live => Some(entry.session.expires),
                Life::Expired | Life::Revoked => None,
            };
            leaving.into_iter().chain(expires).min()
        });
        deadline.min()
    }

    /// Forgets what is too old to matter: a session a day after its chat could last be fetched, so that whoever
    /// comes late is told that the PIN has expired, and not that there is none.
    pub fn forget_old(&mut self, now: Millis) -> Change {
        let keep = self.settings.durations.chat_life * 2;
        let before = Millis(now.0 - Millis(0).after(keep).0);
        let mut changed = Vec::new();
        self.sessions.retain(|pin, entry| {
            let remembered = entry.session.expires >= before;
            if !remembered {
                changed.push(pin.clone());
            }
            remembered
        });
        // After the sessions, on which tickets depend.
        self.tickets.retain_sessions(|pin| self.sessions.contains_key(pin));
        self.outbox.forget_before(before);
        let write = Write::Forget { sessions_before: before, messages_before: now };
        Change { changed, ..Change::with_write(write) }
    }
}
