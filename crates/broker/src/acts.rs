//! What follows from a change once it is on disk: hooks are delivered, pages told, mails sent.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use serve::Fault;
use url::Url;
use wire::{HookType, Pin};

use crate::{
    deliver::Delivery,
    mail::{Links, Mail, Template},
    rules::text,
    state::Act,
    store::Write,
    switchboard::Switchboard,
    words::ToPage,
};

impl Switchboard {
    pub(crate) fn act(self: &Arc<Self>, act: Act) {
        match act {
            Act::Deliver(delivery) => {
                if let Some(delivery) = self.deliverer.admit(delivery) {
                    self.spawn_delivery(delivery);
                }
            }
            Act::TellPresence(pin) => self.lock().0.tell_roster(&pin),
            Act::TellMessage(pin, message) => self.lock().0.tell(&pin, &ToPage::said(message)),
            Act::SendMail(mail) => self.spawn_mail(mail),
        }
    }

    pub(crate) fn spawn_delivery(self: &Arc<Self>, delivery: Delivery) {
        let (this, under_way) = (Arc::clone(self), self.deliverer.begin());
        tokio::spawn(async move {
            let _under_way = under_way;
            let waiting = this.reordered().take();
            match this.faults.take("deliver") {
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
                Some(Fault::Reorder) => *this.reordered() = Some(delivery),
            }
            if let Some(earlier) = waiting {
                this.deliver(&earlier).await;
            }
        });
    }

    async fn deliver(self: &Arc<Self>, delivery: &Delivery) {
        let fired = &delivery.fired;
        let Some(to) = self.own_mail_address(&fired.url) else {
            return self.deliverer.post(delivery).await;
        };
        let template = match fired.hook {
            HookType::PresenterStarted => Template::PresenterStarted,
            HookType::ViewerStarted => Template::ViewerStarted,
            // `/email` knows no text for these.
            HookType::PresenterOffline | HookType::ViewerOffline => return,
        };
        // A name that may not stand in a mail costs the name and not the mail.
        let name = text::mail_name(&fired.name).unwrap_or_default();
        // Counted for whoever minted the session, as nobody else is there to be counted for.
        if let Err(refused) = self.mail(delivery.minter, &to, template, name, &delivery.pin).await {
            tracing::warn!(hook = %fired.hook, %refused, "hook's e-mail not kept");
        }
    }

    fn spawn_mail(self: &Arc<Self>, mail: Mail) {
        let (this, under_way) = (Arc::clone(self), self.deliverer.begin());
        tokio::spawn(async move {
            let _under_way = under_way;
            let Some(mailer) = &this.mailer else { return };
            let outcome = mailer.send(&mail).await;
            let saved = {
                let (mut state, _) = this.lock();
                if let Some(kept) = state.outbox.iter_mut().find(|kept| kept.id == mail.id) {
                    kept.state = outcome.clone();
                }
                this.store.submit(vec![Write::MailChanged { id: mail.id, state: outcome }])
            };
            let _ = saved.await;
        });
    }

    /// The address, if the URL is this broker's own `/email/{address}`.
    pub(crate) fn own_mail_address(&self, url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let encoded = url.path().strip_prefix("/api/v1/email/")?;
        self.doors().any(|door| door.guard.allows_host(&host)).then(|| decode_segment(encoded))
    }

    pub(crate) fn links(&self, pin: &Pin) -> Links {
        let (origin, pin) = (self.customers_origin(), pin.expose());
        Links {
            front: format!("{origin}/"),
            join: format!("{origin}/join#{pin}"),
            view: format!("{origin}/view?session_pin={pin}&un=&ro=false"),
        }
    }

    fn reordered(&self) -> MutexGuard<'_, Option<Delivery>> {
        self.reordered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Undoes percent-encoding: form decoding, with the signs that mean more there put out of its way.
fn decode_segment(encoded: &str) -> String {
    let plain = encoded.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(plain.as_bytes());
    pairs.next().map(|(key, _)| key.into_owned()).unwrap_or_default()
}
