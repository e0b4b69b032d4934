//! What becomes of e-mails that the service accepted, as our own broker tells it.

use std::collections::HashSet;

use wire::session_events::{MailFacts, MailState};

use super::{Turn, mail::keep_id};
use crate::{
    MailEvent,
    mail::{Fate, Order, Status, When},
};

impl Turn {
    /// Takes in what the broker last said of the session's mails.
    pub(super) fn follow_mails(&mut self) {
        self.claim_mails();
        for place in 0..self.state.record.mail.len() {
            let order = &self.state.record.mail[place];
            let told = order.ids.last().filter(|_| matches!(order.status, Status::Accepted { .. }));
            let told = told.and_then(|id| self.state.mails.iter().find(|mail| mail.id == *id));
            if let Some(told) = told.cloned() {
                self.take_fate(place, told);
            }
        }
    }

    fn take_fate(&mut self, place: usize, told: MailFacts) {
        let now = self.now;
        let order = &mut self.state.record.mail[place];
        let reason = told.reason.unwrap_or_default();
        let before = order.fate.as_ref().map(|fate| (fate.state, fate.reason.is_empty()));
        if order
            .fate
            .as_ref()
            .is_some_and(|fate| (fate.state, &fate.reason) == (told.state, &reason))
        {
            return;
        }
        order.fate = Some(Fate { state: told.state, reason: reason.clone(), at: now });
        // Each further try is a line in the detail, and no news.
        if before == Some((told.state, reason.is_empty())) {
            return;
        }
        let (id, template) = (order.id, order.template);
        match told.state {
            MailState::Queued if reason.is_empty() => {}
            MailState::Queued => self.tell(MailEvent::MailDelayed { id, template, reason }),
            MailState::NotSent => self.tell(MailEvent::MailKept { id, template }),
            MailState::HandedOver => self.tell(MailEvent::MailHandedOver { id, template }),
            MailState::Refused => self.tell(MailEvent::MailRefused { id, template, reason }),
        }
    }

    /// Gives an order whose call had no answer the mail that came of it, where that can be told: it is the only such
    /// order, and of the broker's mails no other order has this one. Of two nobody can tell which is whose.
    fn claim_mails(&mut self) {
        let now = self.now;
        let orders = &mut self.state.record.mail;
        let in_doubt = |order: &Order| order.status == Status::MaybeSent;
        // The mail may be that of a call under way, of a record without ids, or of a former event of a rule.
        let others = |order: &Order| {
            order.status == Status::Sending || order.is_untold() || order.when == When::EveryEvent
        };
        if !orders.iter().any(in_doubt) || orders.iter().any(others) {
            return;
        }
        let known: HashSet<&String> = orders.iter().flat_map(|order| &order.ids).collect();
        let unclaimed = self.state.mails.iter().filter(|mail| !known.contains(&mail.id));
        let unclaimed: Vec<String> = unclaimed.map(|mail| mail.id.clone()).collect();
        let doubted: Vec<&mut Order> = orders.iter_mut().filter(|order| in_doubt(order)).collect();
        let (Ok([order]), Ok([id])) = (<[_; 1]>::try_from(doubted), <[_; 1]>::try_from(unclaimed))
        else {
            return;
        };
        keep_id(order, Some(id));
        order.status = Status::Accepted { at: now };
    }
}
