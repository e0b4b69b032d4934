//! E-mails: which are accepted, and what becomes of each.

use std::time::Duration;

use serve::{Client, Millis};
use uuid::Uuid;
use wire::Pin;

use super::{
    Hub,
    change::{Change, Effect},
    outbox::{Mail, MailState, OutboxFull},
    records::Write,
    refusal::Refused,
    session::Life,
};

/// What is said of an e-mail that was being handed over when the broker's last run ended.
const INTERRUPTED: &str = "the broker ended while it handed this e-mail to the mail server, so it is not known whether the \
     server took it; send it again if it did not arrive";
/// What is said of an e-mail that waits for a mail server which isn't configured any more.
const NO_SERVER_NOW: &str =
    "no mail server is configured any more; set one and send the e-mail again";
const REVOKED: &str = "the session was ended before the mail server took this e-mail";
const EXPIRED: &str = "the session's PIN was over before the mail server took this e-mail";

const TOO_MANY: &str = "too many e-mails were asked for in this time, so this one is not sent";

/// An e-mail that a client asks for.
#[derive(Clone)]
pub(crate) struct MailRequest<'a> {
    pub id: Uuid,
    pub to: String,
    pub pin: &'a Pin,
    pub subject: String,
    pub body: String,
}

impl MailRequest<'_> {
    fn mail(self, state: MailState, at: Millis) -> Mail {
        let Self { id, to, pin, subject, body } = self;
        Mail { id, pin: Some(pin.clone()), at, to, subject, body, state }
    }
}

impl Hub {
    /// Puts an e-mail into the outbox, and has it sent if it can be sent.
    pub fn queue_mail(
        &mut self,
        client: Client,
        request: MailRequest<'_>,
        now: Millis,
    ) -> Result<Change, Refused> {
        let pin = request.pin;
        self.managed(client, pin, now)?;
        self.count_mail(client, pin, &request.to, now).map_err(Refused::too_many)?;
        let sends = self.settings.sends_mail;
        let state = if sends { MailState::Sending } else { MailState::Unsent };
        let mail = request.mail(state, now);
        self.outbox.add(mail.clone()).map_err(|OutboxFull| Refused::OutboxFull)?;
        let effects = if sends { vec![Effect::SendMail(mail.clone())] } else { Vec::new() };
        Ok(Change { effects, ..Change::of_session(pin, Write::MailQueued { mail }) })
    }

    /// Lists an e-mail that nobody waits for an answer to, and that is not sent, with the reason.
    pub fn refuse_mail(
        &mut self,
        request: MailRequest<'_>,
        refused: &Refused,
        now: Millis,
    ) -> Change {
        let pin = request.pin;
        let reason = match refused {
            // Nobody waits to try again, and the seconds would make each of them another reason.
            Refused::TooMany { .. } => TOO_MANY.to_owned(),
            other => other.to_string(),
        };
        let mail = request.mail(MailState::Failed(reason), now);
        // Without a session nobody would be told. Where no room is left, what waits for its turn is worth more.
        let is_listed = !self.is_revoked(pin)
            && !self.outbox.has_refused(&mail)
            && self.outbox.add(mail.clone()).is_ok();
        if !is_listed {
            return Change::default();
        }
        Change::of_session(pin, Write::MailQueued { mail })
    }

    /// Counts an e-mail by everything that has a limit, or by nothing if one of them is used up.
    fn count_mail(
        &mut self,
        client: Client,
        pin: &Pin,
        to: &str,
        now: Millis,
    ) -> Result<(), Duration> {
        let (rates, usage) = (self.rates(client), &mut self.usage);
        let (mailbox, is_local) = (mailbox(to), client.is_this_machine());
        usage.mail_by_pin.check(pin, rates.mail_by_pin, now)?;
        usage.mail_by_recipient.check(&mailbox, rates.mail_by_recipient, now)?;
        // Before the last one, which is everybody's: who has used up their own share takes nothing of it.
        usage.mail_by_client.check(client, rates.mail_by_client, 1, now)?;
        usage.mail_in_all.admit(&is_local, rates.mail_in_all, now)?;
        usage.mail_by_pin.record(pin, rates.mail_by_pin.per, now);
        usage.mail_by_recipient.record(&mailbox, rates.mail_by_recipient.per, now);
        usage.mail_by_client.record(client, rates.mail_by_client.per, now);
        Ok(())
    }

