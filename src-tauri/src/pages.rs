//! The files of the sign-in page, as the program brings them along; `deskhand headless`, which opens no window, too.

use std::borrow::Cow;

use console::app::Pages;

/// As `ui/build-pages.js` names them.
const NAMES: [&str; 2] = ["passkey.js", "passkey.css"];

/// The app's own bundle.
#[derive(Clone, Copy, Debug)]
pub struct Bundled;

impl Pages for Bundled {
    /// The file `name`, if it is one of the sign-in page's: the window's own page is nobody else's to have.
    fn get(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        let known = NAMES.contains(&name);
        let context = known.then(crate::context)?;
        context.assets().get(&name.into()).map(|bytes| Cow::Owned(bytes.into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_in_page_is_there_and_nothing_of_the_window() {
        for name in NAMES {
            assert!(Bundled.get(name).is_some_and(|bytes| !bytes.is_empty()), "{name}");
        }
        for other in ["index.html", "/index.html", "../passkey.js", "assets", ""] {
            assert_eq!(Bundled.get(other), None, "{other}");
        }
    }
}
