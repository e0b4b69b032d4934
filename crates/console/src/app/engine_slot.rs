//! The engine in use, and what is known of its service.
//!
//! A change of settings may replace the engine. What was learned through the old one may concern
//! another service, so it is forgotten in the same moment, and late answers to the old engine's
//! calls are dropped.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{
    Engine, SessionId,
    remote::{Capabilities, LoginWithMe},
};
use parking_lot::Mutex;
use tokio::sync::{RwLock, RwLockReadGuard, watch};

use super::roster::{KnownRoster, ToldRequester};
use crate::{present::trouble, view::Trouble};

/// That a service can do nothing beyond the nine calls holds for so long: a proxy may have said so for a broker that was
/// away.
const NOTHING_HOLDS_FOR: Duration = Duration::from_secs(60);

pub(crate) struct EngineSlot {
    engine: RwLock<Option<Engine>>,
    /// Counts engines; a subscriber of one engine subscribes again when this changes.
    generation: watch::Sender<u64>,
    known: Mutex<ServiceKnowledge>,
}

/// The facts learned about the service.
#[derive(Default)]
pub(crate) struct ServiceKnowledge {
    /// Where customers join at our own configured broker, as the broker reports it.
    pub join: Option<JoinAddress>,
    /// What the service can do beyond the nine calls; none while that is unknown.
    pub capabilities: Option<Capabilities>,
    /// When that was learned.
    pub learned_at: Option<Instant>,
    /// Who shares their screen and who watches it.
    pub rosters: HashMap<SessionId, KnownRoster>,
    /// The requesters that customers are shown.
    pub requesters: HashMap<SessionId, ToldRequester>,
}

impl ServiceKnowledge {
    /// Whether what the service can do needs no asking at `now`.
    pub fn is_settled(&self, now: Instant) -> bool {
        let is_recent = |at| now.saturating_duration_since(at) < NOTHING_HOLDS_FOR;
        self.capabilities.as_ref().is_some_and(|able| {
            *able != Capabilities::default() || self.learned_at.is_some_and(is_recent)
        })
    }
}

/// Where customers join.
#[derive(Debug, Clone)]
pub(crate) struct JoinAddress {
    /// The page where a PIN is typed.
    pub page: String,
    /// The customer's link; `{pin}` stands for the PIN.
    pub template: String,
}

impl EngineSlot {
    pub fn new(engine: Engine) -> Self {
        Self {
            engine: RwLock::new(Some(engine)),
            generation: watch::Sender::new(0),
            known: Mutex::default(),
        }
    }

    /// The engine, which is neither replaced nor stopped while the guard is held. None after the
    /// end, and between two engines that failed to start.
    pub async fn get(&self) -> Option<RwLockReadGuard<'_, Engine>> {
        RwLockReadGuard::try_map(self.engine.read().await, Option::as_ref).ok()
    }

    /// The engine, for callers that can't go on without it.
    ///
    /// # Errors
    /// The console is stopping.
    pub async fn require(&self) -> Result<RwLockReadGuard<'_, Engine>, Trouble> {
        self.get().await.ok_or_else(trouble::stopping)
    }

    /// The service's client, for calls that must not delay the engine's replacement.
    pub async fn client(&self) -> Option<LoginWithMe> {
        self.get().await.map(|engine| engine.client().clone())
    }

    pub fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    pub fn generations(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Reads or changes what is known of the service.
    pub fn known<T>(&self, look: impl FnOnce(&mut ServiceKnowledge) -> T) -> T {
        look(&mut self.known.lock())
    }

    /// Stores what was learned through the engine of `generation`; false if that has been replaced.
    pub fn learned(&self, generation: u64, keep: impl FnOnce(&mut ServiceKnowledge)) -> bool {
        self.known(|known| {
            let in_use = self.generation() == generation;
            if in_use {
                keep(known);
            }
            in_use
        })
    }

    /// Stops the engine and puts in its place the one that `start` makes; returns the other result
    /// of `start`.
    pub async fn replace<T>(&self, start: impl Future<Output = (Option<Engine>, T)>) -> T {
        let mut slot = self.engine.write().await;
        // Two engines can't have the same stores open.
        if let Some(engine) = slot.take() {
            engine.stop().await;
        }
        let (engine, answer) = start.await;
        *slot = engine;
        // Cleared while the slot is still held, so that nobody sees the new engine with what is
        // known of the old one's service.
        self.known(|known| {
            *known = ServiceKnowledge::default();
            self.generation.send_modify(|generation| *generation += 1);
        });
        answer
    }

    /// Stops the engine for good.
    pub async fn close(self: Arc<Self>) {
        let engine = self.engine.write().await.take();
        if let Some(engine) = engine {
            engine.stop_and_close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_a_service_can_do_nothing_more_is_asked_again_after_a_while() {
        let then = Instant::now();
        let known = |capabilities| ServiceKnowledge {
            capabilities,
            learned_at: Some(then),
            ..ServiceKnowledge::default()
        };
        let nothing = known(Some(Capabilities::default()));
        assert!(nothing.is_settled(then + Duration::from_secs(59)));
        assert!(!nothing.is_settled(then + Duration::from_secs(61)));
        let able = serde_json::json!({ "join_path": "/join#{pin}" });
        let own = known(Some(serde_json::from_value(able).unwrap()));
        assert!(own.is_settled(then + Duration::from_secs(86_400)));
        assert!(!known(None).is_settled(then));
    }
}
