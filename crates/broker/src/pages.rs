//! The pages of the broker and their files.

use axum::{Router, extract::Path, routing::get};
use serve::{HostGuard, PagePolicy, page_asset, page_html};

pub(crate) fn routes(guard: HostGuard) -> Router {
    let join = Router::new()
        .route("/", get(|| async { page_html("join", "front.html") }))
        .route("/join", get(|| async { page_html("join", "join.html") }))
        .route(
            "/assets/{file}",
            get(|Path(file): Path<String>| async move { page_asset("join", &file) }),
        );
    // The viewer's page names its files relative to itself, for the console's windows have it under another path.
    let viewer = Router::new()
        .route("/view", get(|| async { page_html("viewer", "viewer.html") }))
        .route("/viewer.css", get(|| async { page_asset("viewer", "viewer.css") }))
        .route("/viewer.js", get(|| async { page_asset("viewer", "viewer.js") }));
    let viewer = viewer_policy(guard.clone()).protect(viewer);
    PagePolicy::default().live(guard).protect(join).merge(viewer)
}

/// The policy under which the viewer's page works: pictures and pointers come out of the stream as `data:`.
pub fn viewer_policy(guard: HostGuard) -> PagePolicy {
    PagePolicy::default().images("'self' data:").live(guard)
}
