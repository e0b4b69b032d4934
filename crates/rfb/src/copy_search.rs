//! Finds what the viewer can copy within its framebuffer (CopyRect) instead of receiving it again: text that
//! scrolls, a page that moves sideways.
//!
//! Rows (or columns) of a few bands are hashed in the screen's picture and in the client's framebuffer; those
//! that exist once in each vote for the distance. Then every cell is compared at that distance, and the
//! rectangle whose copy saves most is taken. It may hold what doesn't match, such as a terminal's cursor: the
//! rest of the update repairs that.

use crate::{
    Picture, Rect,
    client_framebuffer::{ClientFramebuffer, CopyRect, TILE},
    compare::{first_difference, is_same, last_difference},
    format::{Colour, colours},
};

/// How many bands are hashed at most.
const BANDS: usize = 4;
/// Fewer votes than this may be a coincidence.
const VOTES: u32 = 6;
/// If one row in so many votes for the same distance, no other band is hashed: reading a band costs as much as
/// comparing it.
const CLEAR: usize = 4;
/// A cell's height in pixels; it is as wide as a tile.
const CELL: u16 = 8;
/// The least that a copy has to save: as many rows as one tile has.
const LEAST_SAVING: i32 = TILE as i32;
/// What a cell's row costs that was right and that the copy makes wrong, in rows that a copy saves.
const SPOILT: i32 = 2;

/// How far something has moved on the screen, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Distance {
    x: i32,
    y: i32,
}

/// Finds one rectangle to copy among the changed tiles.
pub(crate) fn find(
    picture: &Picture,
    client: &ClientFramebuffer,
    tiles: &[Rect],
) -> Option<CopyRect> {
    let all = tiles.iter().fold(Rect::default(), |all, tile| all.around(*tile));
    let distance = vertical_distance(picture, client, tiles, all)
        .or_else(|| horizontal_distance(picture, client, tiles, all))?;
    let cells = Cells::compare(picture, client, tiles, all, distance);
    let both = ShiftedPair { picture, client, distance };
    // Cells that don't match cost nothing where they have to be sent anyway, so the best rectangle may reach
    // beyond the framebuffer.
    let to = both.sourced_inside(cells.best()?)?;
    let to = both.widened(both.heightened(to, all), all);
    let from = (both.source_x(to.x)?, both.source_y(to.y)?);
    Some(CopyRect { from, to, matching: cells.matching_tiles(to) })
}

fn vertical_distance(
    picture: &Picture,
    client: &ClientFramebuffer,
    tiles: &[Rect],
    all: Rect,
) -> Option<Distance> {
    let mut votes = Votes::new(all.h);
    for x in most_frequent(tiles.iter().map(|tile| tile.x)) {
        let w = TILE.min((all.right() - u32::from(x)) as u16);
        let rows = all.y..all.y + all.h;
        let mut row = Vec::new();
        let before: Vec<_> = rows.clone().map(|y| hash(client.row(x, y, w))).collect();
        let mut shown = |y| {
            row.clear();
            row.extend(colours(picture.row(x, y, w)));
            hash(&row)
        };
        let now: Vec<_> = rows.map(&mut shown).collect();
        votes.count(&before, &now);
        if votes.is_clear() {
            break;
        }
    }
    votes.winner().map(|y| Distance { x: 0, y })
}

fn horizontal_distance(
    picture: &Picture,
    client: &ClientFramebuffer,
    tiles: &[Rect],
    all: Rect,
) -> Option<Distance> {
    let mut votes = Votes::new(all.w);
    for top in most_frequent(tiles.iter().map(|tile| tile.y)) {
        let bottom = all.bottom().min(u32::from(top) + u32::from(TILE)) as u16;
        let (mut before, mut now) = (vec![0; all.w.into()], vec![0; all.w.into()]);
        for y in (top..bottom).step_by(2) {
            hash_columns(&mut before, client.row(all.x, y, all.w).iter().copied());
            hash_columns(&mut now, colours(picture.row(all.x, y, all.w)));
        }
        votes.count(&before, &now);
        if votes.is_clear() {
            break;
        }
    }
    votes.winner().map(|x| Distance { x, y: 0 })
}

