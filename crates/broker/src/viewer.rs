//! The viewer's page: built from `ui/src/viewer`, compiled in here, shown by the broker and by the
//! console's own windows.

use serve::{HostGuard, PagePolicy};

/// The files of the viewer's page; the page names the other two relative to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewerAssets {
    /// The page itself.
    pub html: &'static str,
    /// `viewer.css`, beside the page.
    pub css: &'static str,
    /// `viewer.js`, beside the page.
    pub js: &'static str,
}

/// The viewer's page; `None` if this was built without the user interface.
pub const fn viewer_assets() -> Option<ViewerAssets> {
    include!(concat!(env!("OUT_DIR"), "/viewer.rs"))
}

/// The policy under which the page works: pictures and pointers come out of the stream as `data:`.
pub fn viewer_policy(guard: HostGuard) -> PagePolicy {
    PagePolicy::default().images("'self' data:").live(guard)
}
