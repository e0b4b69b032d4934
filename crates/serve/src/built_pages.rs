//! The pages that `ui/` built, compiled in by `build.rs`: the only place from which a server here takes a page.
//!
//! They carry no data: what they show, they ask their server for.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// Every file, with the page that it belongs to.
static FILES: &[(&str, PageFile)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// One file of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageFile {
    /// Such as `join.html`.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl PageFile {
    /// The value of the Content-Type header.
    pub fn content_type(self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some(_) | None => "application/octet-stream",
        }
    }
}

impl IntoResponse for PageFile {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, self.content_type())], self.text).into_response()
    }
}

/// A file of a page, such as `join.html` of `join`; none if there is no such file, or if this was built without pages.
pub fn page_file(page: &str, name: &str) -> Option<PageFile> {
    let found = FILES.iter().find(|(owner, file)| *owner == page && file.name == name);
    found.map(|(_, file)| *file)
}

/// Answers with a page's HTML, or with one that says that this was built without pages.
pub fn page_html(page: &str, name: &str) -> Response {
    let missing = PageFile { name: "no-pages.html", text: include_str!("no-pages.html") };
    page_file(page, name).unwrap_or(missing).into_response()
}

/// Answers with what belongs to a page: its scripts, its style sheet, its icon.
pub fn page_asset(page: &str, name: &str) -> Response {
    match page_file(page, name) {
        Some(file) => file.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
