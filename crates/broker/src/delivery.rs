//! One attempt to deliver a fired hook: one POST, no redirect. What is answered is ignored, unless it is a failure of
//! the receiver's server.
//!
//! The address is checked when it is resolved for the connection itself, so a name that resolves to another
//! address the second time gains nothing.

use std::{
    collections::HashMap,
    net::SocketAddr,
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parking_lot::{Mutex, RwLock};
use reqwest::{
    dns,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect,
};
use secrecy::SecretString;
use serve::Client;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use url::Url;
use wire::{HookType, Pin, loginwithme::HookBody, session_events::REVISION_HEADER};

use crate::{
    hub::{
        credential::KeyHash,
        hooks::{FiredHook, HookDelivery},
        limits::ByClient,
        target::TargetPolicy,
    },
    metrics::DeliveryCounts,
    own_addresses::OwnAddresses,
    webhook_secrets::WebhookSecrets,
};

/// How many deliveries are made at once, so that many hooks of one moment don't use up all sockets.
const AT_ONCE: usize = 256;
/// How many are tried again at once. Apart from the others, so that receivers that don't answer hold up nobody else.
const AGAIN_AT_ONCE: usize = 64;
/// How many wait to be tried again. Beyond that a delivery that nobody answered is lost.
const MOST_TO_TRY_AGAIN: usize = 4_096;

/// The clients that deliver, and what is held back before them.
#[derive(Debug)]
pub(crate) struct Deliverer {
    ways_out: RwLock<Arc<WaysOut>>,
    /// The addresses that lead to this machine.
    pub own: OwnAddresses,
    /// The deliveries that are held back; none while they are passed on.
    held: Mutex<Option<Vec<Delivery>>>,
    under_way: UnderWay,
    slots: Semaphore,
    again_slots: Semaphore,
    waiting_slots: Semaphore,
    secrets: WebhookSecrets,
    in_flight: watch::Sender<usize>,
    pub counts: DeliveryCounts,
}

/// Where hooks may go, and the clients that go there.
#[derive(Debug)]
pub(crate) struct WaysOut {
    clients: ByClient<reqwest::Client>,
    policy: ByClient<TargetPolicy>,
}

impl WaysOut {
    /// # Errors
    /// When the HTTP client can't be built.
    pub fn new(
        policy: ByClient<TargetPolicy>,
        own: &OwnAddresses,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        // Two, since each resolves names by a policy of its own.
        let client = |policy| {
            reqwest::Client::builder()
                .user_agent(concat!("deskhand-broker/", env!("CARGO_PKG_VERSION")))
                // A redirect would lead past the check of the address.
                .redirect(redirect::Policy::none())
                // So would a proxy, which resolves names by itself.
                .no_proxy()
                .timeout(timeout)
                // Each goes on a connection of its own: an idle one may be closed just when it is used, and a
                // hook that is lost by that never fires again.
                .pool_max_idle_per_host(0)
                .dns_resolver(CheckedResolver(policy, own.clone()))
                .build()
        };
        let clients = ByClient { local: client(policy.local)?, remote: client(policy.remote)? };
        Ok(Self { clients, policy })
    }
}

impl Deliverer {
    /// # Errors
    /// When the HTTP client can't be built.
    pub fn new(
        policy: ByClient<TargetPolicy>,
        own: OwnAddresses,
        timeout: Duration,
        held: bool,
        secrets: WebhookSecrets,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            ways_out: RwLock::new(Arc::new(WaysOut::new(policy, &own, timeout)?)),
            own,
            held: Mutex::new(held.then(Vec::new)),
            under_way: UnderWay::default(),
            slots: Semaphore::new(AT_ONCE),
            again_slots: Semaphore::new(AGAIN_AT_ONCE),
            waiting_slots: Semaphore::new(MOST_TO_TRY_AGAIN),
            secrets,
            in_flight: watch::Sender::new(0),
            counts: DeliveryCounts::default(),
        })
    }

    /// Delivers by other ways out from now on.
    pub fn use_ways_out(&self, ways_out: WaysOut) {
        *self.ways_out.write() = Arc::new(ways_out);
    }

    /// The secret with which the deliveries of this console's sessions are signed.
    pub fn secret(&self, console: &KeyHash) -> SecretString {
        self.secrets.secret(console)
    }

    /// Room for a delivery that waits to be tried again; `None` if too many wait.
    pub fn room_to_wait(&self) -> Option<SemaphorePermit<'_>> {
        self.waiting_slots.try_acquire().ok()
    }

    /// A delivery that is to be made: it is under way from now on.
    pub fn begin_delivery(&self, hook: HookDelivery) -> Delivery {
        let counted = self.under_way.count(&hook);
        Delivery { hook, _counted: Arc::new(counted) }
    }

    /// How many deliveries of each of a session's hooks are under way, in the order of [`HookType::ALL`].
    pub fn under_way(&self, pin: &Pin) -> [u64; HookType::ALL.len()] {
        self.under_way.0.lock().get(pin).copied().unwrap_or_default()
    }

    /// Passes a delivery on, or keeps it while deliveries are held back.
    pub fn admit(&self, delivery: Delivery) -> Option<Delivery> {
        match &mut *self.held.lock() {
            None => Some(delivery),
            Some(waiting) => {
                waiting.push(delivery);
                None
            }
        }
    }

    /// Holds deliveries back from now on.
    pub fn hold(&self) {
        self.held.lock().get_or_insert_default();
    }

    /// Whether deliveries are held back.
    pub fn is_holding(&self) -> bool {
        self.held.lock().is_some()
    }

    /// Passes deliveries on again, and returns what was held back, in order.
    pub fn release(&self) -> Vec<Delivery> {
        self.held.lock().take().unwrap_or_default()
    }

    /// Counts work as in flight until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.send_modify(|n| *n += 1);
        InFlight(Arc::clone(self))
    }

    /// How much is in flight.
    pub fn in_flight(&self) -> u64 {
        *self.in_flight.borrow() as u64
    }

    /// Returns once nothing is in flight. What waits to be tried again is not.
    pub async fn idle(&self) {
        let mut in_flight = self.in_flight.subscribe();
        let _ = in_flight.wait_for(|n| *n == 0).await;
    }

    /// Makes one attempt of a delivery.
    pub async fn post(&self, delivery: &HookDelivery, attempt: Attempt) -> Outcome {
        let slots = match attempt {
            Attempt::First => &self.slots,
            Attempt::Again => &self.again_slots,
        };
        let Ok(_slot) = slots.acquire().await else { return Outcome::Ended };
        let FiredHook { hook, url, name } = &delivery.fired;
        // The resolver never sees an address that is in the URL itself, and the hook may have been put under
        // another policy.
        let leads_here = self.own.are_in(url).await;
        let ways_out = Arc::clone(&self.ways_out.read());
        let url = match ways_out.policy.for_client(delivery.minter).parse(url, leads_here) {
            Ok(url) => url,
            Err(refused) => {
                DeliveryCounts::add(&self.counts.refused);
                tracing::warn!(%hook, %refused, "hook not delivered");
                return Outcome::Ended;
            }
        };
        let body = HookBody { hook: *hook, name: name.clone(), session_pin: delivery.pin.clone() };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let request = ways_out
            .clients
            .for_client(delivery.minter)
            .post(url)
            .headers(self.headers(delivery, &body))
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_server_error() => {
                DeliveryCounts::add(&self.counts.not_taken);
                tracing::warn!(%hook, status = answer.status().as_u16(), "hook not taken");
                Outcome::NobodyAnswered
            }
            Ok(answer) => {
                DeliveryCounts::add(&self.counts.delivered);
                tracing::info!(%hook, status = answer.status().as_u16(), "hook delivered");
                Outcome::Ended
            }
            // Without the URL, which is the receiver's secret.
            Err(error) => {
                DeliveryCounts::add(&self.counts.unanswered);
                tracing::warn!(%hook, error = %error.without_url(), "hook not delivered");
                Outcome::NobodyAnswered
            }
        }
    }

    /// The headers of Standard Webhooks, and the session's revision.
    fn headers(&self, delivery: &HookDelivery, body: &[u8]) -> HeaderMap {
        let (id, timestamp) = (delivery.id(), seconds_now());
        let signature = delivery.console.as_ref().map(|console| {
            ("webhook-signature", self.secrets.signature(console, &id, timestamp, body))
        });
        let texts = [
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.to_string()),
            (REVISION_HEADER, delivery.revision.to_string()),
        ];
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        for (name, text) in texts.into_iter().chain(signature) {
            if let Ok(value) = text.parse() {
                headers.insert(name, value);
            }
        }
        headers
    }

    /// Calls a listener for `client`, who wants to know whether it can be reached; true if anything answered. What it
    /// answered is not passed on, or this call would explore networks for its client.
    pub async fn call_listener(&self, client: Client, url: Url) -> bool {
        let Ok(_slot) = self.slots.acquire().await else { return false };
        let ways_out = Arc::clone(&self.ways_out.read());
        let called = ways_out.clients.for_client(client).post(url).send().await;
        tracing::debug!(answered = called.is_ok(), "called a listener");
        called.is_ok()
    }
}