    /// Records what became of an e-mail.
    pub fn set_mail_state(&mut self, id: Uuid, state: MailState) -> Change {
        let pin = self.outbox.set_state(id, state.clone());
        let write = Write::MailChanged { id, state };
        Change { changed: pin.into_iter().collect(), ..Change::with_write(write) }
    }

    /// Refuses what waits for its next attempt, since its session was ended.
    pub fn refuse_waiting_mails(&mut self, pin: &Pin) -> Vec<Write> {
        let state = || MailState::Failed(REVOKED.to_owned());
        let waiting = self.outbox.waiting_of(pin).into_iter();
        waiting.flat_map(|id| self.set_mail_state(id, state()).writes).collect()
    }

    /// Gives up an e-mail for which there is no mail server any more.
    pub fn give_up_mail(&mut self, id: Uuid) -> Change {
        self.set_mail_state(id, MailState::Failed(NO_SERVER_NOW.to_owned()))
    }

    /// The e-mail, if it still has to be handed to the mail server; its next attempt begins.
    pub fn begin_mail_attempt(&mut self, id: Uuid, now: Millis) -> (Option<Mail>, Change) {
        let Some(mail) = self.outbox.get(id).cloned() else { return (None, Change::default()) };
        if !mail.state.is_pending() {
            return (None, Change::default());
        }
        // Its link would lead to nothing.
        let over = mail.pin.as_ref().and_then(|pin| match self.sessions.get(pin) {
            None => Some(REVOKED),
            Some(entry) => match entry.session.life(now) {
                Life::Revoked => Some(REVOKED),
                Life::Expired => Some(EXPIRED),
                Life::Live => None,
            },
        });
        if let Some(why) = over {
            return (None, self.set_mail_state(id, MailState::Failed(why.to_owned())));
        }
        (Some(mail), self.set_mail_state(id, MailState::Sending))
    }

    /// What becomes of the e-mails that an earlier run didn't finish.
    pub fn resume_mails(&mut self) -> Change {
        let sends = self.settings.sends_mail;
        let mut change = Change::default();
        let unfinished: Vec<Mail> = self.outbox.iter().cloned().collect();
        for mail in unfinished {
            let state = match mail.state {
                MailState::Waiting(_) if sends => {
                    change.effects.push(Effect::SendMail(mail));
                    continue;
                }
                MailState::Waiting(_) => MailState::Failed(NO_SERVER_NOW.to_owned()),
                MailState::Sending => MailState::Failed(INTERRUPTED.to_owned()),
                MailState::Unsent | MailState::Sent | MailState::Failed(_) => continue,
            };
            let set = self.set_mail_state(mail.id, state);
            change.writes.extend(set.writes);
            change.changed.extend(set.changed);
        }
        change
    }
}

