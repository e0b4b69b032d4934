//! A copy of the client's framebuffer, and which of its tiles may differ from the screen.

use std::time::Duration;

use crate::{
    Picture, Rect,
    compare::{first_difference, is_same, last_difference},
    format::{Colour, colours},
};

/// Width and height of a tile in pixels, except at the right and lower edge.
pub(crate) const TILE: u16 = 64;

/// A tile's flag: something may differ from the screen.
const DIRTY: u8 = 1;
/// The tile was compared as far as it is in the requested area, which doesn't hold all of it.
const PARTLY: u8 = 2;
/// A part of the tile was sent as JPEG, so the viewer's pixels are only similar.
const LOSSY: u8 = 4;

/// A tile that was sent as JPEG, and of which nothing has changed for so long, is at rest: it is sent again without
/// loss.
const AT_REST_AFTER: Duration = Duration::from_millis(150);

/// A pixel of which nobody knows what the viewer shows. The fourth byte makes it differ from every colour.
const UNKNOWN: u32 = 0xff00_0000;

/// A rectangle that the viewer can copy from another place in its framebuffer (RFC 6143, 7.7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyRect {
    pub(crate) from: (u16, u16),
    pub(crate) to: Rect,
    /// The tiles within `to` that match the screen after the copy.
    pub(crate) matching: Vec<Rect>,
}

/// What the viewer shows as far as the server knows. A pixel that was sent as JPEG counts as what it was made
/// from: otherwise every JPEG would differ from the screen at once, and be sent again.
#[derive(Debug)]
pub(crate) struct ClientFramebuffer {
    width: u16,
    height: u16,
    pixels: Vec<u32>,
    columns: u16,
    tiles: Vec<u8>,
    /// When each tile was last sent as JPEG.
    lossy_at: Vec<Duration>,
}

