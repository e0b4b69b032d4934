//! Passwordless.dev's calls.

use axum::Router;

use crate::desk::Desk;

/// All routes.
pub(crate) fn routes(desk: Desk) -> Router {
    Router::new().with_state(desk)
}