/// The coordinates at which most tiles have changed.
fn most_frequent(coordinates: impl Iterator<Item = u16>) -> Vec<u16> {
    let mut coordinates: Vec<_> = coordinates.collect();
    coordinates.sort_unstable();
    let runs = coordinates.chunk_by(|one, other| one == other);
    let mut counted: Vec<_> = runs.map(|run| (run.len(), run[0])).collect();
    counted.sort_unstable_by(|one, other| other.cmp(one));
    // Where many are about equal, take some from all over the area: one end of the window may be blank.
    let equals = counted.partition_point(|(count, _)| *count * 2 >= counted[0].0);
    let step = equals.div_ceil(BANDS).max(1);
    counted[..equals].iter().step_by(step).map(|(_, coordinate)| *coordinate).collect()
}

/// 2^64 divided by the golden ratio, odd: multiplying by it spreads every bit upwards (Fibonacci hashing).
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes a row as four interleaved sequences, in each of which a multiplication waits for the one before it.
fn hash(row: &[Colour]) -> u64 {
    let (fours, rest) = row.as_chunks::<4>();
    let four = fours
        .iter()
        .fold([0; 4], |hashes: [u64; 4], four| std::array::from_fn(|at| mix(hashes[at], four[at])));
    let one =
        four.into_iter().fold(0, |all: u64, one| (all ^ one).wrapping_mul(FACTOR).rotate_left(31));
    rest.iter().fold(one, |hash, colour| mix(hash, *colour))
}

fn mix(hash: u64, colour: Colour) -> u64 {
    (hash.rotate_left(23) ^ u64::from(colour)).wrapping_mul(FACTOR)
}

fn hash_columns(hashes: &mut [u64], row: impl Iterator<Item = Colour>) {
    for (hash, colour) in hashes.iter_mut().zip(row) {
        *hash = mix(*hash, colour);
    }
}

/// How many rows or columns vote for each distance.
struct Votes {
    /// Indexed by distance, from minus to plus the length.
    counts: Vec<u32>,
    length: usize,
}

impl Votes {
    fn new(length: u16) -> Self {
        let length = usize::from(length);
        Self { counts: vec![0; 2 * length + 1], length }
    }

    /// Lets those hashes vote that occur once in each picture, at different places.
    fn count(&mut self, before: &[u64], now: &[u64]) {
        let (before, now) = (unique(before), unique(now));
        let mut before = before.iter().peekable();
        for (hash, at) in now {
            while before.next_if(|(other, _)| *other < hash).is_some() {}
            if let Some((_, was)) = before.next_if(|(other, _)| *other == hash)
                && *was != at
            {
                self.counts[self.length + at - was] += 1;
            }
        }
    }

    fn most(&self) -> (usize, u32) {
        let most = self.counts.iter().copied().enumerate().max_by_key(|(_, votes)| *votes);
        most.unwrap_or_default()
    }

    fn is_clear(&self) -> bool {
        self.most().1 >= VOTES.max((self.length / CLEAR) as u32)
    }

    fn winner(&self) -> Option<i32> {
        let (at, votes) = self.most();
        (votes >= VOTES).then_some(at as i32 - self.length as i32)
    }
}

/// The hashes that occur once, sorted, and where.
fn unique(hashes: &[u64]) -> Vec<(u64, usize)> {
    let mut sorted: Vec<_> = hashes.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|one, other| one.0 == other.0);
    runs.filter(|run| run.len() == 1).map(|run| run[0]).collect()
}

/// The screen's picture, and the client's framebuffer shifted by a distance.
struct ShiftedPair<'a> {
    picture: &'a Picture,
    client: &'a ClientFramebuffer,
    distance: Distance,
}

