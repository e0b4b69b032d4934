//! Encoding areas of a picture as rectangles of an update (RFC 6143, 7.7).

mod jpeg;
mod palette;
mod raw;
mod tight;
mod zlib;
mod zrle;

pub(crate) use jpeg::Quality;
pub(crate) use zlib::ZlibStream;

use crate::{
    Picture, Rect,
    format::{Colour, Format, colours},
};

/// About how many pixels a block has. Fewer would be more rectangles, each of which costs a browser time; more
/// would hold more colours than a palette takes.
const BLOCK: u32 = 128 * 128;
/// The least width of a block in pixels, where the area is that wide.
const BLOCK_WIDTH: u32 = 128;
/// The number of pixels from which on a second thread is worth its start.
const TWO_THREADS: u64 = 96 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Raw,
    Tight,
    Zrle,
}

/// How one update's pixels are to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) encoding: Encoding,
    pub(crate) format: Format,
    /// JPEG may be used for photos, with this quality.
    pub(crate) quality: Option<Quality>,
}

/// The encoders of one viewer, with their zlib streams.
#[derive(Debug)]
pub(crate) struct Encoder {
    tight: [tight::Tight; 2],
    zrle: zrle::Zrle,
    level: u32,
    block: Vec<Colour>,
}

/// Encoded rectangles.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    /// The rectangles with their headers, one after the other, as many as there are blocks.
    pub(crate) bytes: Vec<u8>,
    /// The areas that were encoded as JPEG.
    pub(crate) lossy: Vec<Rect>,
}

impl Encoder {
    pub(crate) fn new(level: u32) -> Self {
        let tight = [tight::Tight::new(0, level), tight::Tight::new(2, level)];
        Self { tight, zrle: zrle::Zrle::new(level), level, block: Vec::new() }
    }

    /// Sets zlib's level, 1 to 9. ZRLE keeps the one it began with: it has no way to say that its stream restarts.
    pub(crate) fn set_level(&mut self, level: u32) {
        if self.level != level {
            self.level = level;
            self.tight.iter_mut().for_each(|tight| tight.restart(level));
        }
    }

    /// Encodes each of the [`blocks`] of what is to be sent.
    pub(crate) fn encode(&mut self, picture: &Picture, blocks: &[Rect], style: Style) -> Encoded {
        match style.encoding {
            Encoding::Tight => tight(&mut self.tight, picture, blocks, style),
            Encoding::Zrle => self.each(picture, blocks, |zrle, block, area, to| {
                zrle.encode(block, area.w, style.format, to);
                ZRLE
            }),
            Encoding::Raw => self.each(picture, blocks, |_, block, _, to| {
                raw::encode(block, style.format, to);
                RAW
            }),
        }
    }

    fn each(
        &mut self,
        picture: &Picture,
        blocks: &[Rect],
        mut one: impl FnMut(&mut zrle::Zrle, &[Colour], Rect, &mut Vec<u8>) -> i32,
    ) -> Encoded {
        let mut done = Encoded::default();
        let mut body = Vec::new();
        for area in blocks {
            load(picture, *area, &mut self.block);
            body.clear();
            let encoding = one(&mut self.zrle, &self.block, *area, &mut body);
            write_rect_header(*area, encoding, &mut done.bytes);
            done.bytes.extend(&body);
        }
        done
    }
}

const RAW: i32 = 0;
const TIGHT: i32 = 7;
const ZRLE: i32 = 16;

/// Writes the header of a rectangle (RFC 6143, 7.6.1).
pub(crate) fn write_rect_header(area: Rect, encoding: i32, to: &mut Vec<u8>) {
    to.extend([area.x, area.y, area.w, area.h].map(u16::to_be_bytes).as_flattened());
    to.extend(encoding.to_be_bytes());
}

/// Encodes with Tight, half of it on a second thread if there is much. That is why there are two encoders: the
/// zlib streams of each have to stay in order.
fn tight(
    both: &mut [tight::Tight; 2],
    picture: &Picture,
    blocks: &[Rect],
    style: Style,
) -> Encoded {
    let [one, other] = both;
    if blocks.iter().map(|block| block.area()).sum::<u64>() < TWO_THREADS {
        return tight_blocks(one, picture, blocks, style);
    }
    let (first, second) = blocks.split_at(blocks.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| tight_blocks(other, picture, second, style));
        let mut all = tight_blocks(one, picture, first, style);
        let second = second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        all.bytes.extend(second.bytes);
        all.lossy.extend(second.lossy);
        all
    })
}

fn tight_blocks(
    tight: &mut tight::Tight,
    picture: &Picture,
    blocks: &[Rect],
    style: Style,
) -> Encoded {
    let mut done = Encoded::default();
    let mut block = Vec::new();
    for area in blocks {
        load(picture, *area, &mut block);
        write_rect_header(*area, TIGHT, &mut done.bytes);
        if tight.encode(&block, area.w, style.format, style.quality, &mut done.bytes) {
            done.lossy.push(*area);
        }
    }
    done
}

fn load(picture: &Picture, area: Rect, to: &mut Vec<Colour>) {
    to.clear();
    for y in area.y..area.y + area.h {
        to.extend(colours(picture.row(area.x, y, area.w)));
    }
}

/// Cuts an area into the parts that are encoded by themselves.
pub(crate) fn blocks(area: Rect) -> impl Iterator<Item = Rect> {
    let (w, h) = (u32::from(area.w), u32::from(area.h));
    // Tight allows a width of 2048 at most, and a block of that width is high enough for a line of text.
    let across = w.min((BLOCK / h.max(1)).clamp(BLOCK_WIDTH, 2048));
    let down = h.min((BLOCK / across.max(1)).max(1));
    let rows = (0..h).step_by(down.max(1) as usize);
    rows.flat_map(move |y| {
        (0..w).step_by(across.max(1) as usize).map(move |x| {
            let (left, top) = (u32::from(area.x) + x, u32::from(area.y) + y);
            let (w, h) = (across.min(w - x), down.min(h - y));
            Rect::new(left as u16, top as u16, w as u16, h as u16)
        })
    })
}
