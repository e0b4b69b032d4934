//! The parts that all actors of one engine share.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use ractor::ActorRef;
use session::{Failure, Gate, Input, Timestamp, outage::OutageChange};
use store::StoreError;
use tokio::sync::{Notify, mpsc};
use url::Url;

use crate::{
    SessionId,
    actor::{message::SessionMessage, region_choice},
    archive::Archive,
    asked_people::AskedPeople,
    awake::Awake,
    budget::Budget,
    bus::Bus,
    clock::now,
    config::Config,
    faults::Faults,
    hooks::Routes,
    journal::Journal,
    remote::{IdentityClients, LoginWithMe},
    said::Said,
    state_requests::StateRequests,
    timers::Timers,
    token::HookToken,
    watch::{BackgroundFault, Watch},
    way::KnownWay,
};

/// The parts that all actors of one engine share.
pub struct Context {
    pub(crate) config: Config,
    pub(crate) client: Arc<LoginWithMe>,
    /// The identity services' clients; they can be replaced while the engine runs.
    pub(crate) services: RwLock<IdentityClients>,
    /// The verification gate's policy; it can be changed while the engine runs.
    pub(crate) gate: RwLock<Gate>,
    /// What was asked of people lately, and how soon they may be asked again.
    pub(crate) people: AskedPeople,
    pub(crate) journal: Journal,
    pub(crate) archive: Archive,
    pub(crate) bus: Arc<Bus>,
    pub(crate) budget: Budget,
    pub(crate) timers: Timers,
    pub(crate) routes: Routes,
    /// What was written here to chats.
    pub(crate) said: Said,
    /// Where sessions ask for the state that only our own broker knows.
    pub(crate) state_requests: StateRequests,
    /// Sessions were deleted that our own broker may have, too.
    pub(crate) deletions: Notify,
    /// Under this URL the service reaches our listener.
    pub(crate) hook_base: Url,
    pub(crate) regions: ActorRef<region_choice::Message>,
    pub(crate) sessions: RwLock<HashMap<SessionId, ActorRef<SessionMessage>>>,
    pub(crate) health: Health,
    pub(crate) watch: Watch,
    pub(crate) awake: Awake,
    pub(crate) way: KnownWay,
    pub(crate) faults: Faults,
}

/// The health of the engine's own parts, as far as is known.
pub struct Health {
    /// When a hook was last confirmed, in ms since 1970; 0 for never.
    hooks_checked: AtomicI64,
    service: Mutex<Option<ServiceHealth>>,
    journal_fails: Mutex<Option<StoreError>>,
    archive_fails: Mutex<Option<StoreError>>,
    /// Why something isn't copied to the archive, whatever else it takes.
    copy_fails: Mutex<Option<StoreError>>,
    /// How many sessions of the journal could not be read.
    unreadable_sessions: AtomicUsize,
    watch: Watch,
}

/// Whether the service answered the last call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceHealth {
    Answers { at: Timestamp },
    Fails { since: Timestamp, failure: Failure },
}

impl ServiceHealth {
    /// Whether the service answers, if only to refuse something.
    pub const fn answers(self) -> bool {
        match self {
            Self::Answers { .. } => true,
            Self::Fails { failure, .. } => !failure.is_a_fault(),
        }
    }
}

/// The arguments for a context.
pub(crate) struct Parts {
    pub config: Config,
    pub client: Arc<LoginWithMe>,
    pub journal: Journal,
    pub archive: Archive,
    pub regions: ActorRef<region_choice::Message>,
    pub hook_base: Url,
    pub faults: Faults,
}

impl Context {
    /// Starts the shared parts; also returns the receiver of the outages that the budget detects.
    pub(crate) fn start(parts: Parts) -> (Arc<Self>, mpsc::UnboundedReceiver<OutageChange>) {
        let Parts { config, client, journal, archive, regions, hook_base, faults } = parts;
        let (news, outages) = mpsc::unbounded_channel();
        let bus = Arc::new(Bus::default());
        let watch = Watch::new({
            let bus = bus.clone();
            move || bus.health_changed()
        });
        let context = Self {
            bus,
            budget: Budget::start(&watch, client.clone(), news),
            client,
            services: RwLock::default(),
            gate: RwLock::new(config.gate),
            people: AskedPeople::default(),
            journal,
            archive,
            timers: Timers::start(&watch),
            routes: Routes::default(),
            said: Said::default(),
            state_requests: StateRequests::default(),
            deletions: Notify::default(),
            hook_base,
            regions,
            sessions: RwLock::default(),
            health: Health::new(watch.clone()),
            watch,
            awake: Awake::new(faults.clone()),
            way: KnownWay::default(),
            faults,
            config,
        };
        (Arc::new(context), outages)
    }

    /// The identity services' current clients.
    pub(crate) fn services(&self) -> IdentityClients {
        self.services.read().clone()
    }

    /// The verification gate's current policy.
    pub(crate) fn gate(&self) -> Gate {
        *self.gate.read()
    }

    /// The secret URL of a hook.
    pub(crate) fn hook_url(&self, token: &HookToken) -> String {
        format!("{}/hook/{}", self.hook_base.as_str().trim_end_matches('/'), token.expose())
    }

    /// The actor of a session, if it runs.
    pub(crate) fn actor(&self, id: SessionId) -> Option<ActorRef<SessionMessage>> {
        self.sessions.read().get(&id).cloned()
    }

    /// Sends `input` to every session.
    pub(crate) fn tell_all(&self, input: &Input) {
        let sessions = self.sessions.read();
        for actor in sessions.values() {
            // A session that is gone doesn't need it.
            let _ = actor.cast(SessionMessage::Input(input.clone()));
        }
    }

