//! Rectangles that say something about the screen instead of showing it.

use crate::{Monitor, Rect, encode::head, server::Screen};

const DESKTOP_SIZE: i32 = -223;
const EXTENDED_DESKTOP_SIZE: i32 = -308;
/// The viewer may send QEMU's extended key events.
pub(crate) const EXTENDED_KEYS: i32 = -258;
/// The viewer may send more than eight buttons.
pub(crate) const EXTENDED_BUTTONS: i32 = -316;
/// "Resize is administratively prohibited."
const PROHIBITED: u16 = 1;

/// Why the viewer is told of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The screen has it.
    Screen,
    /// The viewer wanted another one.
    Refused,
}

/// A size alone.
pub(crate) fn plain(screen: &Screen, to: &mut Vec<u8>) {
    head(screen.area, DESKTOP_SIZE, to);
}

/// A size and the monitors; the protocol counts up to 255 of them.
pub(crate) fn extended(screen: &Screen, why: Why, to: &mut Vec<u8>) {
    let (reason, status) = match why {
        Why::Screen => (0, 0),
        Why::Refused => (1, PROHIBITED),
    };
    head(Rect { x: reason, y: status, ..screen.area }, EXTENDED_DESKTOP_SIZE, to);
    let whole = [Monitor { id: 0, area: screen.area }];
    let monitors = if screen.monitors.is_empty() { &whole } else { &screen.monitors[..] };
    let monitors = &monitors[..monitors.len().min(255)];
    to.extend([monitors.len() as u8, 0, 0, 0]);
    for Monitor { id, area } in monitors {
        to.extend(id.to_be_bytes());
        to.extend([area.x, area.y, area.w, area.h].map(u16::to_be_bytes).as_flattened());
        to.extend([0; 4]);
    }
}
