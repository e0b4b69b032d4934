//! Delivering a fired hook: one POST, no redirect, no second try, the answer ignored.
//!
//! The address is judged when it is resolved for the connection itself, so a name that resolves
//! differently the second time gains nothing.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{
    dns,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use serve::Client;
use tokio::sync::{Semaphore, watch};
use url::Url;
use wire::{Pin, loginwithme::HookBody};

use crate::{
    ByClient,
    rules::{session::Fired, target::TargetPolicy},
};

/// How many deliveries are under way at once.
const AT_ONCE: usize = 256;

/// A hook that was consumed and has to be told.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub pin: Pin,
    pub fired: Fired,
    /// Who minted the session: by that it is judged where its hooks may go.
    pub minter: Client,
}

/// The clients that deliver, and the gate before them.
#[derive(Debug)]
pub(crate) struct Deliverer {
    clients: ByClient<reqwest::Client>,
    policy: ByClient<TargetPolicy>,
    gate: Mutex<Gate>,
    slots: Semaphore,
    under_way: watch::Sender<usize>,
}

#[derive(Debug)]
enum Gate {
    Open,
    Held(Vec<Delivery>),
}

impl Deliverer {
    /// # Errors
    /// When the HTTP client can't be built.
    pub fn new(
        policy: ByClient<TargetPolicy>,
        timeout: Duration,
        held: bool,
    ) -> Result<Self, reqwest::Error> {
        // Two, for a connection that one may use is not the other's.
        let client = |policy| {
            reqwest::Client::builder()
                .user_agent(concat!("deskhand-broker/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .no_proxy()
                .timeout(timeout)
                // Each goes on a connection of its own: an idle one may be closed just when it is used, and a
                // hook that was lost by that never fires again.
                .pool_max_idle_per_host(0)
                .dns_resolver(Judged(policy))
                .build()
        };
        let clients = ByClient { here: client(policy.here)?, elsewhere: client(policy.elsewhere)? };
        let gate = Mutex::new(if held { Gate::Held(Vec::new()) } else { Gate::Open });
        let slots = Semaphore::new(AT_ONCE);
        Ok(Self { clients, policy, gate, slots, under_way: watch::Sender::new(0) })
    }

    /// Passes a delivery on, or keeps it while delivery is held.
    pub fn admit(&self, delivery: Delivery) -> Option<Delivery> {
        match &mut *self.gate() {
            Gate::Open => Some(delivery),
            Gate::Held(waiting) => {
                waiting.push(delivery);
                None
            }
        }
    }

    /// Keeps everything from now on.
    pub fn hold(&self) {
        let mut gate = self.gate();
        if matches!(*gate, Gate::Open) {
            *gate = Gate::Held(Vec::new());
        }
    }

    /// Lets everything through again; what was kept comes first, in order.
    pub fn release(&self) -> Vec<Delivery> {
        match std::mem::replace(&mut *self.gate(), Gate::Open) {
            Gate::Open => Vec::new(),
            Gate::Held(waiting) => waiting,
        }
    }

    /// Counts work as under way until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.send_modify(|n| *n += 1);
        UnderWay(Arc::clone(self))
    }

    /// Returns once nothing is under way.
    pub async fn idle(&self) {
        let mut under_way = self.under_way.subscribe();
        let _ = under_way.wait_for(|n| *n == 0).await;
    }

    /// Makes one delivery. Whatever comes of it, it isn't made again.
    pub async fn post(&self, delivery: &Delivery) {
        let Ok(_slot) = self.slots.acquire().await else { return };
        let Fired { hook, url, name } = &delivery.fired;
        // The resolver never sees an address that stands in the URL itself; and the hook may have
        // been put when the policy was another.
        let url = match self.policy.of(delivery.minter).parse(url) {
            Ok(url) => url,
            Err(refused) => return tracing::warn!(%hook, %refused, "hook not delivered"),
        };
        let body = HookBody { hook: *hook, name: name.clone(), session_pin: delivery.pin.clone() };
        let request = self
            .clients
            .of(delivery.minter)
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .body(serde_json::to_vec(&body).unwrap_or_default());
        match request.send().await {
            Ok(answer) => {
                tracing::debug!(%hook, status = answer.status().as_u16(), "hook delivered")
            }
            // The URL is the receiver's secret.
            Err(error) => {
                tracing::warn!(%hook, error = %error.without_url(), "hook not delivered");
            }
        }
    }

    /// Calls a listener for `client`, who wants to know whether it can be reached: true if anything
    /// answered. What it answered stays untold: it would say what else is at an address.
    pub async fn knock(&self, client: Client, url: Url) -> bool {
        let Ok(_slot) = self.slots.acquire().await else { return false };
        let knocked = self.clients.of(client).post(url).send().await;
        tracing::debug!(answered = knocked.is_ok(), "called a listener");
        knocked.is_ok()
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something is under way; see [`Deliverer::idle`].
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Deliverer>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|n| *n -= 1);
    }
}

/// Resolves a name and drops the addresses that hooks may not go to.
#[derive(Debug, Clone, Copy)]
struct Judged(TargetPolicy);

impl dns::Resolve for Judged {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let policy = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|addr| policy.allows(addr.ip())).collect();
            if allowed.is_empty() {
                return Err("the name leads to no address that hooks may go to".into());
            }
            Ok(Box::new(allowed.into_iter()) as dns::Addrs)
        })
    }
}
