//! Connections of their own for calls that are made once more: a service that ended one warm connection may have ended
//! the others as well, as it does when it starts again.

use std::sync::Arc;

use tokio::sync::OnceCell;
use url::Url;

use super::{Timeouts, builder};

/// Builds a client that keeps no connection warm, once it is needed.
#[derive(Debug, Clone)]
pub(super) struct Unpooled(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    user_agent: String,
    target: Url,
    timeouts: Timeouts,
    built: OnceCell<Option<reqwest::Client>>,
}

impl Unpooled {
    pub fn new(user_agent: &str, target: &Url, timeouts: &Timeouts) -> Self {
        Self(Arc::new(Parts {
            user_agent: user_agent.to_owned(),
            target: target.clone(),
            timeouts: *timeouts,
            built: OnceCell::new(),
        }))
    }

    /// The client; none if this computer's certificates can't be read any more.
    pub async fn get(&self) -> Option<reqwest::Client> {
        let parts = self.0.clone();
        // Building one may read this computer's certificates, which blocks.
        let build = async move {
            let build = move || {
                let builder = builder(&parts.user_agent, &parts.target, &parts.timeouts);
                builder.pool_max_idle_per_host(0).build().ok()
            };
            tokio::task::spawn_blocking(build).await.ok().flatten()
        };
        self.0.built.get_or_init(|| build).await.clone()
    }
}
