//! What a service of ours knows beside the hooks: who shares the screen, who watches, and how well; and
//! what it is told: who asks.
//!
//! All of it is by capability. That a call fails changes no session: what is known gets old, and says so.

use std::{collections::HashSet, sync::Arc, time::Duration};

use engine::{
    SessionId, Snapshot,
    clock::now,
    remote::{Capabilities, LoginWithMe, Roster},
};
use futures_util::{StreamExt as _, stream};
use session::{Presenter, Timestamp, Viewers};
use wire::{Pin, shared_screen::Requester};

use super::Inner;

/// How often it is asked for the session on screen.
const EVERY: Duration = Duration::from_secs(2);
/// The other sessions in which somebody is, each so many rounds.
const OTHERS: u64 = 5;
/// At most so many sessions a round, so many at once: the rest has its turn.
const A_ROUND: usize = 64;
const AT_ONCE: usize = 8;

/// What is known of a session's screen.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub roster: Roster,
    pub at: Timestamp,
}

/// Follows every session until the console stops.
pub(super) async fn follow(inner: Arc<Inner>) {
    let follow = async {
        for round in 0.. {
            tokio::time::sleep(EVERY).await;
            look(&inner, round).await;
        }
    };
    tokio::select! {
        () = follow => {}
        () = inner.stopping.cancelled() => {}
    }
}

async fn look(inner: &Inner, round: u64) {
    let Some((client, live)) = live(inner).await else { return };
    let here: HashSet<SessionId> = live.iter().map(|session| session.id).collect();
    inner.side(|side| {
        side.rosters.retain(|id, _| here.contains(id));
        side.askers.retain(|id, _| here.contains(id));
    });
    if here.is_empty() {
        return;
    }
    let Some(able) = inner.capabilities(&client).await else { return };
    if able.tells_asker() {
        tell_askers(inner, &client, &live, round).await;
    }
    if able.knows_roster() {
        ask_rosters(inner, &client, &live, round).await;
    }
}

/// A session that goes on.
struct Live {
    id: SessionId,
    pin: Pin,
    /// Somebody is in it.
    active: bool,
}

async fn live(inner: &Inner) -> Option<(LoginWithMe, Vec<Live>)> {
    let guard = inner.engine.read().await;
    let engine = guard.as_ref()?;
    let of = |snapshot: Arc<Snapshot>| {
        let pin = snapshot.pin.clone().filter(|_| snapshot.record.is_live())?;
        let active = matches!(snapshot.record.presenter, Presenter::Online { .. })
            || matches!(snapshot.record.viewers, Viewers::Some { .. });
        Some(Live { id: snapshot.id, pin, active })
    };
    Some((engine.client().clone(), engine.snapshots().into_iter().filter_map(of).collect()))
}

async fn ask_rosters(inner: &Inner, client: &LoginWithMe, live: &[Live], round: u64) {
    let on_screen = *inner.on_screen.borrow();
    let wanted = live
        .iter()
        .filter(|one| on_screen == Some(one.id) || (one.active && round.is_multiple_of(OTHERS)));
    let asked = stream::iter(wanted.take(A_ROUND)).for_each_concurrent(AT_ONCE, async |one| {
        match client.roster(&one.pin).await {
            Ok(roster) => {
                inner.side(|side| side.rosters.insert(one.id, Known { roster, at: now() }));
            }
            Err(error) => tracing::debug!(session = %one.id, %error, "what is known gets old"),
        }
    });
    asked.await;
    // Only the session on screen shows it.
    inner.on_screen.send_modify(|_| {});
}

async fn tell_askers(inner: &Inner, client: &LoginWithMe, live: &[Live], round: u64) {
    let asker = inner.asker();
    let told = inner.side(|side| side.askers.clone());
    let untold = live.iter().filter(|one| match told.get(&one.id) {
        Some(Told { asker: last, done: true }) => *last != asker,
        // A service that is away isn't asked in every round.
        Some(Told { done: false, .. }) => round.is_multiple_of(OTHERS),
        None => true,
    });
    let tell = stream::iter(untold.take(A_ROUND)).for_each_concurrent(AT_ONCE, async |one| {
        inner.tell_asker(client, one.id, &one.pin).await;
    });
    tell.await;
}

/// Who a session's customer was told asks.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    asker: Requester,
    done: bool,
}

impl Inner {
    /// What the service can do beyond the nine calls; none while nobody can tell.
    pub(crate) async fn capabilities(&self, client: &LoginWithMe) -> Option<Capabilities> {
        if let Some(known) = self.side(|side| side.capabilities.clone()) {
            return Some(known);
        }
        let epoch = *self.epoch.borrow();
        let learnt = client.capabilities().await.ok()?;
        self.side(|side| {
            // What an engine that has ended has learnt is of another service.
            if *self.epoch.borrow() == epoch {
                side.capabilities = Some(learnt.clone());
            }
        });
        Some(learnt)
    }

    /// Tells the service who asks in this session, if it passes that on. That it fails is said in the log
    /// and tried again; the customer is then asked by nobody in particular.
    pub(crate) async fn tell_asker(&self, client: &LoginWithMe, session: SessionId, pin: &Pin) {
        let asker = self.asker();
        let told = client.set_asker(pin, &asker, self.unattended).await;
        let first = self.side(|side| {
            let now = Told { asker, done: told.is_ok() };
            side.askers.insert(session, now).is_none_or(|before| before.done)
        });
        match told {
            Err(error) if first => tracing::warn!(%session, %error, "it is tried again"),
            Err(_) | Ok(()) => {}
        }
    }

    /// Who asks, as customers are told.
    fn asker(&self) -> Requester {
        Requester { technician: self.technician(), company: self.settings().company.clone() }
    }
}
