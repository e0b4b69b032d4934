//! E-mails: which are accepted, and what becomes of each.

use serve::{Client, Millis};
use uuid::Uuid;
use wire::Pin;

use super::{
    Hub,
    change::{Change, Effect},
    outbox::{Mail, MailState},
    records::Write,
    refusal::Refused,
};

/// What is said of a mail that was being handed over when the broker's last run ended.
const INTERRUPTED: &str = "the broker ended while it handed this mail to the mail server, so it is not known whether the \
     server took it; send it again if it did not arrive";
/// What is said of a mail that waits for a mail server which isn't configured any more.
const NO_SERVER_NOW: &str =
    "no mail server is configured any more; set one and send the mail again";
const REVOKED: &str = "the session was ended before the mail server took this mail";

/// An e-mail that a client asks for.
pub(crate) struct MailRequest<'a> {
    pub id: Uuid,
    pub to: String,
    pub pin: &'a Pin,
    pub subject: String,
    pub body: String,
}

impl Hub {
    /// Puts an e-mail into the outbox, and has it sent if it can be sent.
    pub fn queue_mail(
        &mut self,
        client: Client,
        request: MailRequest<'_>,
        now: Millis,
    ) -> Result<Change, Refused> {
        let MailRequest { id, to, pin, subject, body } = request;
        self.managed(client, pin, now)?;
        let rates = self.rates(client);
        let usage = &mut self.usage;
        // The PIN's limit first: a mail that it refuses must not count against the client's own limit.
        usage.mail_by_pin.admit(pin, rates.mail_by_pin, now).map_err(Refused::too_many)?;
        usage
            .mail_by_client
            .admit(&client, rates.mail_by_client, now)
            .map_err(Refused::too_many)?;
        let sends = self.settings.sends_mail;
        let state = if sends { MailState::Sending } else { MailState::Unsent };
        let mail = Mail { id, pin: Some(pin.clone()), at: now, to, subject, body, state };
        self.outbox.add(mail.clone());
        let effects = if sends { vec![Effect::SendMail(mail.clone())] } else { Vec::new() };
        Ok(Change { effects, ..Change::of_session(pin, Write::MailQueued { mail }) })
    }

    /// Records what became of an e-mail.
    pub fn set_mail_state(&mut self, id: Uuid, state: MailState) -> Change {
        let pin = self.outbox.set_state(id, state.clone());
        let write = Write::MailChanged { id, state };
        Change { changed: pin.into_iter().collect(), ..Change::with_write(write) }
    }

    /// The e-mail, if it still has to be handed to the mail server; its next attempt begins.
    pub fn begin_mail_attempt(&mut self, id: Uuid) -> (Option<Mail>, Change) {
        let Some(mail) = self.outbox.get(id).cloned() else { return (None, Change::default()) };
        let waits = matches!(mail.state, MailState::Sending | MailState::Waiting(_));
        if !waits {
            return (None, Change::default());
        }
        if mail.pin.as_ref().is_some_and(|pin| self.is_revoked(pin)) {
            return (None, self.set_mail_state(id, MailState::Failed(REVOKED.to_owned())));
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
