//! Delivering fired hooks: the first attempt, what the fault plan makes of it, and further attempts where nobody answered.

use std::{sync::Arc, time::Duration};

use serve::Fault;
use wire::HookType;

use crate::{
    coordinator::Coordinator,
    delivery::{Attempt, Delivery, Outcome},
    hub::{hooks::HookDelivery, outbox::Template, text},
    metrics::DeliveryCounts,
};

/// How long to wait before each further attempt, in seconds: a minute in all. A receiver that restarts is back by then;
/// after that the event is too old to be news.
const PAUSES: [u64; 7] = [1, 2, 4, 8, 15, 15, 15];

impl Coordinator {
    /// Makes the delivery of a hook that fired, unless deliveries are held back.
    pub(crate) fn pass_on(self: &Arc<Self>, delivery: Delivery) {
        if let Some(delivery) = self.deliverer.admit(delivery) {
            self.spawn_delivery(delivery);
        }
    }

    /// Lets held deliveries go, in the order in which their hooks fired.
    pub(crate) fn release_deliveries(self: &Arc<Self>) {
        self.deliverer.release().into_iter().for_each(|delivery| self.spawn_delivery(delivery));
    }

    fn spawn_delivery(self: &Arc<Self>, delivery: Delivery) {
        let (this, in_flight) = (Arc::clone(self), self.deliverer.begin());
        tokio::spawn(async move {
            // Taken first, so that a delivery that waits itself lets the one before it go.
            let waiting = this.reordered.lock().take();
            let outcome = this.attempt(&delivery, Attempt::First).await;
            if let Some(earlier) = waiting {
                let outcome = this.deliver(&earlier, Attempt::First).await;
                this.follow_up(earlier, outcome);
            }
            this.follow_up(delivery, outcome);
            drop(in_flight);
        });
    }

    /// One attempt, as the fault plan lets it be.
    async fn attempt(self: &Arc<Self>, delivery: &Delivery, attempt: Attempt) -> Outcome {
        match self.faults.take("deliver") {
            None => self.deliver(delivery, attempt).await,
            Some(Fault::Delay { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.deliver(delivery, attempt).await
            }
            // Lost for good: the broker believes that it was delivered, as one that tries nothing twice would.
            Some(Fault::Drop) => Outcome::Ended,
            Some(Fault::DropAnswer) => {
                self.deliver(delivery, attempt).await;
                Outcome::NobodyAnswered
            }
            // As if the receiver had answered this, without having seen the request.
            Some(Fault::Status { code }) if code >= 500 => Outcome::NobodyAnswered,
            Some(Fault::Status { .. }) => Outcome::Ended,
            Some(Fault::Duplicate) => {
                self.deliver(delivery, attempt).await;
                self.deliver(delivery, attempt).await
            }
            Some(Fault::Reorder) => {
                *self.reordered.lock() = Some(delivery.clone());
                Outcome::Ended
            }
        }
    }

    async fn deliver(self: &Arc<Self>, delivery: &HookDelivery, attempt: Attempt) -> Outcome {
        let fired = &delivery.fired;
        let Some(to) = self.own_mail_address(&fired.url) else {
            return self.deliverer.post(delivery, attempt).await;
        };
        let template = match fired.hook {
            HookType::PresenterStarted => Template::PresenterStarted,
            HookType::ViewerStarted => Template::ViewerStarted,
            // `/email` has no text for these.
            HookType::PresenterOffline | HookType::ViewerOffline => return Outcome::Ended,
        };
        // A name that may not be in an e-mail is left out; the e-mail is sent all the same.
        let name = text::mail_name(&fired.name).unwrap_or_default();
        // Counted for the minter of the session, since no client made this call.
        let queued =
            self.queue_hooks_mail(delivery.minter, &to, template, name, &delivery.pin).await;
        if let Err(refused) = queued {
            tracing::warn!(hook = %fired.hook, %refused, "the hook's e-mail is not sent");
        }
        Outcome::Ended
    }

    /// Has a delivery that nobody answered tried again, in a task of its own, so that it holds up no other.
    fn follow_up(self: &Arc<Self>, delivery: Delivery, outcome: Outcome) {
        if outcome == Outcome::NobodyAnswered {
            let this = Arc::clone(self);
            tokio::spawn(async move {
                let pin = delivery.pin.clone();
                this.try_again(delivery).await;
                // Whoever waited for it is told that nothing comes any more.
                this.channels.publish(&[pin]);
            });
        }
    }

    /// Tries a delivery again until somebody answers, a minute is over, its PIN is revoked, or the broker ends.
    async fn try_again(self: &Arc<Self>, delivery: Delivery) {
        let hook = delivery.fired.hook;
        let Some(_room) = self.deliverer.room_to_wait() else {
            DeliveryCounts::add(&self.deliverer.counts.lost);
            return tracing::warn!(%hook, "hook lost: too many wait to be tried again");
        };
        for pause in PAUSES {
            if !self.waited(Duration::from_secs(pause)).await {
                return;
            }
            let _in_flight = self.deliverer.begin();
            if self.with_hub(|hub, _| hub.is_revoked(&delivery.pin)) {
                return;
            }
            if self.deliverer.is_holding() {
                return self.pass_on(delivery);
            }
            if self.attempt(&delivery, Attempt::Again).await == Outcome::Ended {
                return;
            }
        }
        DeliveryCounts::add(&self.deliverer.counts.lost);
        tracing::warn!(%hook, "hook lost: nobody answered for a minute");
    }

    /// Waits; false if the broker ends meanwhile.
    pub(crate) async fn waited(&self, pause: Duration) -> bool {
        tokio::select! {
            // By either clock: the broker's may be moved by a test, or set back by its machine.
            () = self.clock.sleep_until(self.clock.now().after(pause)) => true,
            () = tokio::time::sleep(pause) => true,
            () = self.stopping.cancelled() => false,
        }
    }
}
