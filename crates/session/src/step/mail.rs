//! E-mails: ordered, due, sent. Each call is made at most once, unless a person wants it made again.

use wire::HookType;

use super::Turn;
use crate::{
    Effect, Failure, MailEvent, Presenter,
    mail::{MOST, Order, Status, Template, When},
};

/// So many ids of mails are kept for a standing rule.
const MOST_IDS: usize = 64;

impl Turn {
    /// Takes an order; its number is given here.
    pub(super) fn mail_ordered(&mut self, order: Order) {
        let orders = &mut self.state.record.mail;
        // A script could order without end, and the record is written whole with every turn.
        if orders.len() >= MOST {
            return;
        }
        // Withdrawn orders leave the list, so its length would give a number twice.
        let id = orders.iter().map(|order| order.id).max().unwrap_or(0).saturating_add(1);
        orders.push(Order { id, ..order });
        self.mails_that_need_only_a_pin();
    }

    /// Orders without an event to wait for go out as soon as there is a PIN to send.
    pub(super) fn mails_that_need_only_a_pin(&mut self) {
        if !self.state.record.is_live() {
            return;
        }
        for place in 0..self.state.record.mail.len() {
            let order = &self.state.record.mail[place];
            if order.when == When::Now && order.status == Status::Waiting {
                self.send(place);
            }
        }
    }

    pub(super) fn mail_withdrawn(&mut self, id: u32) {
        self.state.record.mail.retain(|order| match order.status {
            Status::Waiting | Status::Held => order.id != id,
            // A standing rule is still waiting for its next event after it has sent.
            Status::Accepted { .. } if order.when == When::EveryEvent => order.id != id,
            Status::Sending
            | Status::Accepted { .. }
            | Status::MaybeSent
            | Status::Failed { .. } => true,
        });
    }

    /// An event made a claim true: the orders that wait for it go out, each once.
    pub(super) fn mails_due(&mut self, hook: HookType) {
        for place in 0..self.state.record.mail.len() {
            let order = &self.state.record.mail[place];
            let due = order.template.hook() == hook
                && match (order.when, order.status) {
                    (When::NextEvent | When::EveryEvent, Status::Waiting | Status::Held) => true,
                    (
                        When::EveryEvent,
                        Status::Accepted { .. } | Status::Failed { .. } | Status::MaybeSent,
                    ) => true,
                    // A second event during the call must not send the same mail twice.
                    (When::Now, _) | (_, Status::Sending) | (When::NextEvent, _) => false,
                };
            if due {
                self.send(place);
            }
        }
    }

    /// A person wants a mail to be sent once more.
    pub(super) fn mail_repeated(&mut self, id: u32) {
        let orders = &self.state.record.mail;
        let place = orders.iter().position(|order| order.id == id && order.can_be_repeated());
        if let Some(place) = place.filter(|_| self.state.record.is_live()) {
            self.send(place);
        }
    }

    /// The service accepted a mail, and gave it an id where it tells what becomes of it.
    pub(super) fn mail_accepted(&mut self, id: u32, mail: Option<String>) {
        let now = self.now;
        let Some(order) = self.settle(id, Status::Accepted { at: now }) else { return };
        keep_id(order, mail);
        let template = order.template;
        self.tell(MailEvent::MailSent { id, template });
        self.follow_mails();
    }

    pub(super) fn mail_failed(&mut self, id: u32, failure: Failure) {
        let maybe_sent = failure.leaves_doubt() || failure == Failure::Internal;
        let status = if maybe_sent { Status::MaybeSent } else { Status::Failed { failure } };
        if self.settle(id, status).is_some() {
            self.tell(MailEvent::MailFailed { id, failure, maybe_sent });
            self.follow_mails();
        }
    }

    /// After a start: mails that were being sent may have been sent.
    pub(super) fn interrupted_mails(&mut self) {
        let interrupted: Vec<u32> = self
            .state
            .record
            .mail
            .iter()
            .filter(|order| order.status == Status::Sending)
            .map(|order| order.id)
            .collect();
        for id in interrupted {
            // This failure leaves open whether the mail was sent, so it isn't sent again by itself.
            self.mail_failed(id, Failure::Internal);
        }
    }

    /// After the gate may have opened: sends held mails whose claim is true now; the others wait
    /// for their claim again.
    pub(super) fn release_mails(&mut self) {
        if self.holds_mails() {
            return;
        }
        let online = matches!(self.state.record.presenter, Presenter::Online { .. });
        for place in 0..self.state.record.mail.len() {
            let order = &mut self.state.record.mail[place];
            match (order.status, order.when) {
                (Status::Held, When::Now) => self.send(place),
                (Status::Held, When::NextEvent | When::EveryEvent) if online => self.send(place),
                (Status::Held, When::NextEvent | When::EveryEvent) => {
                    order.status = Status::Waiting;
                }
                (
                    Status::Waiting
                    | Status::Sending
                    | Status::Accepted { .. }
                    | Status::MaybeSent
                    | Status::Failed { .. },
                    _,
                ) => {}
            }
        }
    }

    /// A guard was set after the turn that sent this mail, and before the call.
    pub(super) fn mail_held(&mut self, id: u32) {
        if self.settle(id, Status::Held).is_some() {
            // The guard may have been lifted meanwhile.
            self.release_mails();
        }
    }

    fn holds_mails(&self) -> bool {
        self.state.gate.holds_mails(&self.state.record, self.now).is_some()
    }

    fn send(&mut self, place: usize) {
        let held = self.holds_mails();
        let Some(order) = self.state.record.mail.get_mut(place) else { return };
        // A colleague's mail has the viewer's link in it; a customer's has not.
        if held && order.template == Template::ToColleague {
            order.status = Status::Held;
            return;
        }
        order.status = Status::Sending;
        order.fate = None;
        let (id, to, template, name) =
            (order.id, order.to.clone(), order.template, order.name.clone());
        self.do_(Effect::SendMail { id, to, template, name });
    }

    fn settle(&mut self, id: u32, status: Status) -> Option<&mut Order> {
        let order = self
            .state
            .record
            .mail
            .iter_mut()
            .find(|order| order.id == id && order.status == Status::Sending)?;
        order.status = status;
        Some(order)
    }
}

pub(super) fn keep_id(order: &mut Order, mail: Option<String>) {
    if order.ids.len() == MOST_IDS {
        order.ids.remove(0);
    }
    order.ids.extend(mail);
}
