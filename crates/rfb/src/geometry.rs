//! Rectangles on a screen.

/// A rectangle in pixels; empty if it has no width or no height.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Pixels from the left edge of the screen.
    pub x: u16,
    /// Pixels from the top edge of the screen.
    pub y: u16,
    /// Width in pixels.
    pub w: u16,
    /// Height in pixels.
    pub h: u16,
}

impl Rect {
    /// A rectangle of this place and size.
    pub const fn new(x: u16, y: u16, w: u16, h: u16) -> Self {
        Self { x, y, w, h }
    }

    /// Whether it covers nothing.
    pub const fn is_empty(self) -> bool {
        self.w == 0 || self.h == 0
    }

    /// The first column right of it.
    pub(crate) const fn right(self) -> u32 {
        self.x as u32 + self.w as u32
    }

    /// The first row below it.
    pub(crate) const fn bottom(self) -> u32 {
        self.y as u32 + self.h as u32
    }

    /// How many pixels it covers.
    pub const fn area(self) -> u64 {
        self.w as u64 * self.h as u64
    }

    /// The rectangle that both cover.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = self.right().min(other.right());
        let bottom = self.bottom().min(other.bottom());
        // Coordinates come from viewers: x + w may be more than 16 bits hold, so ends are counted in 32.
        let size = |end: u32, start: u16| end.saturating_sub(start.into()) as u16;
        let both = Self { x, y, w: size(right, x), h: size(bottom, y) };
        if both.is_empty() { Self::default() } else { both }
    }

    /// The smallest one that covers both.
    #[must_use]
    pub fn around(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let size = |end: u32, start: u16| (end - u32::from(start)).min(u16::MAX.into()) as u16;
        let w = size(self.right().max(other.right()), x);
        let h = size(self.bottom().max(other.bottom()), y);
        Self { x, y, w, h }
    }

    /// Whether nothing of the other is outside.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.and(other) == other
    }
}
