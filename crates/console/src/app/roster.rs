//! The exchange with our own brokers beside the hooks: they report who shares the screen, who
//! watches and how good the picture is, and they are sent the requester that customers are shown.
//!
//! Only services that have these calls are asked. A call that fails changes no session: the known
//! roster gets old, and the window shows its age.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{
    SessionId, Snapshot,
    clock::now,
    remote::{Capabilities, LoginWithMe, Roster},
};
use futures_util::{StreamExt as _, stream};
use session::{Presenter, Timestamp, Viewers};
use wire::{Pin, shared_screen::Requester};

use super::{Console, engine_slot::EngineSlot};

/// How often the roster of the session on screen is fetched.
const EVERY: Duration = Duration::from_secs(2);
/// Other active sessions' rosters are fetched once in so many rounds.
const OTHERS: u64 = 5;
/// How many sessions at most are asked about in a round, and how many at once.
const A_ROUND: usize = 64;
const AT_ONCE: usize = 8;

/// What is known of a session's screen.
#[derive(Debug, Clone)]
pub(crate) struct KnownRoster {
    pub roster: Roster,
    pub at: Timestamp,
    /// The session's newest known revision when it was asked for.
    revision: u64,
}

/// Follows every session until the console stops.
pub(super) async fn follow(console: Arc<Console>) {
    let follow = async {
        for round in 0.. {
            tokio::time::sleep(EVERY).await;
            poll(&console, round).await;
        }
    };
    tokio::select! {
        () = follow => {}
        () = console.lifecycle.watch.stopping.cancelled() => {}
    }
}

async fn poll(console: &Console, round: u64) {
    let Some((client, live)) = live(console).await else { return };
    let here: HashSet<SessionId> = live.iter().map(|session| session.id).collect();
    console.engine.known(|known| {
        known.rosters.retain(|id, _| here.contains(id));
        known.requesters.retain(|id, _| here.contains(id));
    });
    if here.is_empty() {
        return;
    }
    let Some(able) = console.engine.capabilities(&client).await else { return };
    if able.tells_asker() {
        tell_requesters(console, &client, &live, round).await;
    }
    if able.knows_roster() {
        ask_rosters(console, &client, &live, round).await;
    }
}

/// A live session.
struct Live {
    id: SessionId,
    pin: Pin,
    /// Whether somebody is in it.
    active: bool,
    /// Whether the event channel tells who is in it, so that only what viewers measure is left to ask for.
    told: bool,
    /// Whether somebody sees the screen, as the channel tells.
    watched: bool,
    /// Its newest known revision.
    revision: u64,
}

async fn live(console: &Console) -> Option<(LoginWithMe, Vec<Live>)> {
    let engine = console.engine.get().await?;
    let of = |snapshot: Arc<Snapshot>| {
        let pin = snapshot.pin.clone().filter(|_| snapshot.record.is_live())?;
        let active = matches!(snapshot.record.presenter, Presenter::Online { .. })
            || matches!(snapshot.record.viewers, Viewers::Some { .. });
        let facts = snapshot.facts.as_ref();
        let watched = facts.is_some_and(|facts| facts.participants.iter().any(|one| one.watching));
        let revision = snapshot.record.observed.newest_revision();
        Some(Live { id: snapshot.id, pin, active, told: facts.is_some(), watched, revision })
    };
    Some((engine.client().clone(), engine.snapshots().into_iter().filter_map(of).collect()))
}

async fn ask_rosters(console: &Console, client: &LoginWithMe, live: &[Live], round: u64) {
    let on_screen = *console.updates.on_screen.borrow();
    let known: HashMap<SessionId, u64> = console
        .engine
        .known(|known| known.rosters.iter().map(|(id, roster)| (*id, roster.revision)).collect());
    // One that somebody has left since would go on to count them.
    let is_old = |one: &Live| known.get(&one.id).is_some_and(|known| *known != one.revision);
    let wanted = live
        .iter()
        // Each roster is a call to the service: the session on screen has one in every round, the
        // others seldom. Who the event channel tells of has one only to show how well they see.
        .filter(|one| match (on_screen == Some(one.id), one.told) {
            (true, true) => one.watched,
            (true, false) => true,
            (false, true) => false,
            (false, false) => (one.active && round.is_multiple_of(OTHERS)) || is_old(one),
        });
    let asked = stream::iter(wanted.take(A_ROUND)).for_each_concurrent(AT_ONCE, async |one| {
        match client.roster(&one.pin).await {
            Ok(roster) => {
                let roster = KnownRoster { roster, at: now(), revision: one.revision };
                console.engine.known(|known| known.rosters.insert(one.id, roster));
            }
            Err(error) => tracing::debug!(session = %one.id, %error, "what is known gets old"),
        }
    });
    asked.await;
    // Only the session on screen shows its roster.
    console.updates.on_screen.send_modify(|_| {});
}

async fn tell_requesters(console: &Console, client: &LoginWithMe, live: &[Live], round: u64) {
    let requester = console.requester();
    let told = console.engine.known(|known| known.requesters.clone());
    let untold = live.iter().filter(|one| match told.get(&one.id) {
        Some(ToldRequester { requester: last, done: true }) => *last != requester,
        // A service that doesn't answer isn't asked in every round.
        Some(ToldRequester { done: false, .. }) => round.is_multiple_of(OTHERS),
        None => true,
    });
    let tell = stream::iter(untold.take(A_ROUND)).for_each_concurrent(AT_ONCE, async |one| {
        console.tell_requester(client, one.id, &one.pin).await;
    });
    tell.await;
}

/// The requester that a session's customer is shown.
#[derive(Debug, Clone)]
pub(crate) struct ToldRequester {
    requester: Requester,
    done: bool,
}

impl EngineSlot {
    /// What the service can do beyond the nine calls; none while that can't be found out.
    pub(crate) async fn capabilities(&self, client: &LoginWithMe) -> Option<Capabilities> {
        let (known, is_settled) =
            self.known(|known| (known.capabilities.clone(), known.is_settled(Instant::now())));
        if is_settled {
            return known;
        }
        let generation = self.generation();
        let Ok(able) = client.capabilities().await else { return known };
        self.learned(generation, |known| {
            known.capabilities = Some(able.clone());
            known.learned_at = Some(Instant::now());
        });
        Some(able)
    }
}

impl Console {
    /// Sends the service this session's requester, if it passes that on to the customer. A failure
    /// is logged and tried again; until then the customer sees no requester.
    pub(crate) async fn tell_requester(&self, client: &LoginWithMe, session: SessionId, pin: &Pin) {
        let requester = self.requester();
        let told = client.set_asker(pin, &requester, self.broker.unattended).await;
        let first = self.engine.known(|known| {
            let now = ToldRequester { requester, done: told.is_ok() };
            known.requesters.insert(session, now).is_none_or(|before| before.done)
        });
        match told {
            Err(error) if first => tracing::warn!(%session, %error, "it is tried again"),
            Err(_) | Ok(()) => {}
        }
    }

    /// The requester that customers are shown.
    fn requester(&self) -> Requester {
        let company = self.settings.current().company.clone();
        Requester { technician: self.access.technician(), company }
    }
}
