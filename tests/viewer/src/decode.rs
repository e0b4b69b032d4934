//! Server messages and encodings, from the specifications.

use flate2::{Decompress, FlushDecompress};

use super::{Told, Viewer};

/// Reads forward; a test fails where bytes are missing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        assert!(self.0.len() >= n, "the message is cut short: {} of {n} bytes", self.0.len());
        let (taken, rest) = self.0.split_at(n);
        self.0 = rest;
        taken
    }
    fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }
    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().unwrap())
    }
    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take(4).try_into().unwrap())
    }
    fn compact(&mut self) -> usize {
        let mut length = 0;
        for place in 0..3 {
            let byte = usize::from(self.u8());
            let mask = if place == 2 { 0xff } else { 0x7f };
            length |= (byte & mask) << (7 * place);
            if place == 2 || byte & 0x80 == 0 {
                break;
            }
        }
        length
    }
}

#[derive(Clone, Copy)]
struct Area {
    x: usize,
    y: usize,
    w: usize,
    h: usize,
}

impl Viewer {
    pub fn read(&mut self, bytes: &[u8]) {
        let mut r = Reader(bytes);
        while !r.0.is_empty() {
            match r.u8() {
                0 => self.update(&mut r),
                3 => self.cut_text(&mut r),
                150 => self.told.push(Told::EndOfContinuousUpdates),
                248 => self.fence(&mut r),
                other => panic!("unknown message {other}"),
            }
        }
    }

    fn cut_text(&mut self, r: &mut Reader<'_>) {
        r.take(3);
        let length = r.u32() as i32;
        if length >= 0 {
            self.told.push(Told::CutText(r.take(length as usize).to_vec()));
        } else {
            let flags = r.u32();
            let body = r.take(length.unsigned_abs() as usize - 4).to_vec();
            self.told.push(Told::ExtendedCutText(flags, body));
        }
    }

    fn fence(&mut self, r: &mut Reader<'_>) {
        r.take(3);
        let flags = r.u32();
        let length = r.u8();
        let payload = r.take(length.into());
        if flags >> 31 == 0 {
            return self.told.push(Told::Fence(flags, payload.to_vec()));
        }
        self.replies.extend([248, 0, 0, 0]);
        self.replies.extend((flags & 0b111).to_be_bytes());
        self.replies.push(length);
        self.replies.extend(payload);
    }

    fn update(&mut self, r: &mut Reader<'_>) {
        r.take(1);
        self.counts.updates += 1;
        let count = r.u16();
        assert!(count > 0, "an update of nothing");
        for _ in 0..count {
            self.rect(r);
        }
    }

    fn rect(&mut self, r: &mut Reader<'_>) {
        let [x, y, w, h] = [(); 4].map(|()| r.u16());
        let encoding = r.u32() as i32;
        let size = (w, h);
        match encoding {
            -223 => {
                self.told.push(Told::Size { reason: 0, status: 0, size, monitors: Vec::new() });
                return self.resize(w, h);
            }
            -308 => {
                let count = r.u8();
                r.take(3);
                let mut one = || (r.u32(), [(); 4].map(|()| r.u16()), r.u32());
                let monitors = (0..count).map(|_| one()).map(|(id, area, _)| (id, area)).collect();
                self.told.push(Told::Size { reason: x, status: y, size, monitors });
                if (x, y) != (1, 1) && size != (self.width, self.height) {
                    self.resize(w, h);
                }
                return;
            }
            -258 => return self.told.push(Told::ExtendedKeys),
            -316 => return self.told.push(Told::ExtendedButtons),
            -239 | -240 | -314 | 0x574d_5664 => {
                let (w, h) = (usize::from(w), usize::from(h));
                let mask = w.div_ceil(8) * h;
                let length = match encoding {
                    -239 => w * h * usize::from(self.pixels.bits / 8) + mask,
                    -240 if w * h > 0 => 6 + 2 * mask,
                    -240 => 0,
                    -314 => 4 + w * h * 4,
                    _ => 2 + w * h * 4,
                };
                let bytes = r.take(length).to_vec();
                return self.told.push(Told::Cursor { encoding, hot: (x, y), size, bytes });
            }
            _ => (),
        }
        self.counts.rects += 1;
        assert!(w > 0 && h > 0, "an empty rectangle");
        assert!(x <= self.width - w && y <= self.height - h, "outside: {x} {y} {w} {h}");
        let [x, y, w, h] = [x, y, w, h].map(usize::from);
        let area = Area { x, y, w, h };
        let pixels = match encoding {
            0 => self.pixels_of(r.take(w * h * self.size()), self.size()),
            1 => self.copy(r, area),
            7 => self.tight(r, area),
            16 => self.zrle(r, area),
            other => panic!("unknown encoding {other}"),
        };
        self.draw(area, &pixels);
    }

