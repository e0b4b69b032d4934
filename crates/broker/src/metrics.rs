//! The broker's figures for Prometheus.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serve::{
    counters::Counters,
    metrics::{Figures, Kind, Take},
};

use crate::{coordinator::Coordinator, hub::census::Census};

/// How attempts to deliver hooks ended.
#[derive(Debug, Default)]
pub(crate) struct DeliveryCounts {
    pub delivered: AtomicU64,
    /// The receiver's server failed (5xx).
    pub not_taken: AtomicU64,
    /// Nobody answered.
    pub unanswered: AtomicU64,
    /// Its address is one where hooks may not go.
    pub refused: AtomicU64,
    /// Given up: nobody answered for a minute, or too many waited.
    pub lost: AtomicU64,
}

impl DeliveryCounts {
    /// Counts one.
    pub fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn by_result(&self) -> [(&'static str, u64); 5] {
        let all = [
            ("delivered", &self.delivered),
            ("not_taken", &self.not_taken),
            ("unanswered", &self.unanswered),
            ("refused", &self.refused),
            ("lost", &self.lost),
        ];
        all.map(|(result, counter)| (result, counter.load(Ordering::Relaxed)))
    }
}

/// Takes the broker's figures.
pub(crate) fn take(coordinator: &Arc<Coordinator>, counters: &Counters) -> Take {
    let (coordinator, counters) = (Arc::clone(coordinator), counters.clone());
    Take::new(move || std::future::ready(figures(&coordinator, &counters)))
}

pub(crate) fn figures(coordinator: &Coordinator, counters: &Counters) -> Figures {
    let census = coordinator.with_hub(|hub, _| hub.census());
    let mut figures = Figures::default();
    add_census(&mut figures, census);
    figures.add(
        "deskhand_broker_longest_hold_microseconds",
        Kind::Gauge,
        "The longest time for which one decision kept all others waiting, since the figures were taken last.",
        coordinator.hub.take_longest_micros(),
    );
    figures.add_each(
        "deskhand_broker_hook_attempts_total",
        Kind::Counter,
        "Attempts to deliver a hook, and hooks given up, by result.",
        "result",
        coordinator.deliverer.counts.by_result(),
    );
    figures.add_server(
        "deskhand_broker_sockets",
        "deskhand_broker_sockets_refused_total",
        counters,
    );
    figures.add(
        "deskhand_broker_work_in_flight",
        Kind::Gauge,
        "Saves, deliveries and e-mails under way.",
        coordinator.deliverer.in_flight(),
    );
    figures.add_each(
        "deskhand_broker_refusals_total",
        Kind::Counter,
        "Calls and connections refused, by kind.",
        "kind",
        coordinator.refusals.totals(),
    );
    figures
}

fn add_census(figures: &mut Figures, census: Census) {
    let help = "Sessions whose PIN works.";
    figures.add("deskhand_broker_sessions", Kind::Gauge, help, census.live_sessions);
    let help =
        "Sessions that are kept: those whose PIN works, and those that are remembered after that.";
    figures.add("deskhand_broker_sessions_kept", Kind::Gauge, help, census.kept_sessions);
    figures.add_each(
        "deskhand_broker_connections",
        Kind::Gauge,
        "Live connections of pages and programs, by who is at the other end.",
        "of",
        [
            ("presenter", census.connected.programs),
            ("customer_page", census.connected.customer_pages),
            ("asking", census.connected.asking),
            ("viewer", census.connected.viewers),
        ],
    );
    let help = "Streams of a screen.";
    figures.add("deskhand_broker_streams", Kind::Gauge, help, census.streams);
    figures.add_each(
        "deskhand_broker_outbox_mails",
        Kind::Gauge,
        "E-mails in the outbox, by what became of them.",
        "state",
        census.mails,
    );
}
