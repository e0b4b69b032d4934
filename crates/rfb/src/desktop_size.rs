//! Pseudo-encoded rectangles about the screen's size and monitors, and about what the server supports.

use crate::{Monitor, Rect, encode::write_rect_header};

const DESKTOP_SIZE: i32 = -223;
const EXTENDED_DESKTOP_SIZE: i32 = -308;
/// The viewer may send QEMU's extended key events.
pub(crate) const EXTENDED_KEYS: i32 = -258;
/// The viewer may send more than eight buttons.
pub(crate) const EXTENDED_BUTTONS: i32 = -316;
/// "Resize is administratively prohibited."
const PROHIBITED: u16 = 1;

/// The screen's size and monitors as they are now, which the viewer may not know yet.
#[derive(Debug)]
pub(crate) struct Desktop {
    pub(crate) area: Rect,
    pub(crate) monitors: Vec<Monitor>,
}

/// Why an ExtendedDesktopSize rectangle is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The screen's size or monitors have changed.
    ScreenChanged,
    /// The viewer asked for another size.
    Refused,
}

/// DesktopSize (RFC 6143, 7.8.2): the size alone.
pub(crate) fn write_plain(screen: &Desktop, to: &mut Vec<u8>) {
    write_rect_header(screen.area, DESKTOP_SIZE, to);
}

/// ExtendedDesktopSize: the size and the monitors.
pub(crate) fn write_extended(screen: &Desktop, why: Reason, to: &mut Vec<u8>) {
    // rfbproto, "ExtendedDesktopSize": x holds the reason, and y the status of the viewer's request.
    let (reason, status) = match why {
        Reason::ScreenChanged => (0, 0),
        Reason::Refused => (1, PROHIBITED),
    };
    write_rect_header(Rect { x: reason, y: status, ..screen.area }, EXTENDED_DESKTOP_SIZE, to);
    let whole = [Monitor { id: 0, area: screen.area }];
    let monitors = if screen.monitors.is_empty() { &whole } else { &screen.monitors[..] };
    // Their number is one byte.
    let monitors = &monitors[..monitors.len().min(255)];
    to.extend([monitors.len() as u8, 0, 0, 0]);
    for Monitor { id, area } in monitors {
        to.extend(id.to_be_bytes());
        to.extend([area.x, area.y, area.w, area.h].map(u16::to_be_bytes).as_flattened());
        to.extend([0; 4]);
    }
}
