//! The sandbox's figures for Prometheus: how many calls each stand-in answered, by their outcome.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
};
use serve::{
    Counters, Tally,
    metrics::{Figures, Kind, Take},
};

/// What the stand-ins answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    outcomes: [Outcomes; 3],
    /// What was refused, which the log tells at most once a minute for each kind.
    refusals: Tally,
}

#[derive(Debug, Default)]
struct Outcomes {
    answered: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl Calls {
    /// Counts what these routes answer for the service of this number.
    pub fn counted(&self, service: usize, routes: Router) -> Router {
        let counting = (self.clone(), service);
        routes.layer(middleware::from_fn_with_state(counting, count))
    }

    /// Takes the figures, with what the three servers count of their connections.
    pub fn take(&self, servers: [Counters; 3]) -> Take {
        let calls = self.clone();
        Take::new(move || std::future::ready(calls.figures(&servers)))
    }

    fn figures(&self, servers: &[Counters; 3]) -> Figures {
        let mut figures = Figures::default();
        for (counters, [open, refused]) in servers.iter().zip(SOCKETS) {
            figures.add_server(open, refused, counters);
        }
        for (outcomes, name) in self.0.outcomes.iter().zip(NAMES) {
            let counted = [
                ("answered", &outcomes.answered),
                ("refused", &outcomes.refused),
                ("failed", &outcomes.failed),
            ];
            figures.add_each(
                name,
                Kind::Counter,
                "Calls, by outcome: refused is 4xx, failed is 5xx.",
                "outcome",
                counted.map(|(outcome, counter)| (outcome, counter.load(Ordering::Relaxed))),
            );
        }
        figures
    }
}

/// The names of their figures.
const NAMES: [&str; 3] = [
    "deskhand_sandbox_logintc_calls_total",
    "deskhand_sandbox_rocketchat_calls_total",
    "deskhand_sandbox_passwordless_calls_total",
];

/// The names of what their servers count of connections: those that are open, and those that were refused.
const SOCKETS: [[&str; 2]; 3] = [
    ["deskhand_sandbox_logintc_sockets", "deskhand_sandbox_logintc_sockets_refused_total"],
    ["deskhand_sandbox_rocketchat_sockets", "deskhand_sandbox_rocketchat_sockets_refused_total"],
    [
        "deskhand_sandbox_passwordless_sockets",
        "deskhand_sandbox_passwordless_sockets_refused_total",
    ],
];

/// The kind of a refusal, for each service.
const fn kind(status: StatusCode) -> [&'static str; 3] {
    match status.as_u16() {
        401 => ["logintc_unauthorized", "rocketchat_unauthorized", "passwordless_unauthorized"],
        403 => ["logintc_forbidden", "rocketchat_forbidden", "passwordless_forbidden"],
        404 => ["logintc_not_found", "rocketchat_not_found", "passwordless_not_found"],
        429 => ["logintc_too_many", "rocketchat_too_many", "passwordless_too_many"],
        _ => ["logintc_bad_request", "rocketchat_bad_request", "passwordless_bad_request"],
    }
}

async fn count(
    State((calls, service)): State<(Calls, usize)>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let (status, outcomes) = (response.status(), &calls.0.outcomes[service]);
    let counter = if status.is_server_error() {
        &outcomes.failed
    } else if status.is_client_error() {
        calls.0.refusals.refused(kind(status)[service]);
        &outcomes.refused
    } else {
        &outcomes.answered
    };
    counter.fetch_add(1, Ordering::Relaxed);
    response
}