/// The mailbox that an address leads to, as far as can be known: most servers take what follows a `+` for a note, and
/// none tells capital letters apart.
fn mailbox(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let mailbox = local.split('+').next().filter(|before| !before.is_empty()).unwrap_or(local);
    format!("{mailbox}@{domain}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::hub::{
        limits::{HubSettings, Rates},
        records::StoredState,
        session::Session,
    };

    const RATES: Rates = Rates::network();

    /// A client of one owner.
    fn client(owner: u16, subnet: u16) -> Client {
        Client::from_ip(Ipv6Addr::new(0x2001, 0xdb8, owner, subnet, 0, 0, 0, 1).into())
    }

    /// A hub whose clients have a session each.
    fn hub() -> Hub {
        Hub::new(HubSettings::default(), StoredState::default())
    }

    fn mail(hub: &mut Hub, client: Client, n: u16, to: &str, now: i64) -> Result<(), Refused> {
        let pin: Pin = format!("7W2-{:02}-{:04}", n / 10_000, n % 10_000).parse().unwrap();
        let life = Duration::from_secs(86_400);
        let session = Session::new("us-east-1".parse().unwrap(), client, Millis(0), life);
        hub.add_session(pin.clone(), session);
        let (subject, body) = (String::new(), String::new());
        let request = MailRequest { id: Uuid::nil(), to: to.into(), pin: &pin, subject, body };
        hub.queue_mail(client, request, Millis(now)).map(drop)
    }

    #[test]
    fn six_hundred_mails_to_one_victim_from_one_owner_are_a_few() {
        let mut hub = hub();
        let spellings = ["victim@example.org", "Victim@Example.org", "victim+1@example.org"];
        let sent = (0..600)
            .filter(|&n| mail(&mut hub, client(1, n), n, spellings[usize::from(n % 3)], 0).is_ok());
        assert_eq!(sent.count(), RATES.mail_by_recipient.times);
        assert!(mail(&mut hub, client(1, 0), 700, "other@example.org", 0).is_ok());
    }

    #[test]
    fn an_owner_and_all_together_send_so_many() {
        let mut hub = hub();
        let to = |n: u16| format!("to{n}@example.org");
        let by_one = (0..600).filter(|&n| mail(&mut hub, client(1, n), n, &to(n), 0).is_ok());
        assert_eq!(by_one.count(), RATES.mail_by_client.times);
        let by_all = (600..9_000).filter(|&n| mail(&mut hub, client(n, 0), n, &to(n), 0).is_ok());
        assert_eq!(by_all.count() + RATES.mail_by_client.times, RATES.mail_in_all.times);
        let local = Client::from_ip([127, 0, 0, 1].into());
        assert!(mail(&mut hub, local, 9_001, &to(9_001), 0).is_ok(), "this machine has its own");
    }

    #[test]
    fn what_waits_for_the_mail_server_is_refused_once_its_pin_is_revoked() {
        let mut hub = hub();
        mail(&mut hub, client(1, 1), 1, "tess@example.org", 0).unwrap();
        drop(hub.set_mail_state(Uuid::nil(), MailState::Waiting("come back later".into())));
        let pin: Pin = "7W2-00-0001".parse().unwrap();
        let change = hub.revoke(client(1, 1), &pin, Millis(1)).unwrap();
        assert!(change.writes.iter().any(|write| matches!(write, Write::MailChanged { .. })));
        let state = hub.outbox.get(Uuid::nil()).unwrap().state.clone();
        assert_eq!(state, MailState::Failed(REVOKED.to_owned()), "at once");
        assert!(hub.begin_mail_attempt(Uuid::nil(), Millis(1)).0.is_none(), "no attempt is made");
    }

    #[test]
    fn what_waits_for_the_mail_server_is_refused_once_its_pin_is_over() {
        let mut hub = hub();
        mail(&mut hub, client(1, 1), 1, "tess@example.org", 0).unwrap();
        let waits = MailState::Waiting("come back later".into());
        drop(hub.set_mail_state(Uuid::nil(), waits.clone()));
        let life = 86_400_000;
        assert!(hub.begin_mail_attempt(Uuid::nil(), Millis(life - 1)).0.is_some());
        drop(hub.set_mail_state(Uuid::nil(), waits));
        assert!(hub.begin_mail_attempt(Uuid::nil(), Millis(life)).0.is_none());
        let state = hub.outbox.get(Uuid::nil()).unwrap().state.clone();
        assert_eq!(state, MailState::Failed(EXPIRED.to_owned()));
    }
}
