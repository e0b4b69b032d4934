//! Metrics and health of the webhook listener and of the broker that comes along, on an address of their own.

use std::{io, net::SocketAddr, sync::Arc};

use serve::{
    BindError, Health, Server,
    metrics::{self, Figures, Take},
};

use super::App;

/// Metrics can't be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetricsError {
    #[error("tell metrics: {0}")]
    Bind(#[from] BindError),
    #[error("tell metrics: serve their socket: {0}")]
    Serve(#[from] io::Error),
}

impl App {
    /// Tells metrics at `/metrics`, and health, to whoever reaches this address, until the server is shut down.
    ///
    /// # Errors
    /// The address can't be listened on.
    pub(crate) fn tell_metrics(&self, addr: SocketAddr) -> Result<Server, MetricsError> {
        // The engine of the moment: a change of settings may replace it.
        let engine = Arc::clone(&self.console().engine);
        let health = Health::new(move || {
            let engine = Arc::clone(&engine);
            async move {
                // Without the guard: the engine's end waits for nobody who asks.
                let health = engine.get().await.map(|engine| engine.readiness());
                health.ok_or("no webhook listener runs")?.ready().await
            }
        });
        let console = Arc::clone(self.console());
        let take = Take::new(move || {
            let console = Arc::clone(&console);
            async move {
                let engine = console.engine.get().await;
                let mut figures = engine.map_or_else(Figures::default, |engine| engine.figures());
                figures.append(console.broker.figures().await);
                figures
            }
        });
        metrics::start(addr, take, &health)
    }
}
