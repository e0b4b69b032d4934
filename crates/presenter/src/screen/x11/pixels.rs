//! The X server's pixel layout, and the conversion to that of [`rfb::Picture`].

use x11rb::protocol::xproto::{ImageOrder, Screen, Setup, VisualClass};

use crate::screen::ScreenError;

/// The layout of the root window's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootLayout {
    /// Bytes per pixel: 2, 3 or 4.
    bytes: usize,
    /// The length of a row in bytes is a multiple of this.
    pad: usize,
    most_significant_first: bool,
    /// Masks of blue, green and red.
    masks: [u32; 3],
}

impl RootLayout {
    /// The layout of a screen; an error unless its pixels are colours of at least 15 bits.
    pub fn from_screen(setup: &Setup, screen: &Screen) -> Result<Self, ScreenError> {
        const NO_COLOURS: ScreenError = ScreenError::Lacks("a colour depth of 16, 24 or 32 bits");
        let visuals = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visuals.into_iter().find(|visual| visual.visual_id == screen.root_visual);
        let format = setup.pixmap_formats.iter().find(|format| format.depth == screen.root_depth);
        let (Some(visual), Some(format)) = (visual, format) else { return Err(NO_COLOURS) };
        let coloured = matches!(visual.class, VisualClass::TRUE_COLOR | VisualClass::DIRECT_COLOR);
        let bytes = usize::from(format.bits_per_pixel / 8);
        if !coloured || !(2..=4).contains(&bytes) {
            return Err(NO_COLOURS);
        }
        Ok(Self {
            bytes,
            pad: usize::from(format.scanline_pad / 8).max(1),
            most_significant_first: setup.image_byte_order == ImageOrder::MSB_FIRST,
            masks: [visual.blue_mask, visual.green_mask, visual.red_mask],
        })
    }

    /// The length in bytes of a row of `width` pixels.
    pub fn row(self, width: u16) -> usize {
        (usize::from(width) * self.bytes).next_multiple_of(self.pad)
    }

    /// Converts one row of the X server's pixels to one of the picture's.
    pub fn convert(self, row: &[u8], into: &mut [u8]) {
        if self.is_own() {
            into.copy_from_slice(&row[..into.len()]);
            return;
        }
        for (pixel, into) in row.chunks_exact(self.bytes).zip(into.chunks_exact_mut(4)) {
            let value = self.value(pixel);
            let [blue, green, red] = self.masks.map(|mask| channel(value, mask));
            into.copy_from_slice(&[blue, green, red, 0]);
        }
    }

    /// Whether it is the picture's own layout, as on nearly every computer, so that no conversion
    /// is needed.
    pub fn is_own(self) -> bool {
        self.bytes == 4 && !self.most_significant_first && self.masks == [0xff, 0xff00, 0xff_0000]
    }

    fn value(self, pixel: &[u8]) -> u32 {
        let join = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        if self.most_significant_first {
            pixel.iter().fold(0, join)
        } else {
            pixel.iter().rev().fold(0, join)
        }
    }
}

/// One colour channel of a pixel, scaled to eight bits.
fn channel(value: u32, mask: u32) -> u8 {
    if mask == 0 {
        return 0;
    }
    let shift = mask.trailing_zeros();
    let (value, most) = (u64::from((value & mask) >> shift), u64::from(mask >> shift));
    u8::try_from((value * 255 + most / 2) / most).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: RootLayout = RootLayout {
        bytes: 4,
        pad: 4,
        most_significant_first: false,
        masks: [0xff, 0xff00, 0xff_0000],
    };

    fn drawn(layout: RootLayout, row: &[u8]) -> Vec<u8> {
        let mut into = vec![9; row.len() / layout.bytes * 4];
        layout.convert(row, &mut into);
        into
    }

    #[test]
    fn copies_what_needs_no_conversion() {
        assert_eq!(drawn(OURS, &[1, 2, 3, 4, 5, 6, 7, 8]), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn stretches_sixteen_bits() {
        let layout = RootLayout { bytes: 2, masks: [0x1f, 0x7e0, 0xf800], ..OURS };
        assert_eq!(
            drawn(layout, &[0xff, 0xff, 0x1f, 0, 0xe0, 0x07]),
            [255, 255, 255, 0, 255, 0, 0, 0, 0, 255, 0, 0]
        );
        assert_eq!(layout.row(3), 8, "rows are padded");
    }

    #[test]
    fn turns_the_other_byte_order_and_cuts_thirty_bits() {
        let turned = RootLayout { most_significant_first: true, ..OURS };
        assert_eq!(drawn(turned, &[0, 3, 2, 1]), [1, 2, 3, 0]);
        let deep = RootLayout { masks: [0x3ff, 0xf_fc00, 0x3ff0_0000], ..OURS };
        assert_eq!(drawn(deep, &0x3ff0_0001u32.to_le_bytes()), [0, 0, 255, 0]);
    }
}
