//! PNG pictures as they travel from one clipboard to another: sound, of a bearable size, and nothing but pixels.
//!
//! A picture comes from a stranger's computer and is opened by whatever program it is pasted into. So what that
//! program gets is made of chunks that were looked at (PNG specification, third edition), and what else the file
//! holds stays behind: texts, places, colour profiles, animations, and bytes after its end.

use std::{fmt, sync::Arc};

use flate2::{Crc, Decompress, FlushDecompress, Status};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// The most pixels: two screens of 3840 x 2160 beside each other, and a little more.
const MOST_PIXELS: u64 = 4096 * 4096;
/// Bytes that are inflated at a time, to be counted and thrown away.
const PIECE: usize = 64 * 1024;
/// The first pixel, and the distance to the next, of each pass of an interlaced picture: across, then down.
const PASSES: [[u32; 4]; 7] = [
    [0, 8, 0, 8],
    [4, 8, 0, 8],
    [0, 4, 4, 8],
    [2, 4, 0, 4],
    [0, 2, 2, 4],
    [1, 2, 0, 2],
    [0, 1, 1, 2],
];

/// A picture that was checked. Copies share its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Png(Arc<[u8]>);

/// Why a picture isn't carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PngError {
    /// It has more bytes or pixels than are carried.
    #[error("the picture is too large")]
    TooLarge,
    /// It is no PNG, or a damaged one.
    #[error("the picture is damaged")]
    Damaged,
}

impl Png {
    /// The most bytes of a picture.
    pub const LONGEST: usize = 4 * 1024 * 1024;

    /// Checks a PNG and takes its pixels. It may have to inflate 128 MiB, a piece at a time: not on a thread that others
    /// wait for.
    ///
    /// # Errors
    /// [`PngError`].
    pub fn new(bytes: &[u8]) -> Result<Self, PngError> {
        if bytes.len() > Self::LONGEST {
            return Err(PngError::TooLarge);
        }
        let mut rest = bytes.strip_prefix(&SIGNATURE).ok_or(PngError::Damaged)?;
        let mut kept = SIGNATURE.to_vec();
        let mut reader = Reader::new(Header::read(take_chunk(&mut rest, &mut kept)?)?);
        loop {
            let before = kept.len();
            let chunk = take_chunk(&mut rest, &mut kept)?;
            match reader.read(chunk)? {
                Use::Kept => {}
                Use::LeftOut => kept.truncate(before),
                Use::End => return Ok(Self(kept.into())),
            }
        }
    }

    /// Whether bytes begin as a PNG does. No text in UTF-8 does.
    pub fn is_begun_by(bytes: &[u8]) -> bool {
        bytes.starts_with(&SIGNATURE)
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Png {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Png({} bytes)", self.0.len())
    }
}

/// A chunk's name and its content.
type Chunk<'a> = ([u8; 4], &'a [u8]);

/// Takes the next chunk, and adds it to `kept` as it is.
fn take_chunk<'a>(rest: &mut &'a [u8], kept: &mut Vec<u8>) -> Result<Chunk<'a>, PngError> {
    let whole = *rest;
    let (length, after) = whole.split_first_chunk::<4>().ok_or(PngError::Damaged)?;
    let length = u32::from_be_bytes(*length) as usize;
    let end = length.checked_add(4).ok_or(PngError::Damaged)?;
    let (checked, after) = after.split_at_checked(end).ok_or(PngError::Damaged)?;
    let (sum, after) = after.split_first_chunk::<4>().ok_or(PngError::Damaged)?;
    let (name, content) = checked.split_first_chunk::<4>().ok_or(PngError::Damaged)?;
    let mut crc = Crc::new();
    crc.update(checked);
    if crc.sum() != u32::from_be_bytes(*sum) {
        return Err(PngError::Damaged);
    }
    kept.extend(&whole[..whole.len() - after.len()]);
    *rest = after;
    Ok((*name, content))
}

/// What the first chunk says of the pixels.
#[derive(Clone, Copy)]
struct Header {
    width: u32,
    height: u32,
    colour: u8,
    bits: u64,
    interlaced: bool,
}

impl Header {
    fn read((name, content): Chunk<'_>) -> Result<Self, PngError> {
        let content: [u8; 13] = content.try_into().map_err(|_| PngError::Damaged)?;
        let [w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, compression, filter, interlaced] =
            content;
        let width = u32::from_be_bytes([w0, w1, w2, w3]);
        let height = u32::from_be_bytes([h0, h1, h2, h3]);
        let samples = match (colour, depth) {
            (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) => 1,
            (2, 8 | 16) => 3,
            (4, 8 | 16) => 2,
            (6, 8 | 16) => 4,
            _ => return Err(PngError::Damaged),
        };
        if &name != b"IHDR" || width == 0 || height == 0 {
            return Err(PngError::Damaged);
        }
        if compression != 0 || filter != 0 || interlaced > 1 {
            return Err(PngError::Damaged);
        }
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            return Err(PngError::TooLarge);
        }
        let bits = samples * u64::from(depth);
        Ok(Self { width, height, colour, bits, interlaced: interlaced == 1 })
    }

    /// Bytes of all rows once they are inflated: each begins with the number of its filter.
    fn inflated(&self) -> u64 {
        let rows = |width: u32, height: u32| match (u64::from(width), u64::from(height)) {
            (0, _) => 0,
            (width, height) => height * (1 + (width * self.bits).div_ceil(8)),
        };
        if !self.interlaced {
            return rows(self.width, self.height);
        }
        let every = |size: u32, first: u32, step: u32| size.saturating_sub(first).div_ceil(step);
        let pass =
            |[x, dx, y, dy]: [u32; 4]| rows(every(self.width, x, dx), every(self.height, y, dy));
        PASSES.into_iter().map(pass).sum()
    }
}

