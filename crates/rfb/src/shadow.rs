//! What a viewer's picture looks like, and where it may differ from what is shown.

use crate::{
    Picture, Rect,
    format::{COLOUR, Colour, colours},
    moved::Move,
};

/// The side of a tile.
pub(crate) const TILE: u16 = 64;

/// Something may differ there.
const DIRTY: u8 = 1;
/// It was looked at, but not all of it is in the area that the viewer asked for.
const PARTLY: u8 = 2;
/// The viewer has it as a JPEG, so not bit for bit.
const LOSSY: u8 = 4;

/// In the shadow's fourth byte: nobody knows what the viewer has there.
const UNKNOWN: u32 = 0xff00_0000;

/// The viewer's picture. A pixel that the viewer has as JPEG counts as what was shown.
#[derive(Debug)]
pub(crate) struct Shadow {
    width: u16,
    height: u16,
    pixels: Vec<u32>,
    columns: u16,
    tiles: Vec<u8>,
}

impl Shadow {
    /// One of which nothing is known.
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let (columns, rows) = (width.div_ceil(TILE), height.div_ceil(TILE));
        Self {
            width,
            height,
            pixels: vec![UNKNOWN; usize::from(width) * usize::from(height)],
            columns,
            tiles: vec![DIRTY; usize::from(columns) * usize::from(rows)],
        }
    }

    /// The whole of it.
    pub(crate) const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// A part of one row.
    pub(crate) fn row(&self, x: u16, y: u16, w: u16) -> &[Colour] {
        let start = self.at(x, y);
        &self.pixels[start..start + usize::from(w)]
    }

    fn at(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.width) + usize::from(x)
    }

    /// Something may have changed there.
    pub(crate) fn mark(&mut self, area: Rect) {
        self.each(area, |tile| *tile |= DIRTY);
    }

    /// The viewer has a JPEG of it.
    pub(crate) fn mark_lossy(&mut self, area: Rect) {
        self.each(area, |tile| *tile |= LOSSY);
    }

    /// The viewer asks for another area than before.
    pub(crate) fn area_changed(&mut self) {
        for tile in &mut self.tiles {
            if *tile & PARTLY != 0 {
                *tile = *tile & !PARTLY | DIRTY;
            }
        }
    }

    /// Nothing is known of it any more.
    pub(crate) fn forget(&mut self, area: Rect) {
        let area = area.and(self.bounds());
        for y in area.y..area.y + area.h {
            let start = self.at(area.x, y);
            self.pixels[start..start + usize::from(area.w)].fill(UNKNOWN);
        }
        self.mark(area);
    }

    /// Whether something in the area may differ.
    pub(crate) fn is_dirty(&self, area: Rect) -> bool {
        self.tiles_of(area).any(|(at, _)| self.tiles[at] & DIRTY != 0)
    }

    /// The tiles within the area that the viewer has as a JPEG.
    pub(crate) fn lossy(&self, area: Rect) -> impl Iterator<Item = Rect> + '_ {
        self.tiles_of(area)
            .filter(move |(at, tile)| self.tiles[*at] & LOSSY != 0 && area.covers(*tile))
            .map(|(_, tile)| tile)
    }

    /// It was sent bit for bit.
    pub(crate) fn refined(&mut self, tile: Rect) {
        self.each(tile, |tile| *tile &= !LOSSY);
    }

    /// The tiles in which something differs, as far as they are in the area, row by row. The others aren't
    /// looked at again before they are marked again.
    pub(crate) fn changed_tiles(&mut self, picture: &Picture, area: Rect) -> Vec<Rect> {
        let mut changed = Vec::new();
        for (at, tile) in self.tiles_of(area) {
            if self.tiles[at] & DIRTY == 0 {
                continue;
            }
            let part = tile.and(area);
            if (part.y..part.y + part.h).any(|y| self.row_differs(picture, part, y)) {
                changed.push(part);
            } else {
                self.looked_at(at, area.covers(tile));
            }
        }
        changed
    }

    /// What differs in each of the tiles that [`Shadow::changed_tiles`] found, as the smallest rectangle.
    /// It counts as looked at, so it has to be sent or marked.
    pub(crate) fn differences(
        &mut self,
        picture: &Picture,
        area: Rect,
        tiles: &[Rect],
    ) -> Vec<Rect> {
        for tile in tiles {
            let whole: Vec<_> = self.tiles_of(*tile).collect();
            whole.into_iter().for_each(|(at, whole)| self.looked_at(at, area.covers(whole)));
        }
        tiles.iter().map(|tile| self.difference(picture, *tile)).collect()
    }

    fn looked_at(&mut self, at: usize, is_whole: bool) {
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

    /// The viewer now has there what the picture has.
    pub(crate) fn sent(&mut self, picture: &Picture, area: Rect) {
        for y in area.y..area.y + area.h {
            let start = self.at(area.x, y);
            let row = &mut self.pixels[start..start + usize::from(area.w)];
            for (had, shown) in row.iter_mut().zip(colours(picture.row(area.x, y, area.w))) {
                *had = shown;
            }
        }
    }

    /// The viewer copies what was at `from`; all but the tiles that are right then may differ.
    pub(crate) fn copied(&mut self, Move { from, to, right }: &Move) {
        let width = usize::from(to.w);
        let mut copy = |row: u16| {
            let start = self.at(from.0, from.1 + row);
            let end = self.at(to.x, to.y + row);
            self.pixels.copy_within(start..start + width, end);
        };
        if from.1 < to.y {
            (0..to.h).rev().for_each(&mut copy);
        } else {
            (0..to.h).for_each(&mut copy);
        }
        let source = Rect::new(from.0, from.1, to.w, to.h);
        let lossy = self.tiles_of(source).any(|(at, _)| self.tiles[at] & LOSSY != 0);
        self.each(*to, |tile| *tile |= if lossy { DIRTY | LOSSY } else { DIRTY });
        for tile in right {
            let whole: Vec<_> = self.tiles_of(*tile).filter(|(_, whole)| whole == tile).collect();
            whole.into_iter().for_each(|(at, _)| self.looked_at(at, true));
        }
    }

    fn each(&mut self, area: Rect, change: impl Fn(&mut u8)) {
        let tiles: Vec<_> = self.tiles_of(area).map(|(at, _)| at).collect();
        tiles.into_iter().for_each(|at| change(&mut self.tiles[at]));
    }

    /// The tiles that have a part in the area: index and place.
    fn tiles_of(&self, area: Rect) -> impl Iterator<Item = (usize, Rect)> + use<> {
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

/// How many pixels are compared at a time: as many as the processor's registers like.
const STEP: usize = 16;

/// Whether two rows of the same length are the same.
pub(crate) fn is_same(shown: &[u8], had: &[u32]) -> bool {
    let (shown, had) = (shown.as_chunks::<4>().0, had);
    let ((steps, rest), (had_steps, had_rest)) = (shown.as_chunks(), had.as_chunks());
    !steps.iter().zip(had_steps).any(|(a, b)| step_differs(a, b))
        && rest.iter().zip(had_rest).all(|(a, b)| pixel(a) == *b)
}

/// The first pixel that differs.
pub(crate) fn first_difference(shown: &[u8], had: &[u32]) -> Option<usize> {
    let shown = shown.as_chunks::<4>().0;
    let (steps, had_steps) = (shown.as_chunks().0, had.as_chunks().0);
    let same = steps.iter().zip(had_steps).take_while(|(a, b)| !step_differs(a, b)).count() * STEP;
    let one = shown[same..].iter().zip(&had[same..]).position(|(a, b)| pixel(a) != *b)?;
    Some(same + one)
}

/// The last one.
pub(crate) fn last_difference(shown: &[u8], had: &[u32]) -> Option<usize> {
    let shown = shown.as_chunks::<4>().0;
    let (steps, had_steps) = (shown.as_rchunks().1, had.as_rchunks().1);
    let pairs = steps.iter().zip(had_steps).rev();
    let same = pairs.take_while(|(a, b)| !step_differs(a, b)).count() * STEP;
    let end = shown.len() - same;
    shown[..end].iter().zip(&had[..end]).rposition(|(a, b)| pixel(a) != *b)
}

fn step_differs(shown: &[[u8; 4]; STEP], had: &[u32; STEP]) -> bool {
    let bits = |(a, b): (&[u8; 4], &u32)| pixel(a) ^ b;
    shown.iter().zip(had).map(bits).fold(0, |all, one| all | one) != 0
}

fn pixel(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes) & COLOUR
}
