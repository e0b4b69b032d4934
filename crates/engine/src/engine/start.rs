//! Starting an engine: stores, listener, actors, and every session as the journal has it.
//!
//! Invariant: a start that fails leaves no background task behind.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ractor::{Actor, ActorRef, SpawnErr};
use secrecy::SecretString;
use serve::{Health, HostGuard, PeerPolicy, Server};
use session::{Life, Timestamp, Transcript, outage::OutageChange};
use store::StoreError;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Engine, Keys, Stores};
use crate::{
    actor::{
        region_choice::{self, Regions},
        supervisor::{self, Supervisor},
    },
    archivist, away, broker_copies,
    clock::now,
    config::Config,
    context::{Context, Parts},
    error::StartError,
    faults::Faults,
    hooks::{self, Nonces},
    journal::{Answer, Journal, Stored},
    observe,
    reach::{self, Tester},
    remote::{LoginWithMe, is_loopback},
    to_actors::ToActors,
};

/// A session that failed this long ago is only in the archive; until then its failure can be mended.
const MENDABLE: Duration = Duration::from_secs(7 * 86_400);
/// For how long it is remembered what was asked of people.
const DAY_MS: i64 = 86_400_000;

impl Engine {
    /// Starts: opens the stores, binds the listener, brings every session back.
    ///
    /// The caller holds the data folder's lock.
    ///
    /// # Errors
    /// [`StartError`]; nothing was changed then.
    pub async fn start(config: Config, keys: Keys) -> Result<Self, StartError> {
        let stores = Stores::open(&config.data, keys).await?;
        Self::start_on(config, stores, Faults::default()).await
    }

    /// Starts on stores that are open already; `faults` are for tests.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_on(
        config: Config,
        stores: Stores,
        faults: Faults,
    ) -> Result<Self, StartError> {
        let Stores { journal, archive } = stores;
        let client = LoginWithMe::new(config.service.clone()).map_err(StartError::Service)?;
        let client = Arc::new(client.with_console_key(console_key(&journal).await));
        let bound =
            serve::bind(config.listener.ip, config.listener.port).map_err(StartError::Listen)?;
        let addr = bound.addr();
        let (shown, race) = watch::channel(None);
        let start =
            region_choice::Start { client: client.clone(), rounds: config.probe_rounds, shown };
        let (regions, regions_ended) =
            Actor::spawn(None, Regions, start).await.map_err(not_spawned)?;
        let public_url = config.listener.public_url.clone();
        let limits = hooks::limits(config.listener.connections);
        let proxies = config.listener.trusted_proxies.clone();
        let door = PeerPolicy { proxies, ..PeerPolicy::default() };
        let hook_base = public_url.clone().unwrap_or_else(|| own_url(addr));
        let (context, outages) = Context::start(Parts {
            config,
            client,
            journal: journal.clone(),
            archive,
            regions: regions.clone(),
            hook_base,
            faults,
        });
        let stop_if_it_fails = context.watch.stopping.clone().drop_guard();
        let nonces = Nonces::default();
        let health = health_of(&journal, &context.watch.stopping);
        let routes = hooks::router(
            context.routes.clone(),
            nonces.clone(),
            journal,
            ToActors(context.clone()),
            &context.watch,
        );
        let guard = HostGuard::new(addr, public_url.as_ref());
        let routes = health.beside(&guard, guard.protect(routes));
        let (supervisor, supervisor_ended) =
            Actor::spawn(None, Supervisor, context.clone()).await.map_err(not_spawned)?;
        context.watch.actor("choose regions", regions_ended);
        context.watch.actor("run the sessions", supervisor_ended);
        restore(&context, &supervisor).await?;
        // Only now are all tokens known and their sessions there. Whoever connected earlier waits in
        // the socket's queue: a 404 would cost them the event, which fires once.
        let listener = Server::start_at(door, bound, routes, limits, None);
        let listener = listener.map_err(StartError::Serve)?;
        tracing::info!(%addr, "the webhook listener answers");
        let tester = tester(&context, nonces);
        let engine =
            Self { context, supervisor, regions, race, tester, listener, addr, readiness: health };
        // After the sessions are back: this task sends to every session.
        engine.keep_background_tasks(outages);
        stop_if_it_fails.disarm();
        Ok(engine)
    }

    fn keep_background_tasks(&self, outages: mpsc::UnboundedReceiver<OutageChange>) {
        let (watch, context) = (&self.context.watch, self.context.clone());
        let outages = Arc::new(Mutex::new(outages));
        watch.keep("tell the sessions of outages", move || {
            away::tell_outages(context.clone(), outages.clone())
        });
        let context = self.context.clone();
        watch.keep("notice when this computer slept", move || away::keep_looking(context.clone()));
        let context = self.context.clone();
        watch.keep("note that the console is alive", move || away::note_alive(context.clone()));
        let context = self.context.clone();
        watch.keep("tell the sessions whether hooks can arrive", move || {
            away::tell_changes(context.clone())
        });
        if self.has_to_be_proved() {
            let (tester, stopping) = (self.tester.clone(), watch.stopping.clone());
            let (heartbeat, faults) = (self.context.config.heartbeat, self.context.faults.clone());
            watch.keep("test whether hooks can arrive", move || {
                reach::keep_testing(tester.clone(), heartbeat, faults.clone(), stopping.clone())
            });
        }
        let context = self.context.clone();
        watch.keep("follow the sessions by the broker's event channel", move || {
            observe::follow(context.clone())
        });
        let context = self.context.clone();
        watch.keep("copy sessions to the archive", move || archivist::follow(context.clone()));
        let context = self.context.clone();
        watch.keep("tend the search's index", move || archivist::tend_index(context.clone()));
        let context = self.context.clone();
        watch.keep("have the broker delete what was deleted here", move || {
            broker_copies::follow(context.clone())
        });
    }

    /// Whether a test can tell if hooks arrive. On one computer they always do, and on a loopback
    /// address without a public URL none from elsewhere can.
    fn has_to_be_proved(&self) -> bool {
        let listener = self.addr.ip();
        let is_public = *self.hook_base() != own_url(self.addr);
        let is_local = is_loopback(&self.client().service().base_url);
        is_public || !(is_local || listener.is_loopback() || listener.is_unspecified())
    }
}

