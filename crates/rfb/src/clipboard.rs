//! What clipboards hold: texts in Latin-1 as RFC 6143 has them (7.5.6, 7.6.4), and by the Extended Clipboard texts in
//! UTF-8 and pictures. A picture has a format of our own (docs/adr/0034): both sides say that they know it first.

use flate2::{Decompress, FlushDecompress};

use crate::{Event, Limits, Png, encode::ZlibStream};

const TEXT: u32 = 1;
/// A picture as PNG. It is sent as it is, alone in its message: it is compressed already.
const PNG: u32 = 1 << 15;
/// A picture that isn't carried. It is only announced: who hears of it knows that there is no text any more.
const DIB: u32 = 1 << 3;
/// The bits that stand for formats.
const FORMATS: u32 = 0xffff;
const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const PEEK: u32 = 1 << 26;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;

const SERVER_CUT_TEXT: u8 = 3;

/// Bytes that may wait to be sent when a viewer fetches what was copied. Otherwise one that peeks and fetches again
/// and again within one message would fill the memory.
const MOST_WAITING: usize = 64 * 1024;

/// The screen's clipboard, and how far the viewer knows it.
#[derive(Debug, Default)]
pub(crate) struct Clipboard {
    contents: Contents,
    /// The viewer doesn't know yet what there is.
    unannounced: bool,
    /// The viewer knows that there is something, and hasn't fetched it.
    offered: bool,
    /// The flags of the viewer's Caps message; zero before it came.
    viewer_caps: u32,
}

/// What the screen's clipboard holds.
#[derive(Debug, Default)]
enum Contents {
    /// Nothing that has a name here.
    #[default]
    Nothing,
    Text(String),
    Picture(Png),
    /// A picture that isn't carried.
    OtherPicture,
}

impl Clipboard {
    pub(crate) fn set(&mut self, text: &str) {
        self.replace(Contents::Text(text.to_owned()));
    }

    pub(crate) fn set_picture(&mut self, picture: &Png) {
        self.replace(Contents::Picture(picture.clone()));
    }

    /// The clipboard holds something that isn't carried: a picture, or nothing that has a name here.
    pub(crate) fn set_uncarried(&mut self, is_picture: bool) {
        self.replace(if is_picture { Contents::OtherPicture } else { Contents::Nothing });
    }

    fn replace(&mut self, contents: Contents) {
        (self.contents, self.unannounced, self.offered) = (contents, true, false);
    }

    /// Bytes that the contents take in memory.
    pub(crate) fn memory(&self) -> usize {
        match &self.contents {
            Contents::Text(text) => text.capacity(),
            Contents::Picture(picture) => picture.bytes().len(),
            Contents::Nothing | Contents::OtherPicture => 0,
        }
    }

    /// The format in which the contents are offered to this viewer, if they are.
    fn provided(&self) -> u32 {
        match &self.contents {
            Contents::Text(text) if !text.is_empty() => TEXT,
            Contents::Picture(_) => self.viewer_caps & PNG,
            Contents::Text(_) | Contents::Nothing | Contents::OtherPicture => 0,
        }
    }

    /// What is announced to this viewer.
    fn announced(&self) -> u32 {
        match &self.contents {
            Contents::Text(_) => TEXT,
            Contents::Picture(_) if self.provided() == 0 => DIB,
            Contents::Picture(_) => PNG,
            Contents::OtherPicture => DIB,
            Contents::Nothing => 0,
        }
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
        } else if flags & PROVIDE != 0 && flags & FORMATS == PNG {
            return (body.len() <= limits.picture).then(|| Event::Picture(body.to_vec()));
        } else if flags & PROVIDE != 0 && flags & TEXT != 0 {
            return read_provided(body, limits.clipboard).map(Event::Clipboard);
        } else if flags & NOTIFY != 0 && flags & TEXT != 0 {
            write_extended(REQUEST | TEXT, &[], to);
        } else if flags & PEEK != 0 {
            let formats = self.provided();
            self.offered = formats != 0;
            write_extended(NOTIFY | formats, &[], to);
        } else if flags & REQUEST != 0 && self.offered {
            if to.len() > MOST_WAITING {
                return None;
            }
            self.offered = false;
            // Once per offer: otherwise a viewer could have a long text compressed again and again.
            match &self.contents {
                Contents::Text(text) => write_provided(text, to),
                Contents::Picture(picture) => write_extended(PROVIDE | PNG, picture.bytes(), to),
                Contents::Nothing | Contents::OtherPicture => {}
            }
        } else if flags & REQUEST != 0 && flags & TEXT != 0 {
            return Some(Event::ClipboardWanted);
        }
        None
    }

    /// Announces what is new. With the Extended Clipboard that waits for the viewer's Caps.
    pub(crate) fn announce(&mut self, is_extended: bool, to: &mut Vec<u8>) {
        if !self.unannounced {
            return;
        }
        if !is_extended {
            self.unannounced = false;
            if let Contents::Text(text) = &self.contents {
                write_latin1(text, to);
            }
        } else if self.viewer_caps & (NOTIFY | TEXT) == NOTIFY | TEXT {
            self.unannounced = false;
            self.offered = self.provided() != 0;
            write_extended(NOTIFY | self.announced(), &[], to);
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

/// Caps: what the server supports, and up to which size in bytes each format may be provided unasked.
pub(crate) fn write_capabilities(limits: &Limits, to: &mut Vec<u8>) {
    let flags = CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT | PNG;
    let longest = [limits.clipboard, limits.picture];
    let sizes = longest.map(|size| (size.min(i32::MAX as usize) as u32).to_be_bytes());
    write_extended(flags, sizes.as_flattened(), to);
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
