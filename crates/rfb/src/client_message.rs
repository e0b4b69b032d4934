//! Parsing a viewer's messages out of bytes that were split anywhere.

use crate::{Event, ProtocolError, Rect, clipboard, format::Format};

/// One message of a viewer (RFC 6143, 7.5, and its extensions).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClientMessage<'a> {
    SetPixelFormat(Format),
    SetEncodings(Vec<i32>),
    UpdateRequest {
        incremental: bool,
        area: Rect,
    },
    /// Something that the server only passes on: a key, the pointer, or a clipboard text in Latin-1.
    Input(Event),
    /// ClientCutText of the Extended Clipboard.
    ExtendedCutText {
        flags: u32,
        body: &'a [u8],
    },
    Fence {
        flags: u32,
        payload: &'a [u8],
    },
    EnableContinuousUpdates {
        on: bool,
        area: Rect,
    },
    SetDesktopSize,
    /// A known message that has no use here.
    Ignored,
}

/// What the first bytes of the input are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A message and its length in bytes.
    Message(ClientMessage<'a>, usize),
    /// A message beyond the limits: its length in bytes, which are to be skipped.
    TooLong(usize),
    /// The message hasn't arrived as a whole.
    Incomplete,
}

/// The settings on which the meaning of a message's bytes depends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParseContext {
    /// The longest clipboard text that is taken, in bytes.
    pub(crate) longest_clipboard: usize,
    /// The largest picture that is taken, in bytes.
    pub(crate) largest_picture: usize,
    /// The highest bit of PointerEvent's buttons says that one more byte follows.
    pub(crate) extended_buttons: bool,
    /// A negative length of ClientCutText means the Extended Clipboard.
    pub(crate) extended_clipboard: bool,
}

/// The longest payload of a fence in bytes (rfbproto, "ClientFence").
const LONGEST_FENCE: usize = 64;
/// How many bytes a compressed text may be longer than the text: zlib adds some where it can't compress.
const ZLIB_OVERHEAD: usize = 1024;
/// The bytes of the Extended Clipboard's flags.
const FLAGS: usize = 4;

/// Parses the first message in `bytes`.
pub(crate) fn parse(bytes: &[u8], context: ParseContext) -> Result<Parsed<'_>, ProtocolError> {
    let Some(kind) = bytes.first() else { return Ok(Parsed::Incomplete) };
    let found = match kind {
        0 => return pixel_format(bytes),
        2 => encodings(bytes),
        3 => fixed(bytes, |[_, incremental, area @ ..]: &[u8; 10]| ClientMessage::UpdateRequest {
            incremental: *incremental != 0,
            area: rect(area),
        }),
        4 => fixed(bytes, |[_, down, _, _, keysym @ ..]: &[u8; 8]| {
            let keysym = u32::from_be_bytes(*keysym);
            ClientMessage::Input(Event::Key { down: *down != 0, keysym, scancode: None })
        }),
        5 => pointer(bytes, context.extended_buttons),
        6 => clipboard(bytes, context),
        150 => fixed(bytes, |[_, on, area @ ..]: &[u8; 10]| {
            ClientMessage::EnableContinuousUpdates { on: *on != 0, area: rect(area) }
        }),
        248 => return fence(bytes),
        // xvp's requests to shut down or to reboot. This server never says that it supports xvp, and obeys none.
        250 => fixed(bytes, |_: &[u8; 4]| ClientMessage::Ignored),
        251 => desktop_size(bytes),
        255 => return qemu(bytes),
        other => return Err(ProtocolError::Message(*other)),
    };
    Ok(found)
}

fn fixed<'a, const N: usize>(
    bytes: &[u8],
    read: impl Fn(&[u8; N]) -> ClientMessage<'a>,
) -> Parsed<'a> {
    match bytes.first_chunk::<N>() {
        Some(all) => Parsed::Message(read(all), N),
        None => Parsed::Incomplete,
    }
}

fn rect(bytes: &[u8; 8]) -> Rect {
    let [x, y, w, h] = [0, 2, 4, 6].map(|at| u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    Rect { x, y, w, h }
}

fn pixel_format(bytes: &[u8]) -> Result<Parsed<'_>, ProtocolError> {
    match bytes.first_chunk::<20>() {
        Some([_, _, _, _, format @ ..]) => {
            Ok(Parsed::Message(ClientMessage::SetPixelFormat(Format::read(format)?), 20))
        }
        None => Ok(Parsed::Incomplete),
    }
}