/// Ready means that a webhook that arrives can be kept.
fn health_of(journal: &Journal, stopping: &CancellationToken) -> Health {
    let (journal, stopping) = (journal.clone(), stopping.clone());
    Health::new(move || {
        let (written, stopping) = (journal.probe(), stopping.clone());
        async move {
            match written.await {
                _ if stopping.is_cancelled() => Err("it is shutting down"),
                Ok(()) => Ok(()),
                Err(_) => Err("the journal can't be written"),
            }
        }
    })
}

fn tester(context: &Context, nonces: Nonces) -> Tester {
    Tester {
        service: context.client.as_ref().clone(),
        hook_base: context.hook_base.clone(),
        nonces,
        known: context.way.clone(),
    }
}

/// Whether nothing is left to do in a session, so that it needs no actor.
fn is_settled(stored: &Stored, at: Timestamp) -> bool {
    let record = &stored.record;
    let is_over = match &record.life {
        // Without its PIN nothing can be done any more.
        Life::Closed { .. } => record.closed_pin_is_done(at) || stored.secrets.is_none(),
        Life::Over { .. } => true,
        Life::Failed { at: since, allocation, .. } => {
            let over = allocation.as_ref().is_none_or(|allocation| allocation.end(at) <= at);
            over && at.since(*since) > MENDABLE
        }
        Life::Allocating | Life::Live(_) => false,
    };
    let is_saved = match record.transcript {
        Transcript::Saved { .. } | Transcript::NotYet => true,
        Transcript::Wanted { .. } => false,
    };
    is_over && is_saved && stored.replay.is_empty()
}

/// Leaves a settled session to the archive alone, and finishes a deletion that a crash cut short; none if the
/// session needs an actor.
///
/// # Errors
/// The archive doesn't take it; then the journal keeps it.
async fn retire(context: &Context, stored: &Stored) -> Result<Option<Answer<()>>, StoreError> {
    let Context { archive, journal, .. } = context;
    if stored.record.is_live() {
        return Ok(None);
    }
    if archive.is_deleted(stored.session).await? {
        return Ok(Some(journal.erase(stored.session)));
    }
    if !is_settled(stored, now()) {
        return Ok(None);
    }
    archivist::copy_session(archive, stored.session, None, &stored.record).await?;
    Ok(Some(journal.forget(stored.session)))
}

