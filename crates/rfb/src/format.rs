//! The pixel format that a viewer asks for (RFC 6143, 7.4).

use crate::ProtocolError;

/// A colour within this crate: 0x00RRGGBB.
pub(crate) type Colour = u32;

/// The bits of a pixel that hold its colour; the fourth byte of a captured pixel has no meaning.
pub(crate) const COLOUR: u32 = 0x00ff_ffff;

/// The colours of a picture's bytes.
pub(crate) fn colours(bytes: &[u8]) -> impl Iterator<Item = Colour> + '_ {
    let pixels = bytes.as_chunks::<4>().0;
    pixels.iter().map(|pixel| u32::from_le_bytes(*pixel) & COLOUR)
}

/// A true-colour pixel format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    bits: u8,
    depth: u8,
    big_endian: bool,
    max: [u16; 3],
    shift: [u8; 3],
}

/// Which bytes of a pixel an encoding leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PixelLayout {
    /// None: the pixel is written whole, as PIXEL.
    Whole,
    /// The unused one: red, green and blue are written in this order whatever the shifts are, as Tight's TPIXEL.
    RedGreenBlue,
    /// The most significant one, as in ZRLE's CPIXEL.
    LowThree,
    /// The least significant one, as in ZRLE's CPIXEL.
    HighThree,
}

impl Format {
    /// The format that ServerInit names, in which a picture's bytes need no conversion.
    pub(crate) const OWN: Self =
        Self { bits: 32, depth: 24, big_endian: false, max: [255; 3], shift: [16, 8, 0] };

    /// Reads PIXEL_FORMAT.
    pub(crate) fn read(bytes: &[u8; 16]) -> Result<Self, ProtocolError> {
        let [bits, depth, big_endian, true_colour, r0, r1, g0, g1, b0, b1, sr, sg, sb, ..] = *bytes;
        let max = [[r0, r1], [g0, g1], [b0, b1]].map(u16::from_be_bytes);
        let format = Self { bits, depth, big_endian: big_endian != 0, max, shift: [sr, sg, sb] };
        // A colour map would need SetColourMapEntries, which this server does not send.
        if true_colour != 0 && format.is_valid() {
            Ok(format)
        } else {
            Err(ProtocolError::PixelFormat)
        }
    }

    fn is_valid(&self) -> bool {
        let fits = |(max, shift): (&u16, &u8)| {
            let max = u32::from(*max);
            // A maximum is 2^N - 1 (RFC 6143, 7.4), and its N bits must lie inside of the pixel.
            max > 0
                && (max + 1).is_power_of_two()
                && max.ilog2() + 1 + u32::from(*shift) <= self.bits.into()
        };
        matches!(self.bits, 8 | 16 | 32) && self.max.iter().zip(&self.shift).all(fits)
    }

    /// Writes PIXEL_FORMAT.
    pub(crate) fn write(self, to: &mut Vec<u8>) {
        to.extend([self.bits, self.depth, self.big_endian.into(), 1]);
        to.extend(self.max.map(u16::to_be_bytes).as_flattened());
        to.extend(self.shift);
        to.extend([0; 3]);
    }

    /// Whether a pixel has four bytes and eight bits for each colour. Only then is a TPIXEL shorter than a pixel
    /// (rfbproto, "Tight Encoding"). JPEG is used only then, too, though Tight allows it for more formats.
    pub(crate) fn is_888(self) -> bool {
        self.bits == 32 && self.depth == 24 && self.max == [255; 3]
    }

    /// Whether the bytes of a picture are in this format already.
    pub(crate) fn is_own(self) -> bool {
        // The depth only says how many bits are used, which the maxima say as well; some viewers give 32.
        Self { depth: 24, ..self } == Self::OWN
    }

    /// How Tight writes a pixel: TPIXEL (rfbproto, "Tight Encoding").
    pub(crate) fn tight_layout(self) -> PixelLayout {
        if self.is_888() { PixelLayout::RedGreenBlue } else { PixelLayout::Whole }
    }

    /// How ZRLE writes a pixel: CPIXEL (RFC 6143, 7.7.5 and 7.7.6).
    pub(crate) fn zrle_layout(self) -> PixelLayout {
        let used = self.pixel_value(COLOUR);
        // Where both ends of the pixel are unused, the three least significant bytes are written (rfbproto).
        match (self.bits, self.depth) {
            (32, ..=24) if used & 0xff00_0000 == 0 => PixelLayout::LowThree,
            (32, ..=24) if used & 0x0000_00ff == 0 => PixelLayout::HighThree,
            _ => PixelLayout::Whole,
        }
    }

