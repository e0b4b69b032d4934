//! The forms in which this program serves the clipboard.

use std::sync::Arc;

use x11rb::protocol::xproto::{Atom, AtomEnum};

use super::x_connection::XConnection;
use crate::screen::{Contents, SavedClipboard, ScreenError};

/// What is served in one form.
#[derive(Debug, Clone)]
pub struct ServedForm {
    pub target: Atom,
    /// The type of the contents.
    pub kind: Atom,
    /// The bits of one of its numbers.
    pub unit: u8,
    pub bytes: Arc<[u8]>,
}

/// Those of a viewer's text or picture.
pub fn of_contents(
    server: &XConnection,
    contents: &Contents,
) -> Result<Arc<[ServedForm]>, ScreenError> {
    let form = |target, kind, bytes: &Arc<[u8]>| {
        let bytes = Arc::clone(bytes);
        ServedForm { target, kind, unit: 8, bytes }
    };
    Ok(match contents {
        Contents::Text(text) => {
            let [utf8, mime] = [server.atom("UTF8_STRING")?, server.atom(PLAIN_TEXT)?];
            let (any, string) = (server.atom("TEXT")?, Atom::from(AtomEnum::STRING));
            let bytes = text.as_bytes().into();
            // The target STRING is Latin-1 (ICCCM, section 2.6.2).
            let latin = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
            [
                form(utf8, utf8, &bytes),
                form(mime, mime, &bytes),
                form(any, utf8, &bytes),
                form(string, string, &latin),
            ]
            .into()
        }
        Contents::Picture(picture) => {
            let png = server.atom("image/png")?;
            [form(png, png, &picture.bytes().into())].into()
        }
    })
}

/// Those of what was there before.
pub fn of_saved(
    server: &XConnection,
    saved: &SavedClipboard,
) -> Result<Arc<[ServedForm]>, ScreenError> {
    let forms = saved.forms.iter().map(|form| {
        let (target, kind) = (server.atom(&form.name)?, server.atom(&form.kind)?);
        Ok(ServedForm { target, kind, unit: form.unit, bytes: form.bytes.as_slice().into() })
    });
    forms.collect()
}

const PLAIN_TEXT: &str = "text/plain;charset=utf-8";