async fn restore(
    context: &Context,
    supervisor: &ActorRef<supervisor::Message>,
) -> Result<(), StartError> {
    let journal = &context.journal;
    let since = alive_at(context).await?;
    let loaded = journal.load().await.map_err(StartError::Journal)?;
    for (id, error) in &loaded.damaged {
        tracing::error!(session = %id, %error, "a stored session can't be read");
    }
    context.health.set_unreadable_sessions(loaded.damaged.len());
    if !loaded.damaged.is_empty() {
        // Before the listener answers: a webhook that is told that nobody knows it is never sent again.
        context.routes.some_are_unread();
    }
    let (mut stored, mut retired) = (Vec::new(), Vec::new());
    for session in loaded.sessions {
        match retire(context, &session).await {
            Ok(Some(forgotten)) => retired.push(forgotten),
            Ok(None) => stored.push(session),
            Err(error) => {
                tracing::warn!(session = %session.session, %error, "leave a session to the archive");
                stored.push(session);
            }
        }
    }
    recall_people(context).await;
    // Not one by one: all that wait are written together.
    for forgotten in retired {
        let _ = forgotten.await;
    }
    let (done, started) = oneshot::channel();
    let message = supervisor::Message::Restore { stored, since, done };
    supervisor.cast(message).map_err(|error| StartError::Spawn(error.to_string()))?;
    let _ = started.await;
    // From here on the run counts as crashed, until `stop` says otherwise.
    let _ = journal.mark_clean_end(false).await;
    Ok(())
}

/// Since when nothing is known of the sessions, by when an engine was last alive. The clock may have been ahead then, and
/// nothing is unknown since a time to come.
fn unknown_since(alive: Option<Timestamp>, now: Timestamp) -> Timestamp {
    alive.map_or(now, |alive| alive.min(now))
}

/// When the engine was last known to be alive. Where that can't be read, anything may have been missed: no hook is
/// older than its PIN.
async fn alive_at(context: &Context) -> Result<Timestamp, StartError> {
    match context.journal.alive_at().await {
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::error!(%error, "read when the console was last alive");
            let pin_life = i64::try_from(context.config.pin_life.as_millis()).unwrap_or(DAY_MS);
            Ok(Timestamp(now().0.saturating_sub(pin_life)))
        }
        known => Ok(unknown_since(known.map_err(StartError::Journal)?, now())),
    }
}

/// What was asked of people in sessions that only the archive has. Without it the brake knows less, and nothing
/// else is lost.
async fn recall_people(context: &Context) {
    let since = Timestamp(now().0.saturating_sub(DAY_MS));
    match context.archive.verifications_since(since).await {
        Ok(earlier) => context.people.remember(earlier),
        Err(error) => tracing::warn!(%error, "read how often people were asked lately"),
    }
    match context.archive.asked_people().await {
        Ok(asked) => context.people.remember_beside(asked),
        Err(error) => {
            tracing::warn!(%error, "read how often people were asked in deleted sessions")
        }
    }
}

/// The key by which our own broker knows this console. Without it the sessions are known by their hooks alone.
async fn console_key(journal: &Journal) -> Option<SecretString> {
    let key = journal.console_key().await;
    if let Err(error) = &key {
        tracing::warn!(%error, "read or make the key by which the broker knows this console");
    }
    key.ok().flatten()
}

fn not_spawned(error: SpawnErr) -> StartError {
    StartError::Spawn(error.to_string())
}

fn own_url(addr: SocketAddr) -> Url {
    Url::parse(&format!("http://{addr}/"))
        .unwrap_or_else(|_| unreachable!("an IP address and a port make a URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_unknown_since_a_time_to_come() {
        let (now, years) = (Timestamp(1_700_000_000_000), 100_000_000_000);
        assert_eq!(unknown_since(None, now), now);
        assert_eq!(unknown_since(Some(Timestamp(now.0 - years)), now).0, now.0 - years);
        assert_eq!(unknown_since(Some(Timestamp(now.0 + years)), now), now);
    }
}
