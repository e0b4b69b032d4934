//! ZRLE (RFC 6143, 7.7.6).

use super::{
    palette::{Content, Palette},
    zlib::ZlibStream,
};
use crate::format::{Colour, Format, PixelLayout};

const TILE: usize = 64;
/// The most colours of a packed palette, and of one with run lengths.
const PACKED: usize = 16;
const RUNS: usize = 127;

/// The encoder with its one zlib stream, which lasts as long as the connection.
#[derive(Debug)]
pub(crate) struct Zrle {
    stream: ZlibStream,
    palette: Palette,
    tile: Vec<Colour>,
    bytes: Vec<u8>,
}

impl Zrle {
    pub(crate) fn new(level: u32) -> Self {
        let (tile, bytes) = (Vec::new(), Vec::new());
        Self { stream: ZlibStream::new(level), palette: Palette::new(), tile, bytes }
    }

    /// Writes a block whose rows are `width` pixels long.
    pub(crate) fn encode(
        &mut self,
        block: &[Colour],
        width: u16,
        format: Format,
        to: &mut Vec<u8>,
    ) {
        let (width, layout) = (usize::from(width), format.zrle_layout());
        self.bytes.clear();
        for band in block.chunks(width * TILE) {
            for x in (0..width).step_by(TILE) {
                let across = TILE.min(width - x);
                self.tile.clear();
                band.chunks(width).for_each(|row| self.tile.extend(&row[x..x + across]));
                self.write_tile(across, format, layout);
            }
        }
        let at = to.len();
        to.extend([0; 4]);
        self.stream.deflate(&self.bytes, to);
        let length = (to.len() - at - 4) as u32;
        to[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }

    fn write_tile(&mut self, width: usize, format: Format, layout: PixelLayout) {
        let to = &mut self.bytes;
        let few = self.palette.analyse(&self.tile, RUNS) == Content::Few;
        let colours = &self.palette.colours;
        match colours.len() {
            1 if few => {
                to.push(1);
                format.put(colours[0], layout, to);
            }
            2..=PACKED if few => {
                to.push(colours.len() as u8);
                format.put_all(colours, layout, to);
                // There is no packed palette of 3 bits.
                let bits = [1, 2, 4, 4][(colours.len() - 1).ilog2() as usize];
                let rows = self.palette.numbers.chunks(width);
                rows.for_each(|row| pack(row, bits, to));
            }
            _ if few => {
                to.push(128 + colours.len() as u8);
                format.put_all(colours, layout, to);
                write_runs(&self.palette.numbers, to);
            }
            _ => {
                to.push(0);
                format.put_all(&self.tile, layout, to);
            }
        }
    }
}

/// Writes `bits` for each pixel, the leftmost in the highest ones; each row starts with a new byte.
fn pack(row: &[u8], bits: usize, to: &mut Vec<u8>) {
    let each = 8 / bits;
    let byte = |some: &[u8]| {
        let packed = some.iter().fold(0, |all, one| all << bits | one);
        packed << ((each - some.len()) * bits)
    };
    to.extend(row.chunks(each).map(byte));
}

/// Writes run lengths: a single pixel is its index; a run is its index with the highest bit set, and its length.
fn write_runs(numbers: &[u8], to: &mut Vec<u8>) {
    for run in numbers.chunk_by(|one, next| one == next) {
        if run.len() == 1 {
            to.push(run[0]);
            continue;
        }
        to.push(run[0] | 0x80);
        // One more than the sum of the bytes, of which all but the last are 255.
        let rest = run.len() - 1;
        to.extend(std::iter::repeat_n(255, rest / 255));
        to.push((rest % 255) as u8);
    }
}
