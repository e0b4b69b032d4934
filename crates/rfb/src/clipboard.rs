//! Clipboard texts: plain ones in Latin-1, and the extended clipboard's in UTF-8.

use flate2::{Decompress, FlushDecompress};

use crate::{
    encode::Stream,
    server::{Event, Server, Stage},
};

/// The one format that is exchanged.
pub(crate) const TEXT: u32 = 1;
pub(crate) const CAPS: u32 = 1 << 24;
pub(crate) const REQUEST: u32 = 1 << 25;
pub(crate) const PEEK: u32 = 1 << 26;
pub(crate) const NOTIFY: u32 = 1 << 27;
pub(crate) const PROVIDE: u32 = 1 << 28;

const CUT_TEXT: u8 = 3;

/// The screen's clipboard, and how far the viewer knows it.
#[derive(Debug, Default)]
pub(crate) struct Clipboard {
    pub(crate) text: String,
    /// The viewer doesn't know yet that there is a text.
    pub(crate) untold: bool,
    /// It knows, and hasn't fetched it.
    offered: bool,
    /// What its extended clipboard can; zero until it says so.
    can: u32,
}

impl Server {
    /// What the viewer says about texts, in its extended way.
    pub(crate) fn extended_clipboard(&mut self, flags: u32, body: &[u8], events: &mut Vec<Event>) {
        if flags & CAPS != 0 {
            self.clipboard.can = flags;
            return self.tell_clipboard();
        }
        if flags & PROVIDE != 0 && flags & TEXT != 0 {
            let text = provided(body, self.limits.clipboard);
            events.extend(text.map(Event::Clipboard));
        } else if flags & NOTIFY != 0 && flags & TEXT != 0 {
            extended(REQUEST | TEXT, &[], &mut self.output);
        } else if flags & PEEK != 0 {
            self.clipboard.offered = !self.clipboard.text.is_empty();
            let formats = if self.clipboard.offered { TEXT } else { 0 };
            extended(NOTIFY | formats, &[], &mut self.output);
        } else if flags & REQUEST != 0 && std::mem::take(&mut self.clipboard.offered) {
            provide(&self.clipboard.text, &mut self.output);
        }
    }

    /// Tells of a new text, once it is known how.
    pub(crate) fn tell_clipboard(&mut self) {
        let can = self.clipboard.can;
        if self.stage != Stage::Running || !self.clipboard.untold {
        } else if !self.wishes.extended_clipboard {
            self.clipboard.untold = false;
            plain(&self.clipboard.text, &mut self.output);
        } else if can & (NOTIFY | TEXT) == NOTIFY | TEXT {
            self.clipboard.untold = false;
            self.clipboard.offered = true;
            extended(NOTIFY | TEXT, &[], &mut self.output);
        }
    }
}

/// Latin-1 to text.
pub(crate) fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// ServerCutText for a viewer that knows nothing else.
pub(crate) fn plain(text: &str, to: &mut Vec<u8>) {
    let latin1: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    to.extend([CUT_TEXT, 0, 0, 0]);
    to.extend((latin1.len() as u32).to_be_bytes());
    to.extend(latin1);
}

/// A message of the extended clipboard: a negative length says so.
pub(crate) fn extended(flags: u32, body: &[u8], to: &mut Vec<u8>) {
    let length = -(4 + body.len() as i32);
    to.extend([CUT_TEXT, 0, 0, 0]);
    to.extend(length.to_be_bytes());
    to.extend(flags.to_be_bytes());
    to.extend(body);
}

/// What the server can: `most` is the longest text.
pub(crate) fn capabilities(most: usize, to: &mut Vec<u8>) {
    let flags = CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT;
    extended(flags, &(most.min(i32::MAX as usize) as u32).to_be_bytes(), to);
}

/// The text itself: lines end with CR LF, the text with NUL.
pub(crate) fn provide(text: &str, to: &mut Vec<u8>) {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n") + "\0";
    let mut data = (text.len() as u32).to_be_bytes().to_vec();
    data.extend(text.bytes());
    let mut zipped = Vec::new();
    Stream::new(1).deflate(&data, &mut zipped);
    extended(PROVIDE | TEXT, &zipped, to);
}

/// The text of a Provide. None if it is broken or longer than `most`; more than that is not unpacked.
pub(crate) fn provided(zipped: &[u8], most: usize) -> Option<String> {
    let mut zlib = Decompress::new(true);
    let mut taken = 0;
    let length = inflate(&mut zlib, zipped, &mut taken, 4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    if length > most {
        return None;
    }
    let text = String::from_utf8(inflate(&mut zlib, zipped, &mut taken, length)?).ok()?;
    Some(text.trim_end_matches('\0').replace("\r\n", "\n"))
}

/// Exactly so many bytes.
fn inflate(
    zlib: &mut Decompress,
    zipped: &[u8],
    taken: &mut usize,
    length: usize,
) -> Option<Vec<u8>> {
    // Room grows with what is really there: a length may lie.
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
