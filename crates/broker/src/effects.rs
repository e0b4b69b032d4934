//! Carrying out the effects of a change that is on disk: hooks, rosters, chat messages, e-mail.

use std::{sync::Arc, time::Duration};

use serve::{Client, Fault};
use uuid::Uuid;
use wire::{HookType, Pin};

use crate::{
    coordinator::Coordinator,
    hub::{
        change::Effect,
        hooks::HookDelivery,
        messages::ServerMessage,
        outbox::{Mail, Template, compose},
        refusal::Refused,
        service_calls::MailRequest,
        text,
    },
    smtp,
};

impl Coordinator {
    pub(crate) fn perform(self: &Arc<Self>, effect: Effect) {
        match effect {
            Effect::Deliver(delivery) => {
                if let Some(delivery) = self.deliverer.admit(delivery) {
                    self.spawn_delivery(delivery);
                }
            }
            Effect::SendRoster(pin) => self.notify(|hub| hub.roster_notices(&pin)),
            Effect::SendChat(pin, message) => {
                self.notify(|hub| hub.notices_for(&pin, &ServerMessage::Chat { message }));
            }
            Effect::SendMail(mail) => self.spawn_mail(mail),
        }
    }

    /// Lets held deliveries go, in the order in which their hooks fired.
    pub(crate) fn release_deliveries(self: &Arc<Self>) {
        self.deliverer.release().into_iter().for_each(|delivery| self.spawn_delivery(delivery));
    }

    fn spawn_delivery(self: &Arc<Self>, delivery: HookDelivery) {
        let (this, in_flight) = (Arc::clone(self), self.deliverer.begin());
        tokio::spawn(async move {
            let _in_flight = in_flight;
            // Taken first, so that a delivery that waits itself lets the one before it go.
            let waiting = this.reordered.lock().take();
            match this.faults.take("deliver") {
                // A status and a lost answer are the receiver's faults, and nobody reads its answer here.
                None | Some(Fault::Status { .. } | Fault::DropAnswer) => {
                    this.deliver(&delivery).await
                }
                Some(Fault::Delay { ms }) => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    this.deliver(&delivery).await;
                }
                Some(Fault::Drop) => {}
                Some(Fault::Duplicate) => {
                    this.deliver(&delivery).await;
                    this.deliver(&delivery).await;
                }
                Some(Fault::Reorder) => *this.reordered.lock() = Some(delivery),
            }
            if let Some(earlier) = waiting {
                this.deliver(&earlier).await;
            }
        });
    }

    async fn deliver(self: &Arc<Self>, delivery: &HookDelivery) {
        let fired = &delivery.fired;
        let Some(to) = self.own_mail_address(&fired.url) else {
            return self.deliverer.post(delivery).await;
        };
        let template = match fired.hook {
            HookType::PresenterStarted => Template::PresenterStarted,
            HookType::ViewerStarted => Template::ViewerStarted,
            // `/email` has no text for these.
            HookType::PresenterOffline | HookType::ViewerOffline => return,
        };
        // A name that may not be in a mail is left out; the mail is sent all the same.
        let name = text::mail_name(&fired.name).unwrap_or_default();
        // Counted for the minter of the session, since no client made this call.
        let queued = self.queue_mail(delivery.minter, &to, template, name, &delivery.pin).await;
        if let Err(refused) = queued {
            tracing::warn!(hook = %fired.hook, %refused, "the hook's e-mail was not kept");
        }
    }

    /// Puts an e-mail into the outbox, and sends it if it can be sent.
    pub(crate) async fn queue_mail(
        self: &Arc<Self>,
        client: Client,
        to: &str,
        template: Template,
        name: &str,
        pin: &Pin,
    ) -> Result<(), Refused> {
        let to =
            smtp::address(to).ok_or_else(|| Refused::malformed("this is not an e-mail address"))?;
        let name =
            text::mail_name(name).map_err(|refused| Refused::malformed(refused.to_string()))?;
        let (subject, body) = compose(template, name, pin, &self.mail_links(pin));
        let (id, to) = (Uuid::new_v4(), to.to_string());
        let request = MailRequest { id, to, pin, subject, body };
        self.apply(|hub, now| hub.queue_mail(client, request, now)).await
    }

    fn spawn_mail(self: &Arc<Self>, mail: Mail) {
        let (this, in_flight) = (Arc::clone(self), self.deliverer.begin());
        tokio::spawn(async move {
            let _in_flight = in_flight;
            let Some(mailer) = &this.mailer else { return };
            let state = mailer.send(&mail).await;
            this.record(|hub, _| hub.set_mail_state(mail.id, state)).await;
        });
    }
}
