//! Whether a server is alive and can do its work, for those who watch over it: `/healthz` and `/readyz`.
//!
//! Both answer beside the guard against foreign hosts, since a load balancer or an orchestrator asks by the address of
//! the machine or container, with any port, or without a `Host` at all. A name that isn't ours is refused here as
//! everywhere: only by a name could a page of another site read the answer (DNS rebinding).
//!
//! Anybody may ask, as often as they like: the check is made at most every two seconds, and one at a time.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{HostGuard, guard};

/// How long a result is given to others who ask.
const FRESH_FOR: Duration = Duration::from_secs(2);
/// A check that takes longer has failed: a disk that hangs is no disk.
const CHECKED_WITHIN: Duration = Duration::from_secs(2);

/// Why a server isn't ready. Everybody may read it, so it is a fixed text.
pub type NotReady = &'static str;

type Checking = Pin<Box<dyn Future<Output = Result<(), NotReady>> + Send>>;

/// A server's health; clones are the same one.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    check: Box<dyn Fn() -> Checking + Send + Sync>,
    stopping: AtomicBool,
    last: Mutex<Option<(Instant, Result<(), NotReady>)>>,
}

impl Health {
    /// `check` tries whether the server can do its work; what it does is done for strangers, but rarely.
    pub fn new<F>(check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), NotReady>> + Send + 'static,
    {
        let check = Box::new(move || Box::pin(check()) as Checking);
        Self(Arc::new(Inner { check, stopping: AtomicBool::new(false), last: Mutex::new(None) }))
    }

    /// Not ready from now on: the server is about to end, and whoever has another one should go there.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it can do its work, as of the last two seconds.
    ///
    /// # Errors
    /// Why it can't.
    pub async fn ready(&self) -> Result<(), NotReady> {
        const STOPPING: Result<(), NotReady> = Err("it is shutting down");
        let stopping = || self.0.stopping.load(Ordering::Relaxed);
        if stopping() {
            return STOPPING;
        }
        // Held during the check, so that the others who ask wait for its result.
        let mut last = self.0.last.lock().await;
        let result = match *last {
            Some((at, result)) if at.elapsed() < FRESH_FOR => result,
            Some(_) | None => {
                let checked = timeout(CHECKED_WITHIN, (self.0.check)()).await;
                let result = checked.unwrap_or(Err("what it needs doesn't answer"));
                *last = Some((Instant::now(), result));
                result
            }
        };
        if stopping() { STOPPING } else { result }
    }

    /// Answers `/healthz` and `/readyz` before routes that `guard` protects already.
    // Not as routes merged with the others: the fallback of these would then be that of all.
    pub fn beside(&self, guard: &HostGuard, protected: Router) -> Router {
        let state = (self.clone(), guard.clone());
        protected.layer(middleware::from_fn_with_state(state, answer_probe))
    }
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

async fn answer_probe(
    State((health, guard)): State<(Health, HostGuard)>,
    request: Request,
    next: Next,
) -> Response {
    let asks_readiness = match request.uri().path() {
        "/healthz" => false,
        "/readyz" => true,
        _ => return next.run(request).await,
    };
    if !guard.allows_probe(&request) {
        return guard::foreign_host();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    answer(if asks_readiness { health.ready().await } else { Ok(()) })
}

fn answer(result: Result<(), NotReady>) -> Response {
    let headers =
        [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    match result {
        Ok(()) => (headers, "ok\n").into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, headers, format!("not ready: {why}\n"))
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_cost_one_check_and_a_later_one_costs_another() {
        let checks = Arc::new(AtomicU32::new(0));
        let counted = checks.clone();
        let health = Health::new(move || {
            let before = counted.fetch_add(1, Ordering::Relaxed);
            async move { if before == 0 { Err("the store can't be written") } else { Ok(()) } }
        });
        let asked = futures_util::future::join_all((0..1_000).map(|_| health.ready())).await;
        assert!(asked.iter().all(|answer| *answer == Err("the store can't be written")));
        assert_eq!(checks.load(Ordering::Relaxed), 1);
        tokio::time::advance(FRESH_FOR).await;
        assert_eq!(health.ready().await, Ok(()));
        assert_eq!(checks.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_not_ready_and_one_that_stops_never_is_again() {
        let hangs = Health::new(std::future::pending);
        assert_eq!(hangs.ready().await, Err("what it needs doesn't answer"));
        let health = Health::new(|| async { Ok(()) });
        assert_eq!(health.ready().await, Ok(()));
        // Also within the time for which a result is fresh.
        health.stop();
        assert_eq!(health.ready().await, Err("it is shutting down"));
    }
}
