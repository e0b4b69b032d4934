//! The one way to change the hub's state: lock it, have it decide, queue the rows, send the notices, wait for the
//! disk, carry out the effects.
//!
//! A hook's consumption is on disk before its POST leaves, so a broker that is killed in between never delivers
//! the same event twice.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::{Mutex, RwLock};
use ring::signature::Ed25519KeyPair;
use serve::{Clock, FaultPlan, Millis, Owner, Tally};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{Pin, session_events::SessionFacts};

use crate::{
    config::{Durations, RegionDelay},
    delivery::{Deliverer, Delivery},
    endpoint::Endpoint,
    event_channels::EventChannels,
    hub::{
        Hub,
        abuse::Block,
        census::LiveSession,
        change::{Change, Notice},
        refusal::Refused,
    },
    hub_lock::HubLock,
    programs::Programs,
    smtp::Mailer,
    socket_registry::SocketRegistry,
    store::Store,
};

/// The settings that can be changed while the broker runs, as far as the hub doesn't have them.
#[derive(Debug)]
pub(crate) struct Live {
    pub durations: Durations,
    pub regions: Vec<RegionDelay>,
    pub mailer: Option<Mailer>,
    pub programs: Arc<Programs>,
    pub compat_cors: bool,
}

/// The hub, and everything that carries out what it decides.
pub(crate) struct Coordinator {
    pub clock: Clock,
    /// Another one for each run of a broker.
    pub run: Uuid,
    /// What reading the settings again may change; use [`Coordinator::live`].
    pub live: RwLock<Arc<Live>>,
    /// The endpoint that is always open.
    pub endpoint: Arc<Endpoint>,
    /// The endpoint for strangers, while the owner wants one.
    pub network: RwLock<Option<Arc<Endpoint>>>,
    pub faults: FaultPlan,
    pub deliverer: Arc<Deliverer>,
    /// What was refused, by [`Refused::kind`].
    pub refusals: Tally,
    /// Signs the programs that are delivered.
    pub signer: Ed25519KeyPair,
    pub store: Store,
    pub hub: HubLock,
    /// Locked only by itself or while the hub is locked, never the other way round.
    pub sockets: Mutex<SocketRegistry>,
    /// The consoles that follow their sessions.
    pub channels: Arc<EventChannels>,
    /// Cancelled when the broker ends: nothing is tried again from then on.
    pub stopping: CancellationToken,
    /// Wakes the timer, since the next deadline may have changed.
    pub rescheduled: Notify,
    /// A delivery that the fault plan has wait for the next one.
    pub reordered: Mutex<Option<Delivery>>,
}

