//! What happens because time passes: sides go offline, PINs expire, and what is too old is forgotten.

use serve::Millis;
use wire::{Pin, Side};

use super::{Hub, change::Change, messages::ServerMessage, records::Write, session::Life};

/// How many sessions are looked at before others get at the hub.
const AT_ONCE: usize = 128;

impl Hub {
    /// Applies deadlines that have passed: graces that are over, PINs that have expired, sessions that are forgotten.
    /// There may be more, if [`Hub::next_deadline`] has passed still.
    pub fn fire_elapsed(&mut self, now: Millis) -> Change {
        let mut change = Change::default();
        for pin in self.deadlines.take_due(now, AT_ONCE) {
            self.elapse(&pin, now, &mut change);
            self.reschedule(&pin);
        }
        change
    }

    fn elapse(&mut self, pin: &Pin, now: Millis, change: &mut Change) {
        let grace = self.settings.durations.offline_grace;
        let forgotten = self.forgotten_before(now);
        let Some(entry) = self.sessions.get_mut(pin) else { return };
        if entry.session.expires < forgotten {
            self.live.remove(entry.place);
            self.kept.remove(entry.session.minter);
            self.sessions.remove(pin);
            self.tickets.forget_session(pin);
            return change.changed.push(pin.clone());
        }
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
        entry.chat.forget_old(now);
        match life {
            // The connections of a session that was revoked were hung up then.
            Life::Live | Life::Revoked => {}
            Life::Expired => {
                self.live.remove(entry.place);
                // Once, or a console would be told of an old session at each of its deadlines.
                if !std::mem::replace(&mut entry.expiry_announced, true) {
                    change.changed.push(pin.clone());
                }
                change.notices.extend(self.hang_up_session(pin, &ServerMessage::expired()));
            }
        }
    }

    /// Something has changed on which the session's next deadline depends.
    pub(super) fn reschedule(&mut self, pin: &Pin) {
        let durations = self.settings.durations;
        let Some(entry) = self.sessions.get(pin) else { return self.deadlines.remove(pin) };
        let leaving = entry.session.next_deadline(durations.offline_grace);
        let is_over = entry.session.revoked || entry.expiry_announced;
        let expires = (!is_over).then_some(entry.session.expires);
        // The memory of a chat is given back once, when all of it is too old.
        let chat = is_over.then(|| entry.chat.last_ends()).flatten();
        // A moment later, as long as the session must be remembered.
        let forgotten = Millis(entry.session.expires.after(durations.chat_life * 2).0 + 1);
        let next = leaving.into_iter().chain(expires).chain(chat).fold(forgotten, Millis::min);
        self.deadlines.set(pin, next);
    }

    /// When [`Hub::fire_elapsed`] has something to do next.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.next()
    }

    /// Forgets what is too old to matter on the disk and in the outbox.
    pub fn forget_old(&mut self, now: Millis) -> Change {
        let before = self.forgotten_before(now);
        self.outbox.forget_before(before);
        Change::with_write(Write::Forget { sessions_before: before, messages_before: now })
    }

    /// A session is forgotten a day after its chat could last be fetched, so that whoever comes late is told that the
    /// PIN has expired, and not that there is none.
    fn forgotten_before(&self, now: Millis) -> Millis {
        let keep = self.settings.durations.chat_life * 2;
        Millis(now.0 - Millis(0).after(keep).0)
    }
}
