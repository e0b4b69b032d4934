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
            match entry.session.life(now) {
                Life::Live => {
                    for side in [Side::Presenter, Side::Viewers] {
                        let (gone, fired) = entry.session.expire_side(side, now, grace);
                        if gone {
                            change.add_presence(pin, &entry.session, side);
                            change.add_fired(pin, &entry.session, fired);
                        }
                    }
                }
                Life::Expired => expired.push(pin.clone()),
                // Its connections were hung up when it was revoked, and none of its hooks may fire any more.
                Life::Revoked => {}
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
        let live = self.sessions.values().filter(|entry| match entry.session.life(now) {
            Life::Live => true,
            Life::Expired | Life::Revoked => false,
        });
        let deadline = live.map(|entry| {
            let expires = entry.session.expires;
            entry.session.next_deadline(grace).map_or(expires, |deadline| deadline.min(expires))
        });
        deadline.min()
    }

    /// Forgets what is too old to matter: a session a day after its chat could last be fetched, so that whoever
    /// comes late is told that the PIN has expired, and not that there is none.
    pub fn forget_old(&mut self, now: Millis) -> Change {
        let keep = self.settings.durations.chat_life * 2;
        let before = Millis(now.0 - Millis(0).after(keep).0);
        self.sessions.retain(|_, entry| entry.session.expires >= before);
        // After the sessions, on which tickets depend.
        self.tickets.retain_sessions(|pin| self.sessions.contains_key(pin));
        self.outbox.forget_before(before);
        Change::with_write(Write::Forget { sessions_before: before, messages_before: now })
    }
}