impl ShiftedPair<'_> {
    fn source_x(&self, x: u16) -> Option<u16> {
        u16::try_from(i32::from(x) - self.distance.x).ok()
    }

    fn source_y(&self, y: u16) -> Option<u16> {
        u16::try_from(i32::from(y) - self.distance.y).ok()
    }

    /// The same part of a row in both; `None` if its source is outside of the framebuffer.
    fn rows(&self, x: u16, y: u16, w: u16) -> Option<(&[u8], &[Colour])> {
        let (from_x, from_y) = (self.source_x(x)?, self.source_y(y)?);
        let source = Rect::new(from_x, from_y, w, 1);
        let is_inside = self.client.bounds().covers(source);
        is_inside.then(|| (self.picture.row(x, y, w), self.client.row(from_x, from_y, w)))
    }

    /// The part of the rectangle whose source is inside of the client's framebuffer.
    fn sourced_inside(&self, to: Rect) -> Option<Rect> {
        let cut = |start: u16, end: u32, by: i32, length: u32| {
            let start = i64::from(start).max(i64::from(by));
            let end = i64::from(end).min(i64::from(length) + i64::from(by));
            let size = u16::try_from(end - start).ok().filter(|size| *size > 0)?;
            Some((u16::try_from(start).ok()?, size))
        };
        let bounds = self.client.bounds();
        let (x, w) = cut(to.x, to.right(), self.distance.x, bounds.right())?;
        let (y, h) = cut(to.y, to.bottom(), self.distance.y, bounds.bottom())?;
        Some(Rect::new(x, y, w, h))
    }

    fn matches(&self, x: u16, y: u16, w: u16) -> bool {
        self.rows(x, y, w).is_some_and(|(now, before)| is_same(now, before))
    }

    /// The rectangle with the rows above and below it that match as well.
    fn heightened(&self, mut to: Rect, within: Rect) -> Rect {
        while to.y > within.y && self.matches(to.x, to.y - 1, to.w) {
            to = Rect { y: to.y - 1, h: to.h + 1, ..to };
        }
        while to.bottom() < within.bottom() && self.matches(to.x, to.y + to.h, to.w) {
            to.h += 1;
        }
        to
    }

    /// The rectangle with the columns beside it that match in nearly all rows.
    fn widened(&self, to: Rect, within: Rect) -> Rect {
        let left = TILE.min(to.x - within.x);
        let right = TILE.min((within.right() - to.right()) as u16);
        let most = |how_many: &dyn Fn(u16) -> u16| {
            let mut each: Vec<_> = (to.y..to.y + to.h).map(how_many).collect();
            // A tenth of the rows may differ, such as those of a scroll bar or a caret.
            let at = each.len() / 10;
            *each.select_nth_unstable(at).1
        };
        let shortest = |w: u16| self.source_x(to.x).map_or(0, |from| w.min(from));
        let left = shortest(left);
        let more = most(&|y| match self.rows(to.x - left, y, left) {
            Some((now, before)) => {
                last_difference(now, before).map_or(left, |at| left - 1 - at as u16)
            }
            None => 0,
        });
        let source_right = self.source_x(to.x).map_or(0, |from| u32::from(from) + u32::from(to.w));
        let right = right.min(self.client.bounds().right().saturating_sub(source_right) as u16);
        let further = most(&|y| match self.rows(to.x + to.w, y, right) {
            Some((now, before)) => first_difference(now, before).map_or(right, |at| at as u16),
            None => 0,
        });
        Rect { x: to.x - more, w: more + to.w + further, ..to }
    }
}

/// What a copy would save, cell by cell.
struct Cells {
    area: Rect,
    columns: usize,
    /// Rows saved, column by column, each from the top.
    savings: Vec<i32>,
    /// Whether the whole cell matches.
    matching: Vec<bool>,
}

