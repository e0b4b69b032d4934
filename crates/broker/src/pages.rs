//! The pages, compiled in. They carry no data: what they show comes over the live connection.

use std::borrow::Cow;

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serve::{HostGuard, PagePolicy};

use crate::viewer::{viewer_assets, viewer_policy};

pub(crate) fn routes(guard: HostGuard) -> Router {
    let pages = Router::new()
        .route("/", get(|| async { html(include_str!("pages/front.html")) }))
        .route("/join", get(|| async { html(include_str!("pages/join.html")) }))
        .route(
            "/assets/pages.css",
            get(|| async { css(serve::style_sheet(include_str!("pages/pages.css"))) }),
        )
        .route("/assets/front.js", get(|| async { script(include_str!("pages/front.js")) }))
        .route("/assets/join.js", get(|| async { script(include_str!("pages/join.js")) }))
        .route("/assets/live.js", get(|| async { script(include_str!("pages/live.js")) }))
        .route("/assets/parts.js", get(|| async { script(include_str!("pages/parts.js")) }))
        .route("/assets/program.js", get(|| async { script(include_str!("pages/program.js")) }))
        .route("/assets/icon.svg", get(|| async { icon() }));
    let viewer = viewer_policy(guard.clone()).protect(viewer());
    PagePolicy::default().live(guard).protect(pages).merge(viewer)
}

/// The viewer's page, or one that says that it is missing.
fn viewer() -> Router {
    let Some(assets) = viewer_assets() else {
        return Router::new()
            .route("/view", get(|| async { html(include_str!("pages/no-viewer.html")) }));
    };
    Router::new()
        .route("/view", get(move || async move { html(assets.html) }))
        .route("/viewer.css", get(move || async move { css(assets.css) }))
        .route("/viewer.js", get(move || async move { script(assets.js) }))
}

fn html(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn css(text: impl Into<Cow<'static, str>>) -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text.into()).into_response()
}

fn script(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response()
}

fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("pages/icon.svg")).into_response()
}