/// A delivery that waits for the disk, is held back, being made or waiting to be tried again. It counts as under way until its last copy
/// is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    hook: HookDelivery,
    _counted: Arc<Counted>,
}

impl Deref for Delivery {
    type Target = HookDelivery;

    fn deref(&self) -> &HookDelivery {
        &self.hook
    }
}

/// The deliveries under way, by session and hook.
#[derive(Debug, Clone, Default)]
struct UnderWay(Arc<Mutex<HashMap<Pin, [u64; HookType::ALL.len()]>>>);

impl UnderWay {
    fn count(&self, delivery: &HookDelivery) -> Counted {
        let (pin, hook) = (delivery.pin.clone(), delivery.fired.hook);
        self.0.lock().entry(pin.clone()).or_default()[hook.index()] += 1;
        Counted { all: self.clone(), pin, hook }
    }
}

/// One delivery under way, until it is dropped.
#[derive(Debug)]
struct Counted {
    all: UnderWay,
    pin: Pin,
    hook: HookType,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        let Some(counts) = all.get_mut(&self.pin) else { return };
        counts[self.hook.index()] -= 1;
        if counts.iter().all(|&count| count == 0) {
            all.remove(&self.pin);
        }
    }
}

/// By the machine's clock, since the receiver compares it with its own.
fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether a delivery was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    Again,
}

/// What follows from one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Somebody answered, or another attempt can't help.
    Ended,
    /// Nobody answered, or a server that failed: another attempt may reach somebody.
    NobodyAnswered,
}

/// Something is in flight; see [`Deliverer::idle`].
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Deliverer>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|n| *n -= 1);
    }
}

/// Resolves a name and drops the addresses that hooks may not go to.
#[derive(Debug, Clone)]
struct CheckedResolver(TargetPolicy, OwnAddresses);

impl dns::Resolve for CheckedResolver {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let Self(policy, own) = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let mut allowed: Vec<SocketAddr> = Vec::new();
            for addr in found {
                if policy.allows(addr.ip(), own.contains(addr.ip()).await) {
                    allowed.push(addr);
                }
            }
            if allowed.is_empty() {
                return Err("the name leads to no address that hooks may go to".into());
            }
            Ok(Box::new(allowed.into_iter()) as dns::Addrs)
        })
    }
}