    /// Tells every session if time has passed without this program. To be called before anything is
    /// applied that may have waited meanwhile.
    pub(crate) fn look(&self) {
        self.awake.look(|since| {
            self.tell_all(&Input::Missed { since });
            self.way.test_again();
        });
    }

    /// Notes the outcome of a call to the service, except a hook's PUT, which the budget tracks.
    pub(crate) fn service_answered(&self, failure: Option<Failure>) {
        let failed = matches!(self.health.service(), Some(ServiceHealth::Fails { .. }));
        // Only the first failure in a row is passed on: each makes every session on screen put all
        // its hooks again.
        if !failed && failure.is_some_and(Failure::is_a_fault) {
            self.tell_all(&Input::ServiceFails);
        }
        let changed = self.health.service_answered(failure, now());
        if changed {
            self.bus.health_changed();
        }
    }

    /// Notes that the journal took a write, or why it didn't.
    pub(crate) fn journal_wrote(&self, failure: Option<StoreError>) {
        // Every turn of every session writes, so only changes are sent to those who show
        // the health.
        if replace(&self.health.journal_fails, failure) {
            self.bus.health_changed();
        }
    }

    /// Notes that the archive took a write, or why it didn't.
    pub(crate) fn archive_wrote(&self, failure: Option<StoreError>) {
        if replace(&self.health.archive_fails, failure) {
            self.bus.health_changed();
        }
    }

    /// Notes that all was copied to the archive, or why it wasn't.
    pub(crate) fn archive_copied(&self, failure: Option<StoreError>) {
        if replace(&self.health.copy_fails, failure) {
            self.bus.health_changed();
        }
    }

    /// Notes that a hook was confirmed.
    pub(crate) fn hook_checked(&self, at: Timestamp) {
        // Once a second is enough for display.
        let before = self.health.hooks_checked.swap(at.0, Ordering::Relaxed);
        // It is an answer of the service, and after a start with live sessions the first.
        let first = self.health.service_answered_first(at);
        if first || at.0.saturating_sub(before) >= 1_000 {
            self.bus.health_changed();
        }
    }
}

impl Health {
    fn new(watch: Watch) -> Self {
        Self {
            hooks_checked: AtomicI64::new(0),
            service: Mutex::default(),
            journal_fails: Mutex::default(),
            archive_fails: Mutex::default(),
            copy_fails: Mutex::default(),
            unreadable_sessions: AtomicUsize::new(0),
            watch,
        }
    }

    /// When a hook was last confirmed by the service.
    pub fn hooks_checked(&self) -> Option<Timestamp> {
        Some(self.hooks_checked.load(Ordering::Relaxed)).filter(|&ms| ms != 0).map(Timestamp)
    }

    /// Whether the service answered the last call; none before the first.
    pub fn service(&self) -> Option<ServiceHealth> {
        *self.service.lock()
    }

    /// Why the journal doesn't take writes; none if it does.
    pub fn journal_fails(&self) -> Option<StoreError> {
        self.journal_fails.lock().clone()
    }

    /// Why the archive doesn't take writes; none if it does.
    pub fn archive_fails(&self) -> Option<StoreError> {
        let fails = self.archive_fails.lock().clone();
        fails.or_else(|| self.copy_fails.lock().clone())
    }

    /// How many sessions of the journal could not be read at the start.
    pub fn unreadable_sessions(&self) -> usize {
        self.unreadable_sessions.load(Ordering::Relaxed)
    }

    pub(crate) fn set_unreadable_sessions(&self, number: usize) {
        self.unreadable_sessions.store(number, Ordering::Relaxed);
    }

    /// The background tasks that ended too early; empty if none did.
    pub fn background_fails(&self) -> Vec<BackgroundFault> {
        self.watch.unwell()
    }

    /// Notes an answer, if it is the first of all calls.
    fn service_answered_first(&self, at: Timestamp) -> bool {
        let mut service = self.service.lock();
        let first = service.is_none();
        service.get_or_insert(ServiceHealth::Answers { at });
        first
    }

    fn service_answered(&self, failure: Option<Failure>, at: Timestamp) -> bool {
        let mut service = self.service.lock();
        let before = *service;
        *service = Some(match (failure, before) {
            (None, _) => ServiceHealth::Answers { at },
            (Some(failure), Some(ServiceHealth::Fails { since, .. })) => {
                ServiceHealth::Fails { since, failure }
            }
            (Some(failure), Some(ServiceHealth::Answers { .. }) | None) => {
                ServiceHealth::Fails { since: at, failure }
            }
        });
        std::mem::discriminant(&before) != std::mem::discriminant(&*service)
            || match (before, *service) {
                (Some(ServiceHealth::Answers { .. }), Some(ServiceHealth::Answers { .. })) => false,
                (before, after) => before != after,
            }
    }
}

fn replace<T: PartialEq>(slot: &Mutex<T>, new: T) -> bool {
    let mut old = slot.lock();
    let changed = *old != new;
    *old = new;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_refuses_something_answers() {
        let fails = |failure| ServiceHealth::Fails { since: Timestamp(0), failure };
        for refusal in [
            Failure::Rejected { status: 400 },
            Failure::Unauthorized,
            Failure::RateLimited { retry_after_ms: None },
        ] {
            assert!(fails(refusal).answers(), "{refusal:?}");
        }
        for fault in [Failure::Unreachable, Failure::NoAnswer, Failure::Faulty { status: 503 }] {
            assert!(!fails(fault).answers(), "{fault:?}");
        }
    }
}