fn encodings(bytes: &[u8]) -> Parsed<'_> {
    let Some([_, _, high, low]) = bytes.first_chunk::<4>() else { return Parsed::Incomplete };
    let count = usize::from(u16::from_be_bytes([*high, *low]));
    match bytes[4..].get(..count * 4) {
        Some(all) => {
            let all = all.as_chunks::<4>().0.iter().map(|one| i32::from_be_bytes(*one));
            Parsed::Message(ClientMessage::SetEncodings(all.collect()), 4 + count * 4)
        }
        None => Parsed::Incomplete,
    }
}

fn pointer(bytes: &[u8], extended: bool) -> Parsed<'_> {
    let Some([_, low, position @ ..]) = bytes.first_chunk::<6>() else { return Parsed::Incomplete };
    let [x, y] = [[position[0], position[1]], [position[2], position[3]]].map(u16::from_be_bytes);
    let (mut buttons, mut length) = (u16::from(*low), 6);
    if extended && low & 0x80 != 0 {
        let Some(high) = bytes.get(6) else { return Parsed::Incomplete };
        buttons = u16::from(low & 0x7f) | u16::from(*high) << 7;
        length = 7;
    }
    Parsed::Message(ClientMessage::Input(Event::Pointer { x, y, buttons }), length)
}

fn clipboard(bytes: &[u8], context: ParseContext) -> Parsed<'_> {
    let Some([_, _, _, _, length @ ..]) = bytes.first_chunk::<8>() else {
        return Parsed::Incomplete;
    };
    let signed = i32::from_be_bytes(*length);
    let is_extended = context.extended_clipboard && signed < 0;
    let length = if is_extended { signed.unsigned_abs() } else { signed.cast_unsigned() } as usize;
    let longest_text = context.longest_clipboard;
    let most = if is_extended {
        (longest_text + ZLIB_OVERHEAD).max(FLAGS + context.largest_picture)
    } else {
        longest_text
    };
    if length > most {
        return Parsed::TooLong(8 + length);
    }
    let Some(body) = bytes[8..].get(..length) else { return Parsed::Incomplete };
    let message = match body.split_first_chunk::<4>() {
        _ if !is_extended => ClientMessage::Input(Event::Clipboard(clipboard::from_latin1(body))),
        Some((flags, body)) => {
            ClientMessage::ExtendedCutText { flags: u32::from_be_bytes(*flags), body }
        }
        None => ClientMessage::Ignored,
    };
    Parsed::Message(message, 8 + length)
}

fn fence(bytes: &[u8]) -> Result<Parsed<'_>, ProtocolError> {
    let Some([_, _, _, _, flags @ .., length]) = bytes.first_chunk::<9>() else {
        return Ok(Parsed::Incomplete);
    };
    let length = usize::from(*length);
    if length > LONGEST_FENCE {
        return Err(ProtocolError::TooLong);
    }
    Ok(match bytes[9..].get(..length) {
        Some(payload) => {
            let flags = u32::from_be_bytes(*flags);
            Parsed::Message(ClientMessage::Fence { flags, payload }, 9 + length)
        }
        None => Parsed::Incomplete,
    })
}

fn desktop_size(bytes: &[u8]) -> Parsed<'_> {
    let Some([.., screens, _]) = bytes.first_chunk::<8>() else { return Parsed::Incomplete };
    let length = 8 + usize::from(*screens) * 16;
    if bytes.len() < length {
        Parsed::Incomplete
    } else {
        Parsed::Message(ClientMessage::SetDesktopSize, length)
    }
}

/// QEMU's messages, of which only the extended key event is known.
fn qemu(bytes: &[u8]) -> Result<Parsed<'_>, ProtocolError> {
    match bytes.get(1) {
        None => Ok(Parsed::Incomplete),
        Some(0) => Ok(fixed(bytes, |all: &[u8; 12]| {
            let number =
                |at: usize| u32::from_be_bytes([all[at], all[at + 1], all[at + 2], all[at + 3]]);
            // The flag has 16 bits here (rfbproto, "QEMU Extended Key Event"), unlike in KeyEvent.
            let down = all[2] != 0 || all[3] != 0;
            let (keysym, scancode) = (number(4), Some(number(8)));
            ClientMessage::Input(Event::Key { down, keysym, scancode })
        })),
        // QEMU's audio messages have other lengths, and no field says where an unknown message ends.
        Some(_) => Err(ProtocolError::Message(255)),
    }
}