    fn draw(&mut self, area: Area, pixels: &[u32]) {
        assert_eq!(pixels.len(), area.w * area.h);
        for (row, pixels) in pixels.chunks(area.w).enumerate() {
            let start = (area.y + row) * usize::from(self.width) + area.x;
            self.picture[start..start + area.w].copy_from_slice(pixels);
        }
    }

    fn copy(&mut self, r: &mut Reader<'_>, area: Area) -> Vec<u32> {
        self.counts.copies += 1;
        let (x, y) = (usize::from(r.u16()), usize::from(r.u16()));
        let width = usize::from(self.width);
        assert!(x + area.w <= width && y + area.h <= self.height.into(), "a copy from outside");
        let row = |row: usize| &self.picture[(y + row) * width + x..][..area.w];
        (0..area.h).flat_map(row).copied().collect()
    }

    fn size(&self) -> usize {
        usize::from(self.pixels.bits / 8)
    }

    fn pixels_of(&self, bytes: &[u8], size: usize) -> Vec<u32> {
        bytes.chunks(size).map(|pixel| self.pixels.number(pixel) & self.used()).collect()
    }

    /// The bits of a pixel that mean something.
    fn used(&self) -> u32 {
        let bits = self.pixels.max.iter().zip(self.pixels.shift);
        bits.map(|(max, shift)| u32::from(*max) << shift).fold(0, |all, one| all | one)
    }

    /// TPIXELs: red, green, blue if the format has three whole bytes.
    fn tight_pixels(&self, bytes: &[u8]) -> Vec<u32> {
        if !self.is_tight_888() {
            return self.pixels_of(bytes, self.size());
        }
        let [r, g, b] = self.pixels.shift;
        let one = |p: &[u8]| u32::from(p[0]) << r | u32::from(p[1]) << g | u32::from(p[2]) << b;
        bytes.chunks(3).map(one).collect()
    }

    fn is_tight_888(&self) -> bool {
        self.pixels.bits == 32 && self.pixels.depth == 24 && self.pixels.max == [255; 3]
    }

    fn tight(&mut self, r: &mut Reader<'_>, area: Area) -> Vec<u32> {
        assert!(area.w <= 2048, "Tight allows no rectangle that is wider");
        let size = if self.is_tight_888() { 3 } else { self.size() };
        let count = area.w * area.h;
        let control = r.u8();
        for (at, stream) in self.tight.iter_mut().enumerate() {
            if control >> at & 1 == 1 {
                *stream = Decompress::new(true);
            }
        }
        match control >> 4 {
            8 => vec![self.tight_pixels(r.take(size))[0]; count],
            9 => {
                let length = r.compact();
                self.jpeg(r.take(length), area)
            }
            kind @ 0..=7 => {
                let stream = usize::from(kind & 3);
                let filter = if kind & 4 != 0 { r.u8() } else { 0 };
                if filter == 0 {
                    let bytes = self.inflated(r, stream, count * size);
                    return self.tight_pixels(&bytes);
                }
                assert_eq!(filter, 1, "no other filter is known");
                let colours = usize::from(r.u8()) + 1;
                let palette = self.tight_pixels(r.take(colours * size));
                if colours > 2 {
                    let numbers = self.inflated(r, stream, count);
                    return numbers.iter().map(|n| palette[usize::from(*n)]).collect();
                }
                let width = area.w.div_ceil(8);
                let bits = self.inflated(r, stream, width * area.h);
                let bit = |x: usize, row: &[u8]| row[x / 8] >> (7 - x % 8) & 1;
                let row =
                    |row: &[u8]| (0..area.w).map(|x| bit(x, row).into()).collect::<Vec<usize>>();
                bits.chunks(width).flat_map(row).map(|n| palette[n]).collect()
            }
            other => panic!("unknown compression {other}"),
        }
    }