impl Cells {
    fn compare(
        picture: &Picture,
        client: &ClientFramebuffer,
        tiles: &[Rect],
        area: Rect,
        distance: Distance,
    ) -> Self {
        let (columns, rows) = (area.w.div_ceil(TILE).into(), usize::from(area.h.div_ceil(CELL)));
        let (savings, matching) = (vec![0; columns * rows], vec![true; columns * rows]);
        let mut cells = Self { area, columns, savings, matching };
        let moved = ShiftedPair { picture, client, distance };
        let stays = ShiftedPair { distance: Distance { x: 0, y: 0 }, ..moved };
        let mut changed = vec![false; columns * usize::from(area.h.div_ceil(TILE))];
        let tile_at = |x: u16, y: u16| {
            usize::from((y - area.y) / TILE) * columns + usize::from((x - area.x) / TILE)
        };
        tiles.iter().for_each(|tile| changed[tile_at(tile.x, tile.y)] = true);
        // Row by row, since that is the order in memory.
        for y in area.y..area.y + area.h {
            let row = usize::from((y - area.y) / CELL);
            for column in 0..columns {
                let x = area.x + column as u16 * TILE;
                let w = TILE.min(area.x + area.w - x);
                let at = column * rows + row;
                let matches = moved.matches(x, y, w);
                cells.matching[at] &= matches;
                cells.savings[at] +=
                    match (matches, !changed[tile_at(x, y)] || stays.matches(x, y, w)) {
                        (true, false) => 1,
                        (false, true) => -SPOILT,
                        (true, true) | (false, false) => 0,
                    };
            }
        }
        cells
    }

    /// The rectangle of cells that saves most: Kadane's search for the best run, over the sums of the rows in every
    /// range of columns.
    fn best(&self) -> Option<Rect> {
        let rows = self.savings.len() / self.columns.max(1);
        let (mut best, mut range) = (LEAST_SAVING - 1, None);
        for left in 0..self.columns {
            let mut sums = vec![0; rows];
            for right in left..self.columns {
                let column = &self.savings[right * rows..][..rows];
                sums.iter_mut().zip(column).for_each(|(sum, win)| *sum += win);
                let (sum, top, bottom) = best_run(&sums);
                if sum > best {
                    (best, range) = (sum, Some((left, right, top, bottom)));
                }
            }
        }
        let (left, right, top, bottom) = range?;
        let (x, y) = (left as u16 * TILE, top as u16 * CELL);
        let (w, h) = ((right - left + 1) as u16 * TILE, (bottom - top) as u16 * CELL);
        Some(Rect::new(self.area.x + x, self.area.y + y, w, h).and(self.area))
    }

    /// The tiles within `to` whose cells all match.
    fn matching_tiles(&self, to: Rect) -> Vec<Rect> {
        let rows = self.savings.len() / self.columns.max(1);
        let per_tile = usize::from(TILE / CELL);
        let mut tiles = Vec::new();
        for (column, cells) in self.matching.chunks(rows.max(1)).enumerate() {
            for (row, cells) in cells.chunks(per_tile).enumerate() {
                let (x, y) = (column as u16 * TILE, row as u16 * TILE);
                let tile = Rect::new(self.area.x + x, self.area.y + y, TILE, TILE).and(self.area);
                if to.covers(tile) && cells.iter().all(|matches| *matches) {
                    tiles.push(tile);
                }
            }
        }
        tiles
    }
}

/// The run with the highest sum: the sum, where it starts and where it ends.
fn best_run(numbers: &[i32]) -> (i32, usize, usize) {
    let (mut best, mut sum, mut start) = ((0, 0, 0), 0, 0);
    for (at, number) in numbers.iter().enumerate() {
        if sum <= 0 {
            (sum, start) = (0, at);
        }
        sum += number;
        if sum > best.0 {
            best = (sum, start, at + 1);
        }
    }
    best
}

#[cfg(test)]
mod tests;
