//! Clipboard texts: in Latin-1 as RFC 6143 has them (7.5.6, 7.6.4), and in UTF-8 by the Extended Clipboard.

use flate2::{Decompress, FlushDecompress};

use crate::{Event, Limits, encode::ZlibStream};

/// The one format that is exchanged.
const TEXT: u32 = 1;
/// A picture. It is only announced: who hears of it knows that there is no text any more.
const DIB: u32 = 1 << 3;
const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const PEEK: u32 = 1 << 26;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;

const SERVER_CUT_TEXT: u8 = 3;

/// The screen's clipboard, and how far the viewer knows it.
#[derive(Debug, Default)]
pub(crate) struct Clipboard {
    text: String,
    /// The formats that are announced; only [`TEXT`] is provided.
    formats: u32,
    /// The viewer doesn't know yet that there is a text.
    unannounced: bool,
    /// The viewer knows that there is a text, and hasn't fetched it.
    offered: bool,
    /// The flags of the viewer's Caps message; zero before it came.
    viewer_caps: u32,
}

impl Clipboard {
    pub(crate) fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        (self.formats, self.unannounced) = (TEXT, true);
    }

    /// The clipboard holds something that isn't carried: a picture, or nothing that has a name here.
    pub(crate) fn set_uncarried(&mut self, is_picture: bool) {
        self.text = String::new();
        self.offered = false;
        (self.formats, self.unannounced) = (if is_picture { DIB } else { 0 }, true);
    }

    /// Bytes that the text takes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.text.capacity()
    }

    /// Handles a message of the Extended Clipboard; returns the event if it brings a text or asks for one.
    pub(crate) fn receive(
        &mut self,
        flags: u32,
        body: &[u8],
        limits: &Limits,
        to: &mut Vec<u8>,
    ) -> Option<Event> {
        // One action per message; Caps goes first, since its other bits only list what the viewer can.
        if flags & CAPS != 0 {
            self.viewer_caps = flags;
        } else if flags & PROVIDE != 0 && flags & TEXT != 0 {
            return read_provided(body, limits.clipboard).map(Event::Clipboard);
        } else if flags & NOTIFY != 0 && flags & TEXT != 0 {
            write_extended(REQUEST | TEXT, &[], to);
        } else if flags & PEEK != 0 {
            self.offered = !self.text.is_empty();
            let formats = if self.offered { TEXT } else { 0 };
            write_extended(NOTIFY | formats, &[], to);
        } else if flags & REQUEST != 0 && std::mem::take(&mut self.offered) {
            // Once per offer: otherwise a viewer could have a long text compressed again and again.
            write_provided(&self.text, to);
        } else if flags & REQUEST != 0 && flags & TEXT != 0 {
            return Some(Event::ClipboardWanted);
        }
        None
    }

    /// Announces a new text. With the Extended Clipboard that waits for the viewer's Caps.
    pub(crate) fn announce(&mut self, is_extended: bool, to: &mut Vec<u8>) {
        if !self.unannounced {
            return;
        }
        if !is_extended {
            self.unannounced = false;
            if self.formats == TEXT {
                write_latin1(&self.text, to);
            }
        } else if self.viewer_caps & (NOTIFY | TEXT) == NOTIFY | TEXT {
            self.unannounced = false;
            self.offered = self.formats == TEXT;
            write_extended(NOTIFY | self.formats, &[], to);
        }
    }
}

pub(crate) fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// ServerCutText for a viewer without the Extended Clipboard.
fn write_latin1(text: &str, to: &mut Vec<u8>) {
    let latin1: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    to.extend([SERVER_CUT_TEXT, 0, 0, 0]);
    to.extend((latin1.len() as u32).to_be_bytes());
    to.extend(latin1);
}

/// A message of the Extended Clipboard. Its negative length distinguishes it from a plain one.
fn write_extended(flags: u32, body: &[u8], to: &mut Vec<u8>) {
    let length = -(4 + body.len() as i32);
    to.extend([SERVER_CUT_TEXT, 0, 0, 0]);
    to.extend(length.to_be_bytes());
    to.extend(flags.to_be_bytes());
    to.extend(body);
}

/// Caps: what the server supports. `longest` is the size in bytes up to which a text may be provided unasked.
pub(crate) fn write_capabilities(longest: usize, to: &mut Vec<u8>) {
    let flags = CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT;
    write_extended(flags, &(longest.min(i32::MAX as usize) as u32).to_be_bytes(), to);
}

/// Provide: the text itself. The protocol wants CR LF at the end of lines, and a NUL at the end of the text.
fn write_provided(text: &str, to: &mut Vec<u8>) {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n") + "\0";
    let mut data = (text.len() as u32).to_be_bytes().to_vec();
    data.extend(text.bytes());
    let mut zipped = Vec::new();
    ZlibStream::new(1).deflate(&data, &mut zipped);
    write_extended(PROVIDE | TEXT, &zipped, to);
}

/// Reads the text of a Provide; `None` if it is damaged or longer than `longest` bytes.
fn read_provided(zipped: &[u8], longest: usize) -> Option<String> {
    let mut zlib = Decompress::new(true);
    let mut taken = 0;
    let length = inflate(&mut zlib, zipped, &mut taken, 4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    // Checked before the text is inflated, so that a small message can't fill the memory.
    if length > longest {
        return None;
    }
    let text = String::from_utf8(inflate(&mut zlib, zipped, &mut taken, length)?).ok()?;
    Some(text.trim_end_matches('\0').replace("\r\n", "\n"))
}

/// Inflates exactly `length` bytes.
fn inflate(
    zlib: &mut Decompress,
    zipped: &[u8],
    taken: &mut usize,
    length: usize,
) -> Option<Vec<u8>> {
    // The buffer grows with what really arrives, since `length` may be a lie.
    let mut out = Vec::new();
    let mut piece = [0; 8 * 1024];
    while out.len() < length {
        let room = (length - out.len()).min(piece.len());
        let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
        zlib.decompress(&zipped[*taken..], &mut piece[..room], FlushDecompress::None).ok()?;
        let (read, got) = (zlib.total_in() - before_in, zlib.total_out() - before_out);
        if read == 0 && got == 0 {
            return None;
        }
        *taken += read as usize;
        out.extend(&piece[..got as usize]);
    }
    Some(out)
}