impl Coordinator {
    /// The settings in force. Whoever uses them for long keeps those of its beginning.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read())
    }

    /// Runs `work` on the locked hub: look-ups, and counters that are neither stored nor sent.
    pub fn with_hub<T>(&self, work: impl FnOnce(&mut Hub, Millis) -> T) -> T {
        let mut hub = self.hub.lock();
        work(&mut hub, self.clock.now())
    }

    /// The present state of a session, as its console is told of it; `None` if there is none with this PIN.
    pub fn facts(&self, hub: &Hub, pin: &Pin, now: Millis) -> Option<SessionFacts> {
        let under_way = Some(self.deliverer.under_way(pin));
        let run = Some(self.run.to_string());
        hub.facts(pin, now).map(|facts| SessionFacts { under_way, run, ..facts })
    }

    /// Has the hub decide, and returns once what it decided is on disk.
    pub async fn change<T>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut Hub, Millis) -> Result<(T, Change), Refused>,
    ) -> Result<T, Refused> {
        // In a block, so that the lock is released before the disk is waited for.
        let (answer, saved) = {
            let mut hub = self.hub.lock();
            let (answer, change) = decide(&mut hub, self.clock.now())?;
            (answer, self.settle(&mut hub, change))
        };
        saved.await.unwrap_or(Err(Refused::NotSaved))?;
        Ok(answer)
    }

    /// As [`Coordinator::change`], for decisions that have no result beside their success.
    pub async fn apply(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut Hub, Millis) -> Result<Change, Refused>,
    ) -> Result<(), Refused> {
        self.change(|hub, now| Ok(((), decide(hub, now)?))).await
    }

    /// As [`Coordinator::apply`], for decisions that nobody waits for. The store has logged a failure.
    pub async fn record(self: &Arc<Self>, decide: impl FnOnce(&mut Hub, Millis) -> Change) {
        let _ = self.apply(|hub, now| Ok(decide(hub, now))).await;
    }

    /// Ends a block; false if there is none.
    pub async fn lift_block(self: &Arc<Self>, owner: Owner) -> Result<bool, Refused> {
        self.change(|hub, _| Ok(hub.lift_block(owner))).await
    }

    /// Sends notices about something that isn't stored.
    pub fn notify(&self, decide: impl FnOnce(&mut Hub) -> Vec<Notice>) {
        let mut hub = self.hub.lock();
        let notices = decide(&mut hub);
        self.dispatch(&mut hub, notices);
    }

    /// As [`Coordinator::notify`], in turns until there are none left.
    pub fn notify_in_turns(&self, mut decide: impl FnMut(&mut Hub) -> Option<Vec<Notice>>) {
        self.hub.in_turns(|hub| {
            let Some(notices) = decide(hub) else { return false };
            self.dispatch(hub, notices);
            true
        });
    }

    /// The sessions whose PIN works, oldest first, as each of them is when it is its turn.
    pub fn live_sessions(&self) -> Vec<LiveSession> {
        let (mut all, mut place) = (Vec::new(), None);
        self.hub.in_turns(|hub| {
            let some = hub.live_sessions_after(place, self.clock.now());
            all.extend(some.sessions);
            place = some.rest;
            place.is_some()
        });
        all
    }

    /// The owners that are blocked, the oldest block first.
    pub fn blocks(&self) -> Vec<Block> {
        let mut all = Vec::new();
        self.hub.in_turns(|hub| {
            let some = hub.blocks_after(all.last().copied());
            all.extend(&some);
            !some.is_empty()
        });
        all
    }

    /// Hands a change on while the hub is locked, so that changes are written and sent in the order in which they
    /// were decided. A task of its own does the rest, even if the caller goes away.
    fn settle(
        self: &Arc<Self>,
        hub: &mut Hub,
        mut change: Change,
    ) -> JoinHandle<Result<(), Refused>> {
        hub.stamp(&mut change);
        let Change { writes, notices, effects, changed, reschedules } = change;
        let saved = self.store.submit(writes);
        let (deliveries, effects) = self.begin_deliveries(effects);
        self.dispatch(hub, notices);
        if reschedules {
            self.rescheduled.notify_one();
        }
        // In a task of its own: a handler is dropped when its client goes away, and a hook that is consumed on
        // disk must be delivered all the same. It counts as in flight from here on, or a shutdown could come
        // between the disk and the delivery.
        let (this, in_flight) = (Arc::clone(self), self.deliverer.begin());
        tokio::spawn(async move {
            let _in_flight = in_flight;
            let saved = saved.await;
            if saved.is_ok() {
                deliveries.into_iter().for_each(|delivery| this.pass_on(delivery));
                effects.into_iter().for_each(|effect| this.perform(effect));
            } else {
                // Before the new state is told: nothing comes of them.
                drop(deliveries);
            }
            // Also if the disk refused: from here on the broker acts by the new state all the same.
            this.channels.publish(&changed);
            saved.map_err(Refused::from)
        })
    }

    /// Sends notices. A socket that doesn't take one is given up, which can lead to further notices.
    fn dispatch(&self, hub: &mut Hub, notices: Vec<Notice>) {
        let mut waiting = VecDeque::from(notices);
        while let Some(notice) = waiting.pop_front() {
            let stalled = self.sockets.lock().carry_out(notice);
            if let Some(stalled) = stalled {
                waiting.extend(hub.give_up(stalled));
            }
        }
    }
}

impl std::fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coordinator").field("origin", &self.endpoint.origin).finish_non_exhaustive()
    }
}

impl From<::store::StoreError> for Refused {
    fn from(_: ::store::StoreError) -> Self {
        Self::NotSaved
    }
}