/// What becomes of a chunk.
enum Use {
    Kept,
    LeftOut,
    End,
}

/// Looks at the chunks after the header, in their order.
struct Reader {
    header: Header,
    /// Colours of the palette; zero before it came.
    colours: usize,
    has_transparency: bool,
    pixels: Pixels,
}

/// The chunks of the pixels, which nothing may come between.
enum Pixels {
    Before,
    Within {
        zlib: Box<Decompress>,
        /// What is inflated goes here. It lasts as long as the picture: many tiny chunks would otherwise have it
        /// cleared as many times.
        piece: Box<[u8]>,
        missing: u64,
        ended: bool,
    },
    After,
}

impl Reader {
    fn new(header: Header) -> Self {
        Self { header, colours: 0, has_transparency: false, pixels: Pixels::Before }
    }

    fn read(&mut self, (name, content): Chunk<'_>) -> Result<Use, PngError> {
        if &name != b"IDAT" {
            self.end_pixels()?;
        }
        match &name {
            b"PLTE" => self.palette(content).map(|()| Use::Kept),
            b"tRNS" => self.transparency(content).map(|()| Use::Kept),
            b"IDAT" => self.inflate(content).map(|()| Use::Kept),
            b"IEND" if content.is_empty() && matches!(self.pixels, Pixels::After) => Ok(Use::End),
            // A small first letter: the picture can be shown without it.
            [b'a'..=b'z', ..] => Ok(Use::LeftOut),
            _ => Err(PngError::Damaged),
        }
    }

    fn end_pixels(&mut self) -> Result<(), PngError> {
        if let Pixels::Within { missing, ended, .. } = self.pixels {
            if missing > 0 || !ended {
                return Err(PngError::Damaged);
            }
            self.pixels = Pixels::After;
        }
        Ok(())
    }

    fn palette(&mut self, content: &[u8]) -> Result<(), PngError> {
        let colours = content.len() / 3;
        let most = if self.header.colour == 3 { 1 << self.header.bits } else { 256 };
        let fits = content.len().is_multiple_of(3) && (1..=most).contains(&colours);
        let may = matches!(self.header.colour, 2 | 3 | 6) && self.colours == 0;
        let early = matches!(self.pixels, Pixels::Before) && !self.has_transparency;
        self.colours = colours;
        if fits && may && early { Ok(()) } else { Err(PngError::Damaged) }
    }

    fn transparency(&mut self, content: &[u8]) -> Result<(), PngError> {
        let fits = match self.header.colour {
            0 => content.len() == 2,
            2 => content.len() == 6,
            3 => (1..=self.colours).contains(&content.len()),
            _ => false,
        };
        let early = matches!(self.pixels, Pixels::Before) && !self.has_transparency;
        self.has_transparency = true;
        if fits && early { Ok(()) } else { Err(PngError::Damaged) }
    }

    /// Inflates a part of the pixels, to see that there are as many as the header says, and no more.
    fn inflate(&mut self, mut content: &[u8]) -> Result<(), PngError> {
        if matches!(self.pixels, Pixels::Before) {
            if self.header.colour == 3 && self.colours == 0 {
                return Err(PngError::Damaged);
            }
            let (zlib, missing) = (Box::new(Decompress::new(true)), self.header.inflated());
            let piece = vec![0; PIECE].into_boxed_slice();
            self.pixels = Pixels::Within { zlib, piece, missing, ended: false };
        }
        let Pixels::Within { zlib, piece, missing, ended } = &mut self.pixels else {
            return Err(PngError::Damaged);
        };
        loop {
            let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
            let status = zlib.decompress(content, piece, FlushDecompress::None);
            let (read, got) = (zlib.total_in() - before_in, zlib.total_out() - before_out);
            content = &content[read as usize..];
            *missing = missing.checked_sub(got).ok_or(PngError::Damaged)?;
            *ended |= status.map_err(|_| PngError::Damaged)? == Status::StreamEnd;
            if *ended || (read == 0 && got == 0) {
                // Nothing may come after the end.
                return if content.is_empty() { Ok(()) } else { Err(PngError::Damaged) };
            }
        }
    }
}
