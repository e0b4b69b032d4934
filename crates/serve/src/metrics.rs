//! What a server counts, in the text form of Prometheus, on a listener of its own.
//!
//! It never shares a listener with what strangers reach: whoever reads the figures learns how busy a server is. Names
//! and labels are fixed texts, so no PIN, address or text of a person can be among them.

use std::{fmt::Write as _, future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};

use axum::{Router, http::header, response::IntoResponse as _, routing::get};

use crate::{
    BindError, Health, HostGuard, Limits, Port, Server, bind,
    counters::{Counters, Refusal},
};

/// How a figure behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the program ends.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Figures, as they are written down.
#[derive(Debug, Default)]
pub struct Figures(String);

impl Figures {
    /// One figure without labels.
    pub fn add(&mut self, name: &'static str, kind: Kind, help: &'static str, value: u64) {
        self.head(name, kind, help);
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{name} {value}");
    }

    /// One figure for each value of a label.
    pub fn add_each(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) {
        self.head(name, kind, help);
        for (of, value) in values {
            let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
        }
    }

    /// What a server counts of its connections: how many are open, and what was refused, under these two names.
    pub fn add_server(&mut self, open: &'static str, refused: &'static str, counters: &Counters) {
        let counts = counters.snapshot();
        self.add(open, Kind::Gauge, "Connections that are open.", counts.open as u64);
        let kinds = Refusal::ALL.map(|kind| (kind.name(), counts.of(kind)));
        self.add_each(
            refused,
            Kind::Counter,
            "Connections refused or cut, by kind.",
            "kind",
            kinds,
        );
    }

    /// Adds the figures of another server in this process.
    pub fn append(&mut self, others: Self) {
        self.0.push_str(&others.0);
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
}

/// Takes the figures at one moment; clones are the same one.
#[derive(Clone)]
pub struct Take(Arc<dyn Fn() -> Taking + Send + Sync>);

type Taking = Pin<Box<dyn Future<Output = Figures> + Send>>;

impl Take {
    /// Figures that `take` has at hand or asks for.
    pub fn new<F>(take: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Figures> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(take())))
    }
}

fn routes(take: Take) -> Router {
    Router::new().route("/metrics", get(move || answer(take.clone())))
}

async fn answer(take: Take) -> axum::response::Response {
    const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
    let headers = [
        (header::CONTENT_TYPE, TYPE),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, (take.0)().await.into_text()).into_response()
}

/// Starts a listener for metrics and health alone, at an address that nobody else is served at.
///
/// # Errors
/// When the address can't be listened on or served.
pub fn start<E: From<BindError> + From<io::Error>>(
    addr: SocketAddr,
    take: Take,
    health: &Health,
) -> Result<Server, E> {
    let bound = bind(addr.ip(), Port::from_number(addr.port()))?;
    let guard = HostGuard::new(bound.addr(), None);
    let routes = health.beside(&guard, guard.protect(routes(take)));
    Ok(Server::start(bound, routes, Limits::default(), None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let mut figures = Figures::default();
        figures.add("deskhand_sessions", Kind::Gauge, "Sessions.", 3);
        let by_result = [("delivered", 2), ("lost", 0)];
        figures.add_each("deskhand_deliveries_total", Kind::Counter, "Hooks.", "result", by_result);
        assert_eq!(
            figures.into_text(),
            "# HELP deskhand_sessions Sessions.\n# TYPE deskhand_sessions gauge\ndeskhand_sessions 3\n\
             # HELP deskhand_deliveries_total Hooks.\n# TYPE deskhand_deliveries_total counter\n\
             deskhand_deliveries_total{result=\"delivered\"} 2\n\
             deskhand_deliveries_total{result=\"lost\"} 0\n"
        );
    }
}
