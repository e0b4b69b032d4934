//! Handing e-mails to the mail server: at once, and again for a while if it doesn't take them yet.

use std::{sync::Arc, time::Duration};

use crate::{
    coordinator::Coordinator,
    hub::outbox::{Mail, MailState},
    smtp::{Handover, Mailer},
};

/// How long to wait before each further attempt, in seconds: half an hour in all. Servers that put off those whom they
/// don't know yet take the e-mail within that time.
const PAUSES: [u64; 6] = [30, 60, 120, 240, 450, 900];

/// Why an attempt wasn't even made.
const NOT_WRITTEN: &str = "the broker could not write the attempt down; is its disk full?";

impl Coordinator {
    pub(crate) fn spawn_mail(self: &Arc<Self>, mail: Mail) {
        let (this, in_flight) = (Arc::clone(self), self.deliverer.begin());
        tokio::spawn(async move {
            let live = this.live();
            let Some(mailer) = &live.mailer else {
                // A reload has taken it away since the e-mail was asked for.
                return this.record(|hub, _| hub.give_up_mail(mail.id)).await;
            };
            let mut tried = this.try_mail(mailer, &mail, false).await;
            drop(in_flight);
            for (n, pause) in PAUSES.into_iter().enumerate() {
                if !tried || !this.waited(Duration::from_secs(pause)).await {
                    return;
                }
                let _in_flight = this.deliverer.begin();
                tried = this.try_mail(mailer, &mail, n + 1 == PAUSES.len()).await;
            }
        });
    }

    /// Makes one attempt; true if another one may help. After the last one there is none.
    async fn try_mail(self: &Arc<Self>, mailer: &Mailer, mail: &Mail, last: bool) -> bool {
        // On disk before it is sent: an e-mail that may have been taken isn't sent again after a crash.
        let begun = self.change(|hub, now| Ok(hub.begin_mail_attempt(mail.id, now))).await;
        let handover = match begun {
            Ok(Some(mail)) => mailer.send(&mail).await,
            Ok(None) => return false,
            Err(_) => Handover::NotYet(NOT_WRITTEN.to_owned()),
        };
        let (outcome, state, again) = match handover {
            Handover::Taken => ("taken", MailState::Sent, false),
            Handover::Refused(reason) => ("refused", MailState::Failed(reason), false),
            Handover::NotYet(reason) if last => ("given up", MailState::Failed(reason), false),
            Handover::NotYet(reason) => ("not yet", MailState::Waiting(reason), true),
        };
        // Without the reason, in which servers repeat the address.
        tracing::info!(id = %mail.id, outcome, "e-mail handed to the mail server");
        self.record(|hub, _| hub.set_mail_state(mail.id, state)).await;
        again
    }
}
