//! The viewer's page. It is built from `ui/src/viewer` and compiled in here, and both the broker and the console's own
//! windows show it.

use serve::{HostGuard, PagePolicy};

/// The files of the viewer's page; the page names the other two relative to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewerAssets {
    pub html: &'static str,
    pub css: &'static str,
    pub js: &'static str,
}

/// The viewer's page; `None` if this crate was built without the user interface.
pub const fn viewer_assets() -> Option<ViewerAssets> {
    include!(concat!(env!("OUT_DIR"), "/viewer.rs"))
}

/// The content security policy that the page needs. Its pictures and pointers come as `data:` out of the stream.
pub fn viewer_policy(guard: HostGuard) -> PagePolicy {
    PagePolicy::default().images("'self' data:").live(guard)
}
