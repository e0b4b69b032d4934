//! The engine's handle: start, stop, ask, subscribe.

mod deletion;
mod save_program;
mod start;
mod stores;
mod verification_gate;

pub use self::stores::{Keys, LostStore, Stores};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use ractor::ActorRef;
use serve::{
    Counters, Server,
    metrics::{Figures, Kind},
};
use session::{
    About, Input, Lamp, Timestamp,
    mail::{Template, When},
};
use tokio::sync::{oneshot, watch};
use url::Url;
use wire::{Pin, Region, shared_screen::Role};

use crate::{
    SessionId,
    access::Access,
    actor::{
        message::SessionMessage,
        region_choice::{self, Race},
        supervisor,
    },
    archive::Archive,
    bus::{Snapshot, Subscription},
    clock::now,
    context::{Context, Health},
    error::{CommandError, Misfit},
    journal::{Journal, JournalError},
    reach::{ReachError, Reached, Tester, Way},
    remote::{CallError, IdentityClients, LoginWithMe, RocketChat, ViewerUrl},
    said::Saying,
};

/// A running engine. Dropping it without [`Engine::stop`] is like a crash: nothing is lost.
pub struct Engine {
    context: Arc<Context>,
    supervisor: ActorRef<supervisor::Message>,
    regions: ActorRef<region_choice::Message>,
    race: watch::Receiver<Option<Race>>,
    tester: Tester,
    listener: Server,
    addr: SocketAddr,
    readiness: serve::Health,
}

impl Engine {
    /// Stops in good order: sessions take no turn for it, so all are unchanged at the next start.
    pub async fn stop(self) {
        // First, so that parts that are still to end start nothing new.
        self.context.watch.stopping.cancel();
        // Before the sessions, so that every event that is still accepted finds its
        // session's actor.
        self.listener.shutdown().await;
        // The supervisor ends its sessions.
        let _ = self.supervisor.stop_and_wait(None, None).await;
        self.context.sessions.write().clear();
        let _ = self.regions.stop_and_wait(None, None).await;
        // A connection closed while the process ends would call a library that is already unloaded.
        self.context.watch.tasks.close();
        self.context.watch.tasks.wait().await;
        let _ = self.context.journal.mark_alive(now()).await;
        let _ = self.context.journal.mark_clean_end(true).await;
    }

    /// Stops in good order and closes the stores, so that each file is complete by itself, whoever still
    /// has a handle of them.
    pub async fn stop_and_close(self) {
        let (journal, archive) = (self.context.journal.clone(), self.context.archive.clone());
        self.stop().await;
        journal.close().await;
        archive.close().await;
    }

    /// Requests the hooks' URL, by the service if it offers that, and remembers the result. The
    /// future holds no store of the engine, which may stop meanwhile; then no request arrives.
    ///
    /// # Errors
    /// [`ReachError`].
    pub fn test_reach(&self) -> impl Future<Output = Result<Reached, ReachError>> + Send + use<> {
        let tester = self.tester.clone();
        async move { tester.test().await }
    }

    /// Whether hooks can arrive, as far as is known.
    pub fn way(&self) -> Way {
        self.tester.known.now()
    }

    /// Whether the listener can do its work.
    pub fn readiness(&self) -> serve::Health {
        self.readiness.clone()
    }

    /// Keeps, sealed, by what a session's presenter is known again; it goes with the PIN.
    ///
    /// # Errors
    /// A [`JournalError`].
    pub async fn keep_pairing(&self, session: SessionId, kept: &[u8]) -> Result<(), JournalError> {
        self.context.journal.keep_pairing(session, kept).await
    }

    /// By what a session's presenter is known again.
    ///
    /// # Errors
    /// A [`JournalError`].
    pub async fn pairing(&self, session: SessionId) -> Result<Option<Vec<u8>>, JournalError> {
        self.context.journal.pairing(session).await
    }

