//! The files of the passkey page, from the program's bundle or from a folder.

use std::{borrow::Cow, fmt, path::PathBuf, sync::Arc};

/// The source of the page's files: `passkey.js` and `passkey.css`.
pub trait Pages: Send + Sync + 'static {
    /// A file's bytes; none if it isn't there.
    fn get(&self, name: &str) -> Option<Cow<'static, [u8]>>;
}

/// A program without the page, with which nobody can sign in.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPages;

impl Pages for NoPages {
    fn get(&self, _: &str) -> Option<Cow<'static, [u8]>> {
        None
    }
}

/// A folder that the page was built into.
#[derive(Debug, Clone)]
pub struct PagesIn(pub PathBuf);

impl Pages for PagesIn {
    fn get(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        std::fs::read(self.0.join(name)).ok().map(Cow::Owned)
    }
}

/// The page's files within the program.
#[derive(Clone)]
pub struct Bundle(pub Arc<dyn Pages>);

impl Default for Bundle {
    fn default() -> Self {
        Self(Arc::new(NoPages))
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bundle")
    }
}