    fn pixel_value(self, colour: Colour) -> u32 {
        let part = |at: usize, eight: u32| {
            let max = u32::from(self.max[at]);
            ((eight * max + 127) / 255) << self.shift[at]
        };
        part(0, colour >> 16 & 0xff) | part(1, colour >> 8 & 0xff) | part(2, colour & 0xff)
    }

    pub(crate) fn put(self, colour: Colour, layout: PixelLayout, to: &mut Vec<u8>) {
        if layout == PixelLayout::RedGreenBlue {
            return to.extend(&colour.to_be_bytes()[1..]);
        }
        let value = self.pixel_value(colour);
        match (layout, self.bits, self.big_endian) {
            (_, 8, _) => to.push(value as u8),
            (_, 16, true) => to.extend((value as u16).to_be_bytes()),
            (_, 16, false) => to.extend((value as u16).to_le_bytes()),
            (PixelLayout::LowThree, _, true) => to.extend(&value.to_be_bytes()[1..]),
            (PixelLayout::LowThree, _, false) => to.extend(&value.to_le_bytes()[..3]),
            (PixelLayout::HighThree, _, true) => to.extend(&value.to_be_bytes()[..3]),
            (PixelLayout::HighThree, _, false) => to.extend(&value.to_le_bytes()[1..]),
            (_, _, true) => to.extend(value.to_be_bytes()),
            (_, _, false) => to.extend(value.to_le_bytes()),
        }
    }

    pub(crate) fn put_all(self, colours: &[Colour], layout: PixelLayout, to: &mut Vec<u8>) {
        if layout == PixelLayout::RedGreenBlue {
            let start = to.len();
            to.resize(start + colours.len() * 3, 0);
            let pixels = to[start..].as_chunks_mut::<3>().0;
            for (pixel, colour) in pixels.iter_mut().zip(colours) {
                let [_, r, g, b] = colour.to_be_bytes();
                *pixel = [r, g, b];
            }
            return;
        }
        colours.iter().for_each(|colour| self.put(*colour, layout, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let with = |change: &dyn Fn(&mut [u8; 16])| {
            let mut bytes = Vec::new();
            Format::OWN.write(&mut bytes);
            let mut bytes: [u8; 16] = bytes.try_into().unwrap();
            change(&mut bytes);
            Format::read(&bytes)
        };
        assert_eq!(with(&|_| ()), Ok(Format::OWN));
        assert!(with(&|b| b[0] = 24).is_err(), "24 bits a pixel");
        assert!(with(&|b| b[3] = 0).is_err(), "a colour map");
        assert!(with(&|b| b[5] = 0).is_err(), "no red at all");
        assert!(with(&|b| b[5] = 254).is_err(), "a maximum with a hole in it");
        assert!(with(&|b| b[10] = 25).is_err(), "a shift out of the pixel");
        assert!(with(&|b| b[10] = 255).is_err(), "a shift out of the word");
        assert!(with(&|b| b[0] = 8).is_err(), "a shift out of a byte");
    }

    #[test]
    fn a_pixel_in_565() {
        let format =
            Format { bits: 16, depth: 16, big_endian: true, max: [31, 63, 31], shift: [11, 5, 0] };
        let mut to = Vec::new();
        format.put(0xff_00_ff, PixelLayout::Whole, &mut to);
        format.put(0x00_ff_00, format.tight_layout(), &mut to);
        assert_eq!(to, [0xf8, 0x1f, 0x07, 0xe0]);
    }

    #[test]
    fn zrle_leaves_out_the_byte_that_says_nothing() {
        let high = Format { shift: [24, 16, 8], ..Format::OWN };
        assert_eq!(Format::OWN.zrle_layout(), PixelLayout::LowThree);
        assert_eq!(high.zrle_layout(), PixelLayout::HighThree);
        assert_eq!(Format { depth: 32, ..Format::OWN }.zrle_layout(), PixelLayout::Whole);
        let mut to = Vec::new();
        high.put(0x11_22_33, high.zrle_layout(), &mut to);
        assert_eq!(to, [0x33, 0x22, 0x11]);
    }
}
