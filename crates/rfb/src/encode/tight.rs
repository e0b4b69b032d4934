//! Tight (rfbproto, 7.7.6 in the community's edition): fill, palette, full colour, JPEG.

use super::{
    jpeg,
    palette::{Content, MOST, Palette},
    zlib::Stream,
};
use crate::format::{Colour, Format};

/// Tight writes fewer bytes than this uncompressed and without a length.
const SMALL: usize = 12;
const FILL: u8 = 0x80;
const JPEG: u8 = 0x90;
const FILTERED: u8 = 0x40;
const PALETTE: u8 = 1;

/// One of two encoders that work at the same time: the protocol has four streams, each has two.
#[derive(Debug)]
pub(crate) struct Tight {
    /// The number of the first stream; it takes palettes, the one after it full colour.
    first: u8,
    streams: [Stream; 2],
    palette: Palette,
    bytes: Vec<u8>,
    zipped: Vec<u8>,
}

impl Tight {
    pub(crate) fn new(first: u8, level: u32) -> Self {
        let streams = [Stream::new(level), Stream::new(level)];
        Self { first, streams, palette: Palette::new(), bytes: Vec::new(), zipped: Vec::new() }
    }

    /// Another level from now on.
    pub(crate) fn restart(&mut self, level: u32) {
        self.streams.iter_mut().for_each(|stream| stream.restart(level));
    }

    /// Writes a block; says whether the viewer gets it as a JPEG, which it may with a quality only.
    pub(crate) fn encode(
        &mut self,
        block: &[Colour],
        width: u16,
        format: Format,
        quality: Option<jpeg::Quality>,
        to: &mut Vec<u8>,
    ) -> bool {
        let most = MOST.min(block.len() / 4).max(2);
        let content = self.palette.look(block, most);
        if content == Content::Few {
            self.few(width, format, to);
            return false;
        }
        if let (Content::Photo, Some(quality)) = (content, quality)
            && let Some(jpeg) = jpeg::encode(block, width, quality, &mut self.bytes)
        {
            to.push(JPEG);
            length(jpeg.len(), to);
            to.extend(jpeg);
            return true;
        }
        self.bytes.clear();
        format.put_all(block, format.tight(), &mut self.bytes);
        self.compressed(1, None, to);
        false
    }

    fn few(&mut self, width: u16, format: Format, to: &mut Vec<u8>) {
        if let [one] = self.palette.colours[..] {
            to.push(FILL);
            return format.put(one, format.tight(), to);
        }
        let colours = self.palette.colours.len();
        let mut head = vec![PALETTE, (colours - 1) as u8];
        format.put_all(&self.palette.colours, format.tight(), &mut head);
        if colours == 2 {
            self.bytes.clear();
            let rows = self.palette.numbers.chunks(width.into());
            rows.for_each(|row| pack_bits(row, &mut self.bytes));
        } else {
            std::mem::swap(&mut self.bytes, &mut self.palette.numbers);
        }
        self.compressed(0, Some(&head), to);
    }

    /// The control byte, what the filter needs, and `bytes` through one of the streams.
    fn compressed(&mut self, which: u8, filter: Option<&[u8]>, to: &mut Vec<u8>) {
        let (id, stream) = (self.first + which, &mut self.streams[usize::from(which)]);
        let reset = if stream.take_fresh() { 1 << id } else { 0 };
        to.push(id << 4 | reset | if filter.is_some() { FILTERED } else { 0 });
        to.extend(filter.unwrap_or_default());
        if self.bytes.len() < SMALL {
            return to.extend(&self.bytes);
        }
        self.zipped.clear();
        stream.deflate(&self.bytes, &mut self.zipped);
        length(self.zipped.len(), to);
        to.extend(&self.zipped);
    }
}

/// Eight pixels a byte, the leftmost in the highest bit; each row starts with a new byte.
fn pack_bits(row: &[u8], to: &mut Vec<u8>) {
    let (eights, rest) = row.as_chunks::<8>();
    // Each product has its bit at another place, those that count in the highest byte.
    let byte = |eight: &[u8; 8]| {
        let spread = u64::from_be_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080);
        (spread >> 56) as u8
    };
    to.extend(eights.iter().map(byte));
    if !rest.is_empty() {
        let bits = rest.iter().fold(0, |bits, one| bits << 1 | one);
        to.push(bits << (8 - rest.len()));
    }
}

/// A compact length: seven bits a byte, least significant first, and eight in the third.
fn length(length: usize, to: &mut Vec<u8>) {
    let more = |bits: usize| if bits > 0 { 0x80 } else { 0 };
    to.push((length & 0x7f) as u8 | more(length >> 7));
    if length >> 7 > 0 {
        to.push((length >> 7 & 0x7f) as u8 | more(length >> 14));
    }
    if length >> 14 > 0 {
        to.push((length >> 14) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_compact() {
        let of = |n| {
            let mut to = Vec::new();
            length(n, &mut to);
            to
        };
        // The specification's own example is 10000.
        assert_eq!(of(10000), [0x90, 0x4e]);
        assert_eq!(of(0), [0]);
        assert_eq!(of(127), [127]);
        assert_eq!(of(128), [0x80, 1]);
        assert_eq!(of(16383), [0xff, 0x7f]);
        assert_eq!(of(16384), [0x80, 0x80, 1]);
        assert_eq!(of(4_194_303), [0xff, 0xff, 0xff]);
    }
}
