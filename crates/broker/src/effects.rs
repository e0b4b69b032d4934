//! Carrying out the effects of a change that is on disk: hooks, rosters, chat messages, e-mail.

use std::sync::Arc;

use serve::Client;
use uuid::Uuid;
use wire::Pin;

use crate::{
    address,
    coordinator::Coordinator,
    delivery::Delivery,
    hub::{
        change::Effect,
        mails::MailRequest,
        messages::ServerMessage,
        outbox::{Template, compose},
        refusal::Refused,
        text,
    },
};

impl Coordinator {
    /// Takes the deliveries out of the effects. They are under way from now on, although they wait for the disk:
    /// whoever is told what has happened, for whatever reason that is looked at, is told with it that a hook comes.
    pub(crate) fn begin_deliveries(&self, effects: Vec<Effect>) -> (Vec<Delivery>, Vec<Effect>) {
        let mut deliveries = Vec::new();
        let mut others = Vec::new();
        for effect in effects {
            match effect {
                Effect::Deliver(hook) => deliveries.push(self.deliverer.begin_delivery(hook)),
                Effect::SendRoster(_) | Effect::SendChat(..) | Effect::SendMail(_) => {
                    others.push(effect);
                }
            }
        }
        (deliveries, others)
    }

    pub(crate) fn perform(self: &Arc<Self>, effect: Effect) {
        match effect {
            Effect::Deliver(hook) => self.pass_on(self.deliverer.begin_delivery(hook)),
            Effect::SendRoster(pin) => self.notify(|hub| hub.roster_notices(&pin)),
            Effect::SendChat(pin, message) => {
                self.with_hub(|hub, _| hub.mark_chat_saved(&pin, message.number));
                self.notify(|hub| hub.notices_for(&pin, &ServerMessage::Chat { message }));
            }
            Effect::SendMail(mail) => self.spawn_mail(mail),
        }
    }

    /// Puts an e-mail into the outbox, and sends it if it can be sent; its id.
    pub(crate) async fn queue_mail(
        self: &Arc<Self>,
        client: Client,
        to: &str,
        template: Template,
        name: &str,
        pin: &Pin,
    ) -> Result<Uuid, Refused> {
        let request = self.mail_request(to, template, name, pin)?;
        let id = request.id;
        self.apply(|hub, now| hub.queue_mail(client, request, now)).await?;
        Ok(id)
    }

    /// Puts the e-mail that a fired hook asks for into the outbox. Nobody waits for an answer, so one that is refused
    /// stands there with the reason, and the console is told.
    pub(crate) async fn queue_hooks_mail(
        self: &Arc<Self>,
        client: Client,
        to: &str,
        template: Template,
        name: &str,
        pin: &Pin,
    ) -> Result<(), Refused> {
        let asked = self.mail_request(to, template, name, pin);
        // As it was asked for, where not even the address can be read.
        let listed = asked.clone().unwrap_or_else(|_| {
            let (subject, _) = compose(template, name, pin, &self.mail_links(pin));
            MailRequest { id: Uuid::new_v4(), to: to.to_owned(), pin, subject, body: String::new() }
        });
        let queued = match asked {
            Ok(request) => self.apply(|hub, now| hub.queue_mail(client, request, now)).await,
            Err(refused) => Err(refused),
        };
        if let Err(refused) = &queued {
            self.record(|hub, now| hub.refuse_mail(listed, refused, now)).await;
        }
        queued.map(drop)
    }

    fn mail_request<'a>(
        &self,
        to: &str,
        template: Template,
        name: &str,
        pin: &'a Pin,
    ) -> Result<MailRequest<'a>, Refused> {
        let to = address::parse(to)
            .map_err(|why| Refused::malformed(format!("this is not an e-mail address: {why}")))?;
        let name =
            text::mail_name(name).map_err(|refused| Refused::malformed(refused.to_string()))?;
        let (subject, body) = compose(template, name, pin, &self.mail_links(pin));
        Ok(MailRequest { id: Uuid::new_v4(), to: to.to_string(), pin, subject, body })
    }
}
