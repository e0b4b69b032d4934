//! The files of the sign-in page in the program's bundle. `deskhand headless`, which opens no
//! window, uses them too.

use std::borrow::Cow;

use console::app::Pages;

/// The files as `ui/build-pages.js` names them.
const NAMES: [&str; 2] = ["passkey.js", "passkey.css"];

/// The bundle of the app.
#[derive(Clone, Copy, Debug)]
pub struct Bundled;

impl Pages for Bundled {
    // Only these: a browser must not get the pages of the window.
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
