//! The screen's picture, its monitors and its cursor, as a capture delivers them.

use crate::Rect;

/// The pixels of a whole screen, 32 bits each: in memory blue, green, red and an unused byte. Rows follow each
/// other without padding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    height: u16,
    pixels: Vec<u8>,
}

impl Picture {
    /// A black screen.
    pub fn new(width: u16, height: u16) -> Self {
        Self { width, height, pixels: vec![0; usize::from(width) * usize::from(height) * 4] }
    }

    /// Width in pixels.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> u16 {
        self.height
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All pixels, to draw on.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The bytes of `w` pixels of row `y` from `x` on.
    ///
    /// # Panics
    /// If a part of that is outside of the picture.
    pub fn row(&self, x: u16, y: u16, w: u16) -> &[u8] {
        let start = (usize::from(y) * usize::from(self.width) + usize::from(x)) * 4;
        &self.pixels[start..start + usize::from(w) * 4]
    }

    /// The picture's area, from 0, 0.
    pub const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }
}

/// One monitor's part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monitor {
    /// A number that stays the same as long as the monitor is connected.
    pub id: u32,
    /// The part of the screen that the monitor shows.
    pub area: Rect,
}

/// The pointer's shape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Width in pixels; 0 for an invisible pointer.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// The hotspot, in pixels from the shape's left edge.
    pub hot_x: u16,
    /// The hotspot, in pixels from the shape's top edge.
    pub hot_y: u16,
    /// Blue, green, red, alpha (not premultiplied), row by row.
    pub pixels: Vec<u8>,
}
