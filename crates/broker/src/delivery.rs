//! Delivering a fired hook: one POST, no redirect, no second attempt, and the answer is ignored.
//!
//! The address is checked when it is resolved for the connection itself, so a name that resolves to another
//! address the second time gains nothing.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use reqwest::{
    dns,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use serve::Client;
use tokio::sync::{Semaphore, watch};
use url::Url;
use wire::loginwithme::HookBody;

use crate::hub::{
    hooks::{FiredHook, HookDelivery},
    limits::ByClient,
    target::TargetPolicy,
};

/// How many deliveries are made at once, so that many hooks of one moment don't use up all sockets.
const AT_ONCE: usize = 256;

/// The clients that deliver, and what is held back before them.
#[derive(Debug)]
pub(crate) struct Deliverer {
    clients: ByClient<reqwest::Client>,
    policy: ByClient<TargetPolicy>,
    /// The deliveries that are held back; none while they are passed on.
    held: Mutex<Option<Vec<HookDelivery>>>,
    slots: Semaphore,
    in_flight: watch::Sender<usize>,
}

impl Deliverer {
    /// # Errors
    /// When the HTTP client can't be built.
    pub fn new(
        policy: ByClient<TargetPolicy>,
        timeout: Duration,
        held: bool,
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
                .dns_resolver(CheckedResolver(policy))
                .build()
        };
        let clients = ByClient { local: client(policy.local)?, remote: client(policy.remote)? };
        let held = Mutex::new(held.then(Vec::new));
        let slots = Semaphore::new(AT_ONCE);
        Ok(Self { clients, policy, held, slots, in_flight: watch::Sender::new(0) })
    }

    /// Passes a delivery on, or keeps it while deliveries are held back.
    pub fn admit(&self, delivery: HookDelivery) -> Option<HookDelivery> {
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

    /// Passes deliveries on again, and returns what was held back, in order.
    pub fn release(&self) -> Vec<HookDelivery> {
        self.held.lock().take().unwrap_or_default()
    }

    /// Counts work as in flight until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.send_modify(|n| *n += 1);
        InFlight(Arc::clone(self))
    }

    /// Returns once nothing is in flight.
    pub async fn idle(&self) {
        let mut in_flight = self.in_flight.subscribe();
        let _ = in_flight.wait_for(|n| *n == 0).await;
    }

    /// Makes one delivery. However it ends, it isn't made again.
    pub async fn post(&self, delivery: &HookDelivery) {
        let Ok(_slot) = self.slots.acquire().await else { return };
        let FiredHook { hook, url, name } = &delivery.fired;
        // The resolver never sees an address that is in the URL itself, and the hook may have been put under
        // another policy.
        let url = match self.policy.for_client(delivery.minter).parse(url) {
            Ok(url) => url,
            Err(refused) => return tracing::warn!(%hook, %refused, "hook not delivered"),
        };
        let body = HookBody { hook: *hook, name: name.clone(), session_pin: delivery.pin.clone() };
        let request = self
            .clients
            .for_client(delivery.minter)
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .body(serde_json::to_vec(&body).unwrap_or_default());
        match request.send().await {
            Ok(answer) => {
                tracing::debug!(%hook, status = answer.status().as_u16(), "hook delivered")
            }
            // Without the URL, which is the receiver's secret.
            Err(error) => {
                tracing::warn!(%hook, error = %error.without_url(), "hook not delivered");
            }
        }
    }

    /// Calls a listener for `client`, who wants to know whether it can be reached; true if anything answered. What it
    /// answered is not passed on, or this call would explore networks for its client.
    pub async fn call_listener(&self, client: Client, url: Url) -> bool {
        let Ok(_slot) = self.slots.acquire().await else { return false };
        let called = self.clients.for_client(client).post(url).send().await;
        tracing::debug!(answered = called.is_ok(), "called a listener");
        called.is_ok()
    }
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
#[derive(Debug, Clone, Copy)]
struct CheckedResolver(TargetPolicy);

impl dns::Resolve for CheckedResolver {
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