impl ClientFramebuffer {
    /// A framebuffer of which nothing is known.
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let (columns, rows) = (width.div_ceil(TILE), height.div_ceil(TILE));
        let tiles = usize::from(columns) * usize::from(rows);
        Self {
            width,
            height,
            pixels: vec![UNKNOWN; usize::from(width) * usize::from(height)],
            columns,
            tiles: vec![DIRTY; tiles],
            lossy_at: vec![Duration::ZERO; tiles],
        }
    }

    pub(crate) const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// The `w` pixels of row `y` from `x` on.
    pub(crate) fn row(&self, x: u16, y: u16, w: u16) -> &[Colour] {
        let start = self.index(x, y);
        &self.pixels[start..start + usize::from(w)]
    }

    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.width) + usize::from(x)
    }

    /// Says that the screen may have changed there.
    pub(crate) fn mark(&mut self, area: Rect) {
        self.each(area, |tile| *tile |= DIRTY);
    }

    /// Says that the area was sent as JPEG just now.
    pub(crate) fn mark_lossy(&mut self, area: Rect, now: Duration) {
        for (at, _) in self.tiles_in(area) {
            self.tiles[at] |= LOSSY;
            self.lossy_at[at] = now;
        }
    }

    /// Says that the viewer requests another area than before, which may hold the rest of some tiles.
    pub(crate) fn requested_area_changed(&mut self) {
        for tile in &mut self.tiles {
            if *tile & PARTLY != 0 {
                *tile = *tile & !PARTLY | DIRTY;
            }
        }
    }

    /// Makes the area count as unknown, so that it is sent whatever it holds.
    pub(crate) fn forget(&mut self, area: Rect) {
        let area = area.and(self.bounds());
        for y in area.y..area.y + area.h {
            let start = self.index(area.x, y);
            self.pixels[start..start + usize::from(area.w)].fill(UNKNOWN);
        }
        self.mark(area);
    }

    /// Whether something in the area may differ from the screen.
    pub(crate) fn is_dirty(&self, area: Rect) -> bool {
        self.tiles_in(area).any(|(at, _)| self.tiles[at] & DIRTY != 0)
    }

    /// The tiles within the area that were sent as JPEG and have been at rest for a while since, those first that
    /// have been for longest.
    pub(crate) fn at_rest(&self, area: Rect, now: Duration) -> Vec<Rect> {
        let mut tiles: Vec<_> = self.lossy(area).filter(|(rests_at, _)| *rests_at <= now).collect();
        // The sort is stable, so tiles that were sent together stay row by row, and can be merged.
        tiles.sort_by_key(|(rests_at, _)| *rests_at);
        tiles.into_iter().map(|(_, tile)| tile).collect()
    }

    /// When the first of the tiles comes to rest that [`Self::at_rest`] will find.
    pub(crate) fn rests_at(&self, area: Rect) -> Option<Duration> {
        self.lossy(area).map(|(rests_at, _)| rests_at).min()
    }

    /// The tiles within the area that were sent as JPEG and show what the screen shows, each with when it comes to
    /// rest.
    fn lossy(&self, area: Rect) -> impl Iterator<Item = (Duration, Rect)> + '_ {
        self.tiles_in(area)
            .filter(move |(at, tile)| {
                self.tiles[*at] & (LOSSY | DIRTY) == LOSSY && area.covers(*tile)
            })
            .map(|(at, tile)| (self.lossy_at[at] + AT_REST_AFTER, tile))
    }

    /// Says that the tile was sent again without loss.
    pub(crate) fn refined(&mut self, tile: Rect) {
        self.each(tile, |tile| *tile &= !LOSSY);
    }

    /// The tiles in which something differs, as far as they are in the area, row by row. The others are not
    /// compared again before they are marked again.
    pub(crate) fn changed_tiles(&mut self, picture: &Picture, area: Rect) -> Vec<Rect> {
        let mut changed = Vec::new();
        for (at, tile) in self.tiles_in(area) {
            if self.tiles[at] & DIRTY == 0 {
                continue;
            }
            let part = tile.and(area);
            if (part.y..part.y + part.h).any(|y| self.row_differs(picture, part, y)) {
                changed.push(part);
            } else {
                self.set_compared(at, area.covers(tile));
            }
        }
        changed
    }

    /// The smallest rectangle around what differs in each of the tiles that [`Self::changed_tiles`] found. The
    /// tiles count as compared then, so the rectangles have to be sent or marked.
    pub(crate) fn differences(
        &mut self,
        picture: &Picture,
        area: Rect,
        tiles: &[Rect],
    ) -> Vec<Rect> {
        for tile in tiles {
            let whole: Vec<_> = self.tiles_in(*tile).collect();
            whole.into_iter().for_each(|(at, whole)| self.set_compared(at, area.covers(whole)));
        }
        tiles.iter().map(|tile| self.difference(picture, *tile)).collect()
    }

    fn set_compared(&mut self, at: usize, is_whole: bool) {
        self.tiles[at] &= !DIRTY;
        if !is_whole {
            self.tiles[at] |= PARTLY;
        }
    }

    fn row_differs(&self, picture: &Picture, area: Rect, y: u16) -> bool {
        let shown = picture.row(area.x, y, area.w);
        !is_same(shown, self.row(area.x, y, area.w))
    }

    /// The smallest rectangle around all that differs in the area.
    fn difference(&self, picture: &Picture, area: Rect) -> Rect {
        let differs = |y: &u16| self.row_differs(picture, area, *y);
        let mut rows = area.y..area.y + area.h;
        let Some(top) = rows.find(differs) else { return Rect::default() };
        let last = rows.rev().find(differs).unwrap_or(top);
        let (mut left, mut right) = (area.w, 0);
        for y in top..=last {
            let (shown, had) = (picture.row(area.x, y, area.w), self.row(area.x, y, area.w));
            let before = usize::from(left);
            if let Some(x) = first_difference(&shown[..before * 4], &had[..before]) {
                left = x as u16;
            }
            let after = usize::from(right);
            if let Some(x) = last_difference(&shown[after * 4..], &had[after..]) {
                right += x as u16 + 1;
            }
            if left == 0 && right == area.w {
                break;
            }
        }
        Rect::new(area.x + left, top, right - left, last - top + 1)
    }

    /// Says that the viewer shows there now what the picture shows.
    pub(crate) fn sent(&mut self, picture: &Picture, area: Rect) {
        for y in area.y..area.y + area.h {
            let start = self.index(area.x, y);
            let row = &mut self.pixels[start..start + usize::from(area.w)];
            for (had, shown) in row.iter_mut().zip(colours(picture.row(area.x, y, area.w))) {
                *had = shown;
            }
        }
    }

    /// Follows a CopyRect. All but the tiles that match then may differ from the screen.
    pub(crate) fn copied(&mut self, CopyRect { from, to, matching }: &CopyRect) {
        let width = usize::from(to.w);
        let mut copy = |row: u16| {
            let start = self.index(from.0, from.1 + row);
            let end = self.index(to.x, to.y + row);
            self.pixels.copy_within(start..start + width, end);
        };
        // Source and target may overlap: no row may be overwritten before it was copied.
        if from.1 < to.y {
            (0..to.h).rev().for_each(&mut copy);
        } else {
            (0..to.h).for_each(&mut copy);
        }
        let source = Rect::new(from.0, from.1, to.w, to.h);
        let lossy = self.tiles_in(source).filter(|(at, _)| self.tiles[*at] & LOSSY != 0);
        // What moves isn't at rest, but it comes to rest no later than what it was copied from.
        if let Some(since) = lossy.map(|(at, _)| self.lossy_at[at]).max() {
            self.mark_lossy(*to, since);
        }
        self.mark(*to);
        for tile in matching {
            let whole: Vec<_> = self.tiles_in(*tile).filter(|(_, whole)| whole == tile).collect();
            whole.into_iter().for_each(|(at, _)| self.set_compared(at, true));
        }
    }

    fn each(&mut self, area: Rect, change: impl Fn(&mut u8)) {
        let tiles: Vec<_> = self.tiles_in(area).map(|(at, _)| at).collect();
        tiles.into_iter().for_each(|at| change(&mut self.tiles[at]));
    }

    /// The tiles that have a part in the area, each with its index.
    fn tiles_in(&self, area: Rect) -> impl Iterator<Item = (usize, Rect)> + use<> {
        let bounds = self.bounds();
        let area = area.and(bounds);
        let columns = usize::from(self.columns);
        let range = |start: u16, end: u32| {
            let end = if area.is_empty() { 0 } else { end.div_ceil(TILE.into()) as u16 };
            start / TILE..end
        };
        let across = range(area.x, area.right());
        range(area.y, area.bottom()).flat_map(move |row| {
            across.clone().map(move |column| {
                let tile = Rect::new(column * TILE, row * TILE, TILE, TILE).and(bounds);
                (usize::from(row) * columns + usize::from(column), tile)
            })
        })
    }
}
