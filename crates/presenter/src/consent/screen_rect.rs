//! Rectangles of the screen, which may have several monitors.

/// The width and height in units at which every window fits on a monitor.
const NEEDED_ROOM: (f32, f32) = (580.0, 640.0);
/// How much of a monitor's width the banner may take.
pub const BANNER_SHARE: f32 = 0.96;

/// A rectangle in the coordinates of the whole screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenRect {
    /// Pixels from the screen's left edge.
    pub x: i32,
    /// Pixels from the screen's top edge.
    pub y: i32,
    /// Width in pixels.
    pub w: i32,
    /// Height in pixels.
    pub h: i32,
}

impl ScreenRect {
    /// Whether they share a pixel.
    pub fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }

    /// This rectangle, moved as little as is needed to be inside another one.
    pub fn inside(self, other: &Self) -> Self {
        let within =
            |at: i32, long: i32, from: i32, room: i32| at.min(from + room - long).max(from);
        let x = within(self.x, self.w, other.x, other.w);
        let y = within(self.y, self.h, other.y, other.h);
        Self { x, y, ..self }
    }
}

/// The monitor that a point is on, else the first one.
pub fn monitor_at(monitors: &[ScreenRect], (x, y): (i32, i32)) -> ScreenRect {
    let has = |m: &&ScreenRect| (m.x..m.x + m.w).contains(&x) && (m.y..m.y + m.h).contains(&y);
    *monitors.iter().find(has).unwrap_or(&monitors[0])
}

/// The scale, or a smaller one at which the windows fit on a monitor.
pub fn fitted(scale: f32, monitor: ScreenRect) -> f32 {
    let fits = (monitor.w as f32 / NEEDED_ROOM.0).min(monitor.h as f32 / NEEDED_ROOM.1);
    scale.min(fits).clamp(0.5, 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: ScreenRect = ScreenRect { x: 0, y: 0, w: 100, h: 100 };
    const RIGHT: ScreenRect = ScreenRect { x: 100, y: 20, w: 200, h: 80 };

    #[test]
    fn stays_on_the_monitor_that_it_is_on() {
        let banner = ScreenRect { x: 80, y: -5, w: 60, h: 10 };
        assert_eq!(banner.inside(&LEFT), ScreenRect { x: 40, y: 0, ..banner });
        assert_eq!(banner.inside(&RIGHT), ScreenRect { x: 100, y: 20, ..banner });
        // Larger than the monitor: its beginning can be seen.
        let wide = ScreenRect { w: 150, ..banner };
        assert_eq!(wide.inside(&LEFT), ScreenRect { x: 0, y: 0, ..wide });
    }

    #[test]
    fn finds_the_monitor_of_a_point_else_the_first() {
        assert_eq!(monitor_at(&[LEFT, RIGHT], (100, 50)), RIGHT);
        assert_eq!(monitor_at(&[LEFT, RIGHT], (99, 0)), LEFT);
        assert_eq!(monitor_at(&[LEFT, RIGHT], (150, 5)), LEFT);
    }

    #[test]
    fn beside_is_not_above() {
        assert!(LEFT.meets(&ScreenRect { x: 99, ..RIGHT }) && !LEFT.meets(&RIGHT));
    }
}