    /// What came to the listener since this engine's start, and what there is.
    pub fn figures(&self) -> Figures {
        let counts = &self.context.routes.counts;
        let live = self.snapshots().iter().filter(|snapshot| snapshot.record.is_live()).count();
        let mut figures = Figures::default();
        let help = "Live sessions.";
        figures.add("deskhand_console_sessions", Kind::Gauge, help, live as u64);
        let saved = [("saved", &counts.saved), ("unsaved", &counts.unsaved)];
        figures.add_each(
            "deskhand_listener_webhooks_total",
            Kind::Counter,
            "Webhooks that came, by whether the disk took them at once.",
            "result",
            saved.map(|(result, counter)| (result, counter.load(Ordering::Relaxed))),
        );
        figures.add_server(
            "deskhand_listener_sockets",
            "deskhand_listener_sockets_refused_total",
            self.listener.counters(),
        );
        figures.add_each(
            "deskhand_listener_refusals_total",
            Kind::Counter,
            "Webhooks refused, by kind.",
            "kind",
            counts.refusals.totals(),
        );
        figures
    }

    /// Where the listener is bound.
    pub const fn listener(&self) -> SocketAddr {
        self.addr
    }

    /// What the listener counts of its connections.
    pub fn listener_counters(&self) -> &Counters {
        self.listener.counters()
    }

    /// The base URL of hooks, without their tokens.
    pub fn hook_base(&self) -> &Url {
        &self.context.hook_base
    }

    /// Subscribes to snapshots and to notices of new events.
    pub fn subscribe(&self) -> Subscription {
        self.context.bus.subscribe()
    }

    /// The newest snapshot of a session; none for an unknown one.
    pub fn snapshot(&self, id: SessionId) -> Option<Arc<Snapshot>> {
        self.context.bus.latest(id)
    }

    /// The newest snapshots of all sessions.
    pub fn snapshots(&self) -> Vec<Arc<Snapshot>> {
        self.context.bus.all()
    }

    /// The journal: the sessions' events, and marks such as "notified up to".
    pub fn journal(&self) -> &Journal {
        &self.context.journal
    }

    pub fn archive(&self) -> &Archive {
        &self.context.archive
    }

    /// Who is at this console; checked before every command of a person.
    pub fn access(&self) -> &Access {
        &self.context.config.access
    }

    /// The remote-support service's client.
    pub fn client(&self) -> &LoginWithMe {
        &self.context.client
    }

    /// The identity services' current clients.
    pub fn services(&self) -> IdentityClients {
        self.context.services()
    }

    /// The chat workspace's client, for looking up devices; none where it isn't set up.
    ///
    /// # Errors
    /// [`CommandError::Locked`].
    pub fn workspace(&self) -> Result<Option<RocketChat>, CommandError> {
        self.access().permit()?;
        Ok(self.context.services().rocketchat)
    }

    /// Replaces the identity services' clients; calls under way go on with the old ones.
    pub fn set_services(&self, services: IdentityClients) {
        *self.context.services.write() = services;
    }

    /// The health of the engine's own parts.
    pub fn health(&self) -> &Health {
        &self.context.health
    }

    /// The newest race of the regions, now and whenever it changes.
    pub fn race(&self) -> watch::Receiver<Option<Race>> {
        self.race.clone()
    }

    /// Races the regions again.
    ///
    /// # Errors
    /// [`CommandError::Locked`].
    pub fn probe(&self) -> Result<(), CommandError> {
        self.access().permit()?;
        // Gone only while stopping.
        let _ = self.regions.cast(region_choice::Message::Probe);
        Ok(())
    }