    fn inflated(&mut self, r: &mut Reader<'_>, stream: usize, length: usize) -> Vec<u8> {
        if length < 12 {
            return r.take(length).to_vec();
        }
        let zipped = r.compact();
        inflate(&mut self.tight[stream], r.take(zipped), length)
    }

    fn jpeg(&mut self, bytes: &[u8], area: Area) -> Vec<u32> {
        self.counts.jpegs += 1;
        let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
        let rgb = decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        assert_eq!((usize::from(info.width), usize::from(info.height)), (area.w, area.h));
        assert!(self.is_tight_888(), "JPEG needs a format of three bytes");
        self.tight_pixels(&rgb)
    }

    fn zrle(&mut self, r: &mut Reader<'_>, area: Area) -> Vec<u32> {
        let length = r.u32() as usize;
        let zipped = r.take(length);
        let most = area.w * area.h * 6 + 65536;
        let bytes = inflate_all(&mut self.zrle, zipped, most);
        let mut r = Reader(&bytes);
        let mut out = vec![0; area.w * area.h];
        for y in (0..area.h).step_by(64) {
            for x in (0..area.w).step_by(64) {
                let (w, h) = (64.min(area.w - x), 64.min(area.h - y));
                let tile = self.zrle_tile(&mut r, w, h);
                for row in 0..h {
                    let start = (y + row) * area.w + x;
                    out[start..start + w].copy_from_slice(&tile[row * w..][..w]);
                }
            }
        }
        assert!(r.0.is_empty(), "ZRLE has more bytes than tiles");
        out
    }

    fn zrle_tile(&self, r: &mut Reader<'_>, w: usize, h: usize) -> Vec<u32> {
        let kind = r.u8();
        let count = w * h;
        match kind {
            0 => (0..count).map(|_| self.cpixel(r)).collect(),
            1 => vec![self.cpixel(r); count],
            2..=16 => {
                let palette: Vec<_> = (0..kind).map(|_| self.cpixel(r)).collect();
                let bits = match kind {
                    2 => 1,
                    3..=4 => 2,
                    _ => 4,
                };
                let mut out = Vec::new();
                for _ in 0..h {
                    let row = r.take((w * bits).div_ceil(8));
                    out.extend((0..w).map(|x| {
                        let byte = row[x * bits / 8] >> (8 - bits - x * bits % 8);
                        palette[usize::from(byte) & ((1 << bits) - 1)]
                    }));
                }
                out
            }
            130..=255 => {
                let palette: Vec<_> = (128..kind).map(|_| self.cpixel(r)).collect();
                let mut out = Vec::new();
                while out.len() < count {
                    let number = r.u8();
                    let mut run = 1;
                    let mut more = if number & 0x80 != 0 { 255 } else { 0 };
                    while more == 255 {
                        more = r.u8();
                        run += usize::from(more);
                    }
                    let colour = palette[usize::from(number & 0x7f)];
                    out.extend(std::iter::repeat_n(colour, run));
                }
                assert_eq!(out.len(), count, "a run goes beyond the tile");
                out
            }
            other => panic!("unknown kind of tile {other}"),
        }
    }

    /// CPIXEL: three bytes where the fourth says nothing.
    fn cpixel(&self, r: &mut Reader<'_>) -> u32 {
        let (used, format) = (self.used(), self.pixels);
        if format.bits != 32 || format.depth > 24 || used & 0xff00_00ff == used & 0xff {
            let is_short = format.bits == 32 && format.depth <= 24 && used >> 24 == 0;
            return format.number(r.take(if is_short { 3 } else { self.size() }));
        }
        if used & 0xff == 0 { format.number(r.take(3)) << 8 } else { format.number(r.take(4)) }
    }
}

/// Exactly so many bytes, and nothing left over.
fn inflate(stream: &mut Decompress, zipped: &[u8], length: usize) -> Vec<u8> {
    let out = inflate_all(stream, zipped, length + 64);
    assert_eq!(out.len(), length, "the stream has another length");
    out
}

fn inflate_all(stream: &mut Decompress, zipped: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(most);
    let before = stream.total_in();
    stream.decompress_vec(zipped, &mut out, FlushDecompress::Sync).unwrap();
    assert_eq!((stream.total_in() - before) as usize, zipped.len(), "more than fits");
    out
}
