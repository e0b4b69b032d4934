//! A viewer's messages, out of bytes that were split anywhere.

use crate::{Limits, ProtocolError, Rect, format::Format};

/// One message of a viewer (RFC 6143, 7.5, and extensions).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    PixelFormat(Format),
    Encodings(Vec<i32>),
    Request {
        incremental: bool,
        area: Rect,
    },
    Key {
        down: bool,
        keysym: u32,
        scancode: Option<u32>,
    },
    Pointer {
        x: u16,
        y: u16,
        buttons: u16,
    },
    /// Latin-1.
    Clipboard(&'a [u8]),
    /// The extended clipboard's: flags and what follows them.
    ExtendedClipboard {
        flags: u32,
        body: &'a [u8],
    },
    Fence {
        flags: u32,
        payload: &'a [u8],
    },
    ContinuousUpdates {
        on: bool,
        area: Rect,
    },
    DesktopSize,
    /// Known and of no use here.
    Nothing,
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// A message of so many bytes.
    Message(Message<'a>, usize),
    /// One that is too long to be taken; so many bytes are to be passed over.
    TooMuch(usize),
    /// Not all of it is there yet.
    Incomplete,
}

/// What a message's meaning hangs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) limits: Limits,
    /// The pointer's highest bit says that one more byte follows.
    pub(crate) extended_buttons: bool,
    /// A negative length means the extended clipboard.
    pub(crate) extended_clipboard: bool,
}

/// A fence's payload has 64 bytes at most.
const FENCE: usize = 64;
/// Compressed text that can't be made smaller is a little larger than the text.
const ZLIB_OVERHEAD: usize = 1024;

/// Reads a message off the front.
pub(crate) fn next(bytes: &[u8], context: Context) -> Result<Next<'_>, ProtocolError> {
    let Some(kind) = bytes.first() else { return Ok(Next::Incomplete) };
    let found = match kind {
        0 => return pixel_format(bytes),
        2 => encodings(bytes),
        3 => fixed(bytes, |[_, incremental, area @ ..]: &[u8; 10]| Message::Request {
            incremental: *incremental != 0,
            area: rect(area),
        }),
        4 => fixed(bytes, |[_, down, _, _, keysym @ ..]: &[u8; 8]| Message::Key {
            down: *down != 0,
            keysym: u32::from_be_bytes(*keysym),
            scancode: None,
        }),
        5 => pointer(bytes, context.extended_buttons),
        6 => clipboard(bytes, context),
        150 => fixed(bytes, |[_, on, area @ ..]: &[u8; 10]| Message::ContinuousUpdates {
            on: *on != 0,
            area: rect(area),
        }),
        248 => return fence(bytes),
        250 => fixed(bytes, |_: &[u8; 4]| Message::Nothing),
        251 => desktop_size(bytes),
        255 => return qemu(bytes),
        other => return Err(ProtocolError::Message(*other)),
    };
    Ok(found)
}

fn fixed<'a, const N: usize>(bytes: &[u8], read: impl Fn(&[u8; N]) -> Message<'a>) -> Next<'a> {
    match bytes.first_chunk::<N>() {
        Some(all) => Next::Message(read(all), N),
        None => Next::Incomplete,
    }
}

fn rect(bytes: &[u8; 8]) -> Rect {
    let [x, y, w, h] = [0, 2, 4, 6].map(|at| u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    Rect { x, y, w, h }
}

fn pixel_format(bytes: &[u8]) -> Result<Next<'_>, ProtocolError> {
    match bytes.first_chunk::<20>() {
        Some([_, _, _, _, format @ ..]) => {
            Ok(Next::Message(Message::PixelFormat(Format::read(format)?), 20))
        }
        None => Ok(Next::Incomplete),
    }
}

fn encodings(bytes: &[u8]) -> Next<'_> {
    let Some([_, _, high, low]) = bytes.first_chunk::<4>() else { return Next::Incomplete };
    let count = usize::from(u16::from_be_bytes([*high, *low]));
    match bytes[4..].get(..count * 4) {
        Some(all) => {
            let all = all.as_chunks::<4>().0.iter().map(|one| i32::from_be_bytes(*one));
            Next::Message(Message::Encodings(all.collect()), 4 + count * 4)
        }
        None => Next::Incomplete,
    }
}

fn pointer(bytes: &[u8], extended: bool) -> Next<'_> {
    let Some([_, low, place @ ..]) = bytes.first_chunk::<6>() else { return Next::Incomplete };
    let [x, y] = [[place[0], place[1]], [place[2], place[3]]].map(u16::from_be_bytes);
    let (mut buttons, mut length) = (u16::from(*low), 6);
    if extended && low & 0x80 != 0 {
        let Some(high) = bytes.get(6) else { return Next::Incomplete };
        buttons = u16::from(low & 0x7f) | u16::from(*high) << 7;
        length = 7;
    }
    Next::Message(Message::Pointer { x, y, buttons }, length)
}

fn clipboard(bytes: &[u8], context: Context) -> Next<'_> {
    let Some([_, _, _, _, length @ ..]) = bytes.first_chunk::<8>() else {
        return Next::Incomplete;
    };
    let signed = i32::from_be_bytes(*length);
    let is_extended = context.extended_clipboard && signed < 0;
    let length = if is_extended { signed.unsigned_abs() } else { signed.cast_unsigned() } as usize;
    let most = context.limits.clipboard + if is_extended { ZLIB_OVERHEAD } else { 0 };
    if length > most {
        return Next::TooMuch(8 + length);
    }
    let Some(body) = bytes[8..].get(..length) else { return Next::Incomplete };
    let message = match body.split_first_chunk::<4>() {
        _ if !is_extended => Message::Clipboard(body),
        Some((flags, body)) => {
            Message::ExtendedClipboard { flags: u32::from_be_bytes(*flags), body }
        }
        None => Message::Nothing,
    };
    Next::Message(message, 8 + length)
}

fn fence(bytes: &[u8]) -> Result<Next<'_>, ProtocolError> {
    let Some([_, _, _, _, flags @ .., length]) = bytes.first_chunk::<9>() else {
        return Ok(Next::Incomplete);
    };
    let length = usize::from(*length);
    if length > FENCE {
        return Err(ProtocolError::TooLong);
    }
    Ok(match bytes[9..].get(..length) {
        Some(payload) => {
            let flags = u32::from_be_bytes(*flags);
            Next::Message(Message::Fence { flags, payload }, 9 + length)
        }
        None => Next::Incomplete,
    })
}

fn desktop_size(bytes: &[u8]) -> Next<'_> {
    let Some([.., screens, _]) = bytes.first_chunk::<8>() else { return Next::Incomplete };
    let length = 8 + usize::from(*screens) * 16;
    if bytes.len() < length {
        Next::Incomplete
    } else {
        Next::Message(Message::DesktopSize, length)
    }
}

/// QEMU's messages; only the extended key event has a length that is known.
fn qemu(bytes: &[u8]) -> Result<Next<'_>, ProtocolError> {
    match bytes.get(1) {
        None => Ok(Next::Incomplete),
        Some(0) => Ok(fixed(bytes, |all: &[u8; 12]| {
            let number =
                |at: usize| u32::from_be_bytes([all[at], all[at + 1], all[at + 2], all[at + 3]]);
            let down = all[2] != 0 || all[3] != 0;
            Message::Key { down, keysym: number(4), scancode: Some(number(8)) }
        })),
        Some(_) => Err(ProtocolError::Message(255)),
    }
}
