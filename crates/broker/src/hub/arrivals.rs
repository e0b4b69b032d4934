//! What the broker sees of a customer before a program of theirs is online: their page, the download, the question.

use serve::{Client, Millis};
use wire::{Pin, shared_screen::SharingEnd};

use super::{
    Hub,
    change::{Change, Notice},
    connections::{Link, Participant},
    customer::{Answer, Customer},
    messages::ServerMessage,
    presence::ConnectionId,
    refusal::Refused,
};

/// Somebody who counts for no presence connects; true if the customer has come further by it.
pub(super) fn arrives(
    customer: &mut Customer,
    participant: &Participant,
    id: ConnectionId,
    now: Millis,
) -> bool {
    match participant {
        Participant::Companion => customer.page_opened(id, now),
        Participant::Asking => customer.asked(id, now),
        Participant::Presenter(_) | Participant::Viewer(_) => return false,
    }
    true
}

/// The connection of somebody who counts for no presence ends; true if that changes how far the customer has come.
pub(super) fn departs(
    customer: &mut Customer,
    participant: &Participant,
    id: ConnectionId,
    now: Millis,
) -> bool {
    match participant {
        Participant::Companion => {
            customer.page_closed(id, now);
            true
        }
        Participant::Asking => customer.stopped_asking(id),
        Participant::Presenter(_) | Participant::Viewer(_) => false,
    }
}

impl Hub {
    /// The customer answers the question that a program asks.
    pub fn answer_question(
        &mut self,
        id: ConnectionId,
        answer: Answer,
        now: Millis,
    ) -> Result<Change, Refused> {
        let connection = self.connections.get(id).ok_or(Refused::PinOver)?;
        if !matches!(connection.participant, Participant::Asking) {
            return Err(Refused::malformed("only a program that asks may report an answer"));
        }
        let pin = connection.pin.clone();
        Ok(self.customer_changed(&pin, |customer| customer.answered(id, answer, now)))
    }

    /// The program is downloaded by whoever has this PIN.
    pub fn note_download(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.live(client, pin, now)?;
        Ok(self.customer_changed(pin, |customer| {
            customer.downloaded(now);
            true
        }))
    }

    /// A program was refused, since another one holds its place; both ends are told.
    pub fn note_other_program(&mut self, pin: &Pin, now: Millis) -> Change {
        let mut change = self.customer_changed(pin, |customer| {
            customer.saw_other_program(now);
            true
        });
        if let Some((to, _)) = self.presenter_program(pin) {
            change.notices.push(Notice::Send { to, message: ServerMessage::OtherProgram });
        }
        change
    }

    /// The presenter's program is about to leave, and says why it ends the sharing. Nobody else's word counts, nor
    /// that of a program whose connection was hung up: another may have its place by now.
    pub fn note_sharing_end(&mut self, id: ConnectionId, why: SharingEnd, now: Millis) -> Change {
        let program = self
            .connections
            .get(id)
            .filter(|one| one.link == Link::Open && one.participant.as_program().is_some());
        let Some(pin) = program.map(|program| program.pin.clone()) else {
            return Change::default();
        };
        if why == SharingEnd::Moved {
            self.give_place_up(&pin);
        }
        self.customer_changed(&pin, |customer| {
            customer.ended_sharing(why, now);
            true
        })
    }

    fn customer_changed(
        &mut self,
        pin: &Pin,
        happens: impl FnOnce(&mut Customer) -> bool,
    ) -> Change {
        let mut change = Change::default();
        let Some(entry) = self.sessions.get_mut(pin) else { return change };
        if happens(&mut entry.session.customer) {
            change.add_customer(pin, &entry.session);
        }
        change
    }
}
