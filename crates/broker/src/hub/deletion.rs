//! A console deletes a session: what was written in it, who was there and whom it was about is forgotten at once. The
//! PIN is over, and is remembered as such as long as any other.

use serve::{Client, Millis};
use wire::Pin;

use super::{
    Hub, change::Change, credential::KeyHash, messages::ServerMessage, records::Write,
    refusal::Refused,
};

impl Hub {
    /// Deletes what is kept of a session, which is over then. May be repeated.
    pub fn delete_session(
        &mut self,
        client: Client,
        console: Option<&KeyHash>,
        pin: &Pin,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.check_console(client, console, pin, now)?;
        let notices = self.hang_up_session(pin, &ServerMessage::revoked());
        let entry = self.sessions.get_mut(pin).ok_or(Refused::PinOver)?;
        self.live.remove(entry.place);
        entry.session.empty();
        entry.chat.empty();
        self.tickets.forget_session(pin);
        self.outbox.forget_session(pin);
        self.reschedule(pin);
        Ok(Change { notices, ..Change::of_session(pin, Write::Deleted { pin: pin.clone() }) })
    }
}
