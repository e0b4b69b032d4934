//! What is on the screen, as the capture hands it over.

use crate::Rect;

/// A whole screen: 32 bits a pixel, in memory blue, green, red and one byte that means nothing; rows
/// without gaps.
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
    /// If that isn't inside.
    pub fn row(&self, x: u16, y: u16, w: u16) -> &[u8] {
        let start = (usize::from(y) * usize::from(self.width) + usize::from(x)) * 4;
        &self.pixels[start..start + usize::from(w) * 4]
    }

    /// The whole of it as a rectangle.
    pub const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }
}

/// One monitor's part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monitor {
    /// Stays the same while the monitor is there.
    pub id: u32,
    /// Where it is.
    pub area: Rect,
}

/// The pointer's shape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Width in pixels; 0 for no pointer.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// The point that points, from the left.
    pub hot_x: u16,
    /// And from the top.
    pub hot_y: u16,
    /// Blue, green, red, alpha (not premultiplied), row by row.
    pub pixels: Vec<u8>,
}
