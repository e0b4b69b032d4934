//! Tight (rfbproto, "Tight Encoding"): fill, palette, full colour, JPEG.

use super::{
    jpeg,
    palette::{Content, MOST, Palette},
    zlib::ZlibStream,
};
use crate::format::{Colour, Format};

/// Data of fewer bytes than this is sent uncompressed and without a length (rfbproto, "Tight Encoding").
const SMALL: usize = 12;
// Values of the compression-control byte, and its bit that announces the id of a filter.
const FILL: u8 = 0x80;
const JPEG: u8 = 0x90;
const FILTERED: u8 = 0x40;
/// The id of the palette filter.
const PALETTE: u8 = 1;

/// One of two encoders that work at the same time. Tight has four zlib streams, so each encoder gets two of them.
#[derive(Debug)]
pub(crate) struct Tight {
    /// The number of the first stream, for palettes; the one after it is for full colour. Data of one kind
    /// compresses better in a stream of its own.
    first: u8,
    streams: [ZlibStream; 2],
    palette: Palette,
    bytes: Vec<u8>,
    zipped: Vec<u8>,
}

impl Tight {
    pub(crate) fn new(first: u8, level: u32) -> Self {
        let streams = [ZlibStream::new(level), ZlibStream::new(level)];
        Self { first, streams, palette: Palette::new(), bytes: Vec::new(), zipped: Vec::new() }
    }

    pub(crate) fn restart(&mut self, level: u32) {
        self.streams.iter_mut().for_each(|stream| stream.restart(level));
    }

    /// Writes a block; returns whether it became a JPEG, which needs a `quality`.
    pub(crate) fn encode(
        &mut self,
        block: &[Colour],
        width: u16,
        format: Format,
        quality: Option<jpeg::Quality>,
        to: &mut Vec<u8>,
    ) -> bool {
        // A palette with more colours than a quarter of the pixels would take most of the space itself.
        let most = MOST.min(block.len() / 4).max(2);
        let content = self.palette.analyse(block, most);
        if content == Content::Few {
            self.write_palette(width, format, to);
            return false;
        }
        if let (Content::Photo, Some(quality)) = (content, quality)
            && let Some(jpeg) = jpeg::encode(block, width, quality, &mut self.bytes)
        {
            to.push(JPEG);
            write_length(jpeg.len(), to);
            to.extend(jpeg);
            return true;
        }
        self.bytes.clear();
        format.put_all(block, format.tight_layout(), &mut self.bytes);
        self.write_compressed(1, None, to);
        false
    }

    fn write_palette(&mut self, width: u16, format: Format, to: &mut Vec<u8>) {
        if let [one] = self.palette.colours[..] {
            to.push(FILL);
            return format.put(one, format.tight_layout(), to);
        }
        let colours = self.palette.colours.len();
        let mut head = vec![PALETTE, (colours - 1) as u8];
        format.put_all(&self.palette.colours, format.tight_layout(), &mut head);
        if colours == 2 {
            self.bytes.clear();
            let rows = self.palette.numbers.chunks(width.into());
            rows.for_each(|row| pack_bits(row, &mut self.bytes));
        } else {
            std::mem::swap(&mut self.bytes, &mut self.palette.numbers);
        }
        self.write_compressed(0, Some(&head), to);
    }

    /// Writes the control byte, the filter's data, and `bytes` through one of the zlib streams.
    fn write_compressed(&mut self, which: u8, filter: Option<&[u8]>, to: &mut Vec<u8>) {
        let (id, stream) = (self.first + which, &mut self.streams[usize::from(which)]);
        // The lower four bits of the control byte say which of its streams the viewer has to reset, and bits 4 and 5
        // which one this data belongs to.
        let reset = if stream.take_restarted() { 1 << id } else { 0 };
        to.push(id << 4 | reset | if filter.is_some() { FILTERED } else { 0 });
        to.extend(filter.unwrap_or_default());
        if self.bytes.len() < SMALL {
            return to.extend(&self.bytes);
        }
        self.zipped.clear();
        stream.deflate(&self.bytes, &mut self.zipped);
        write_length(self.zipped.len(), to);
        to.extend(&self.zipped);
    }
}

/// Writes eight pixels a byte, the leftmost in the highest bit; each row starts with a new byte.
fn pack_bits(row: &[u8], to: &mut Vec<u8>) {
    let (eights, rest) = row.as_chunks::<8>();
    // The multiplication brings the lowest bit of each byte to its position in the highest byte, without a carry.
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

/// Writes a length in Tight's compact form: seven bits a byte, least significant first, and eight in the third.
fn write_length(length: usize, to: &mut Vec<u8>) {
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
        let encoded = |n| {
            let mut to = Vec::new();
            write_length(n, &mut to);
            to
        };
        // The specification's own example is 10000.
        assert_eq!(encoded(10000), [0x90, 0x4e]);
        assert_eq!(encoded(0), [0]);
        assert_eq!(encoded(127), [127]);
        assert_eq!(encoded(128), [0x80, 1]);
        assert_eq!(encoded(16383), [0xff, 0x7f]);
        assert_eq!(encoded(16384), [0x80, 0x80, 1]);
        assert_eq!(encoded(4_194_303), [0xff, 0xff, 0xff]);
    }
}