    /// Reports a scammer's PIN to the service.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn report_abuse(&self, pin: &Pin) -> Result<(), CommandError> {
        self.access().permit()?;
        self.context.client.report_abuse(pin).await.map_err(CommandError::Call)
    }

    /// Makes a session; it is on disk when this returns, and allocates from then on.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn create(
        &self,
        about: About,
        by: String,
        region: Option<Region>,
    ) -> Result<SessionId, CommandError> {
        self.access().permit()?;
        let (done, made) = oneshot::channel();
        self.supervisor
            .cast(supervisor::Message::Create { about, by, region, done })
            .map_err(|_| CommandError::Stopping)?;
        made.await.map_err(|_| CommandError::Stopping)?
    }

    /// Sends a session a command; it is on disk when this returns.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::Gate`] where it would send a viewer's link now although
    /// the session's gate is shut.
    pub async fn order(&self, id: SessionId, input: Input) -> Result<(), CommandError> {
        self.access().permit()?;
        let actor = self.context.actor(id).ok_or(CommandError::NoSession(id))?;
        // Of the two templates, only the one to a colleague has the viewer's link in it.
        if let Input::MailOrdered { template: Template::ToColleague, when: When::Now, .. } = input {
            self.pass_gate(id, "send the e-mail")?;
        }
        let (done, answer) = oneshot::channel();
        actor.cast(SessionMessage::Command(input, done)).map_err(|_| CommandError::Stopping)?;
        answer.await.map_err(|_| CommandError::Stopping)?
    }

    /// Sends a session an input that need not be on disk, such as whether it is on screen.
    pub fn tell(&self, id: SessionId, input: Input) {
        if let Some(actor) = self.context.actor(id) {
            let _ = actor.cast(SessionMessage::Input(input));
        }
    }

    /// The viewer's link of a live session: the only source of viewer windows and links.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::Gate`] while the verification gate is shut.
    pub async fn viewer_url(
        &self,
        id: SessionId,
        read_only: bool,
        name: Option<&str>,
    ) -> Result<ViewerUrl, CommandError> {
        let pin = self.may_view(id)?;
        let url = self.context.client.session_url(&pin, read_only, name).await;
        self.answered(url)
    }

    /// Like [`Engine::viewer_url`], but the service limits every user of the link to `role`. Only
    /// where the service [can](crate::remote::Capabilities::links_by_role).
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::Gate`] while the verification gate is shut.
    pub async fn viewer_link(
        &self,
        id: SessionId,
        role: Role,
        name: &str,
    ) -> Result<ViewerUrl, CommandError> {
        let pin = self.may_view(id)?;
        let url = self.context.client.viewer_link(&pin, role, name).await;
        self.answered(url)
    }

    /// The PIN of a session that may be viewed now: the gate of every viewer, ours or the
    /// service's.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::Gate`] while the verification gate is shut.
    pub fn may_view(&self, id: SessionId) -> Result<Pin, CommandError> {
        self.access().permit()?;
        let pin = self.pin(id)?;
        self.pass_gate(id, "open a viewer")?;
        Ok(pin)
    }

    fn answered<T>(&self, outcome: Result<T, CallError>) -> Result<T, CommandError> {
        self.context.service_answered(outcome.as_ref().err().map(|error| error.failure));
        outcome.map_err(CommandError::Call)
    }

    /// Whether `pin` was ever given to a session of this console.
    ///
    /// # Errors
    /// [`JournalError`]: it is not known then.
    pub async fn minted(&self, pin: &Pin) -> Result<bool, JournalError> {
        // The disk may have refused a PIN that the bus has.
        let live = self.snapshots().iter().any(|snapshot| snapshot.pin.as_ref() == Some(pin));
        Ok(live || self.context.journal.minted(pin).await?)
    }

    /// Informs every session that events since `since` may have been missed.
    pub fn missed(&self, since: Timestamp) {
        self.context.tell_all(&Input::Missed { since });
    }

    /// Waits until every hook of every live session has been tried at least once since the start.
    /// The engine may be stopped meanwhile.
    pub fn hooks_tried(&self) -> impl Future<Output = ()> + Send + use<> {
        let bus = self.context.bus.clone();
        async move {
            let mut subscription = bus.subscribe();
            // Subscribed before this look, so that no change in between is missed.
            while bus.all().iter().any(|snapshot| is_being_armed(snapshot)) {
                subscription.changed().await;
            }
        }
    }

    /// A message is about to be written to a chat: what is fetched meanwhile waits, for a moment, to be told apart from
    /// it. The result lives until [`Engine::note_said`].
    pub fn begin_saying(&self) -> Saying {
        self.context.said.begin()
    }

    /// Notes that the message with this identity was written here, whatever name it has.
    pub async fn note_said(&self, id: SessionId, guid: String) {
        self.context.said.note(id, guid.clone());
        // It may have been archived as somebody else's before the service's answer came.
        let marked = self.context.archive.mark_own(id, guid).await;
        self.context.archive_wrote(marked.err());
    }

    fn pin(&self, id: SessionId) -> Result<Pin, CommandError> {
        let snapshot = self.snapshot(id).ok_or(CommandError::NoSession(id))?;
        snapshot.pin.clone().ok_or(CommandError::DoesNotFit(Misfit::NoPin))
    }
}

fn is_being_armed(snapshot: &Snapshot) -> bool {
    snapshot.record.is_live()
        && snapshot.lamps.iter().any(|lamp| match lamp {
            Lamp::Off | Lamp::Rearming { attempt: 0 | 1, .. } => true,
            Lamp::Rearming { .. }
            | Lamp::Armed { .. }
            | Lamp::Failed { .. }
            | Lamp::Consumed { .. } => false,
        })
}
