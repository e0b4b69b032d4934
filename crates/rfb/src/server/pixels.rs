//! What differs between the viewer's framebuffer and the screen, as rectangles: moves first, then as much of the rest
//! as the link takes.

use std::time::Duration;

use super::Server;
use crate::{
    Picture, Rect,
    client_framebuffer::TILE,
    copy_search,
    encode::{Encoding, Quality, Style, blocks, write_rect_header},
    flow::URGENT,
};

const COPY_RECT: i32 = 1;
/// The copies that one update may hold: each costs another search and another comparison.
const MOST_COPIES: usize = 3;
/// With fewer changed tiles no copy is searched for.
const COPIED_TILES: usize = 3;
/// Another copy is searched for only if at least one changed tile in so many is left after the last one: the
/// strip that scrolled into view is not worth the search.
const LEFT_TO_COPY: usize = 4;
/// Tiles that are sent again without loss in one update: more would delay the next change.
const MOST_REFINED: usize = 24;
/// Fewer changed pixels than this are sent without loss at once, not as JPEG first, where the link allows it. They go
/// before what is larger: what a person does changes little at a time.
const SMALL: u64 = 16 * 1024;
/// The pixels of a change that goes out although the link is busy: a few letters, a button.
const URGENT_AREA: u64 = 4 * 1024;
/// Of what the link takes while something moves, the part that makes sharp what rests.
const REFINING: usize = 8;
/// Unchanged pixels that may be sent to save a rectangle when two are merged.
const WASTE: u64 = 512;
/// Rectangles of one update. The protocol counts them in 16 bits, and the encoder may cut each into several.
const MOST_RECTS: usize = 16 * 1024;

/// What is known of the pictures' cost, and what gives way where they cost too much.
#[derive(Debug)]
pub(super) struct Pace {
    /// By how many levels the JPEG quality is below the one that the viewer wants.
    lowered: u8,
    /// Bytes a pixel lately, of what is sent as JPEG where it may be, and of what is sent without loss.
    lossy_cost: f64,
    lossless_cost: f64,
    /// The row where the next update goes on, because there was no room for it in the last one.
    next_row: u16,
    /// Bytes that may be spent on what rests although something moves.
    saved: usize,
}

impl Default for Pace {
    fn default() -> Self {
        // Of a photo; text costs less. It is known after the first update.
        Self { lowered: 0, lossy_cost: 0.25, lossless_cost: 1.0, next_row: 0, saved: 0 }
    }
}

impl Pace {
    /// The JPEG quality for this viewer: a slow link gets more pictures of less quality.
    fn quality(&self, Quality(wanted): Quality) -> Quality {
        Quality(wanted.saturating_sub(self.lowered).max(wanted.min(1)))
    }

    /// After an update with JPEG: one level at a time, so that one hiccup changes little.
    fn judge(&mut self, bytes: usize, budget: usize, is_cut: bool) {
        if is_cut {
            self.lowered = (self.lowered + 1).min(9);
        } else if bytes < budget / 2 {
            self.lowered = self.lowered.saturating_sub(1);
        }
    }

    fn cost(&mut self, lossy: bool) -> &mut f64 {
        if lossy { &mut self.lossy_cost } else { &mut self.lossless_cost }
    }
}

impl Server {
    pub(super) fn write_pixels(
        &mut self,
        picture: &Picture,
        now: Duration,
        to: &mut Vec<u8>,
    ) -> usize {
        self.client.forget(std::mem::take(&mut self.requests.full));
        let area = self.requested_area();
        let has_room = !self.encodings.fence || self.flow.has_room();
        let mut changed = self.client.changed_tiles(picture, area);
        let mut copies = 0;
        if has_room {
            (copies, changed) = self.write_copies(picture, area, changed, to);
        }
        let mut found = merged(self.client.differences(picture, area, &changed));
        for deferred in found.split_off(found.len().min(MOST_RECTS)) {
            self.client.mark(deferred);
        }
        if !has_room {
            return self.write_urgent(picture, found, now, to);
        }
        let budget = if self.encodings.fence { self.flow.budget() } else { usize::MAX };
        if copies == 0 && found.is_empty() {
            let may_refine = !self.encodings.fence || self.flow.has_spare_room();
            return if may_refine { self.refine(picture, area, budget, now, to) } else { 0 };
        }
        copies + self.write_changes(picture, area, found, budget, now, to)
    }

    fn write_copies(
        &mut self,
        picture: &Picture,
        area: Rect,
        mut changed: Vec<Rect>,
        to: &mut Vec<u8>,
    ) -> (usize, Vec<Rect>) {
        let (mut copies, mut least) = (0, COPIED_TILES);
        while self.encodings.copy_rect && copies < MOST_COPIES && changed.len() >= least {
            least = COPIED_TILES.max(changed.len() / LEFT_TO_COPY);
            let Some(found) = copy_search::find(picture, &self.client, &changed) else { break };
            write_rect_header(found.to, COPY_RECT, to);
            to.extend([found.from.0, found.from.1].map(u16::to_be_bytes).as_flattened());
            // A viewer draws the rectangles in order and the copies come first, so the comparison below has to see
            // the viewer's pixels as they are after the copy.
            self.client.copied(&found);
            changed = self.client.changed_tiles(picture, area);
            copies += 1;
        }
        (copies, changed)
    }

    /// Writes the small ones of these areas, though the link is busy; the others wait.
    fn write_urgent(
        &mut self,
        picture: &Picture,
        found: Vec<Rect>,
        now: Duration,
        to: &mut Vec<u8>,
    ) -> usize {
        let (small, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|area| area.area() <= URGENT_AREA);
        others.iter().for_each(|area| self.client.mark(*area));
        let small: Vec<_> = small.into_iter().flat_map(blocks).collect();
        let lossy = self.may_be_lossy(&small, URGENT);
        self.write_blocks(picture, &small, lossy, URGENT, now, to)
    }

    /// Writes as much of what has changed as there is room for, and a little of what rests beside it.
    fn write_changes(
        &mut self,
        picture: &Picture,
        area: Rect,
        found: Vec<Rect>,
        budget: usize,
        now: Duration,
        to: &mut Vec<u8>,
    ) -> usize {
        let lossy = self.may_be_lossy(&found, budget);
        let rests = lossy && self.client.rests_at(area).is_some_and(|at| at <= now);
        let refining = if rests { budget / REFINING } else { 0 };
        let blocks = self.in_turn(found);
        let before = to.len();
        let mut count = self.write_blocks(picture, &blocks, lossy, budget - refining, now, to);
        let is_cut = count < blocks.len();
        self.pace.next_row = blocks.get(count).map_or(0, |next| next.y);
        let bytes = to.len() - before;
        if lossy {
            self.pace.judge(bytes, budget, is_cut);
        }
        if rests {
            let left = if is_cut { refining } else { budget.saturating_sub(bytes) };
            self.pace.saved = self.pace.saved.saturating_add(left).min(budget);
            let tile = self.cost_of_a_tile();
            if self.pace.saved >= tile {
                let before = to.len();
                count += self.refine(picture, area, self.pace.saved, now, to);
                self.pace.saved = self.pace.saved.saturating_sub(to.len() - before);
            }
        }
        count
    }

    /// The blocks of what is to be sent, in the order in which they are: small changes first, then row by row, from
    /// where the last update ended.
    fn in_turn(&self, found: Vec<Rect>) -> Vec<Rect> {
        let (small, large): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|area| area.area() <= SMALL);
        let mut large: Vec<_> = large.into_iter().flat_map(blocks).collect();
        let next_row = self.pace.next_row;
        large.sort_by_key(|block| (block.y < next_row, block.y, block.x));
        small.into_iter().flat_map(blocks).chain(large).collect()
    }

    /// Sends again without loss what rests, at least a tile.
    fn refine(
        &mut self,
        picture: &Picture,
        area: Rect,
        budget: usize,
        now: Duration,
        to: &mut Vec<u8>,
    ) -> usize {
        let most = (budget / self.cost_of_a_tile()).clamp(1, MOST_REFINED);
        let mut tiles = self.client.at_rest(area, now);
        tiles.truncate(most);
        tiles.sort_by_key(|tile| (tile.y, tile.x));
        tiles.iter().for_each(|tile| self.client.refined(*tile));
        let blocks: Vec<_> = merged(tiles).into_iter().flat_map(blocks).collect();
        self.write_blocks(picture, &blocks, false, usize::MAX, now, to)
    }

    fn cost_of_a_tile(&self) -> usize {
        let pixels = f64::from(TILE) * f64::from(TILE);
        (self.pace.lossless_cost * pixels).max(1.0) as usize
    }

    /// Whether these areas may be sent as JPEG: they are more than little, or more than the link takes at once.
    fn may_be_lossy(&self, areas: &[Rect], budget: usize) -> bool {
        let pixels: u64 = areas.iter().map(|area| area.area()).sum();
        self.format.is_888()
            && self.encodings.encoding == Encoding::Tight
            && (pixels > SMALL || pixels > budget as u64)
    }

    /// Writes blocks until there is no room for another, at least one, and returns how many. The others count as
    /// changed again.
    fn write_blocks(
        &mut self,
        picture: &Picture,
        blocks: &[Rect],
        lossy: bool,
        budget: usize,
        now: Duration,
        to: &mut Vec<u8>,
    ) -> usize {
        let quality =
            self.encodings.quality.filter(|_| lossy).map(|wanted| self.pace.quality(wanted));
        let style = Style { encoding: self.encodings.encoding, format: self.format, quality };
        let (mut done, end) = (0, to.len().saturating_add(budget));
        while done < blocks.len() {
            let cost = self.pace.cost(lossy);
            let mut pixels = (end.saturating_sub(to.len()) as f64 / *cost) as u64;
            let fits = |block: &&Rect| {
                let fits = block.area() <= pixels;
                pixels = pixels.saturating_sub(block.area());
                fits
            };
            let count = blocks[done..].iter().take_while(fits).count();
            if count == 0 && done > 0 {
                break;
            }
            let part = &blocks[done..done + count.max(1)];
            let encoded = self.encoder.encode(picture, part, style);
            part.iter().for_each(|block| self.client.sent(picture, *block));
            encoded.lossy.iter().for_each(|block| self.client.mark_lossy(*block, now));
            let pixels: u64 = part.iter().map(|block| block.area()).sum();
            if pixels > 0 {
                let measured = encoded.bytes.len() as f64 / pixels as f64;
                *cost += (measured - *cost) / 2.0;
            }
            to.extend(encoded.bytes);
            done += part.len();
        }
        blocks[done..].iter().for_each(|block| self.client.mark(*block));
        done
    }
}

/// Merges areas where that costs few pixels: a browser pays more for another rectangle than for some pixels.
/// They come row of tiles by row of tiles, from left to right.
fn merged(areas: Vec<Rect>) -> Vec<Rect> {
    let mut rows: Vec<Rect> = Vec::new();
    for area in areas {
        match rows.last_mut() {
            Some(last) if is_cheap(*last, area) => *last = last.around(area),
            _ => rows.push(area),
        }
    }
    let mut done: Vec<Rect> = Vec::new();
    // Only rectangles that reach down to the row of tiles above this one can be continued.
    let mut open = 0;
    for area in rows {
        while open < done.len() && done[open].bottom() + u32::from(TILE) < area.y.into() {
            open += 1;
        }
        match done[open..].iter_mut().find(|above| is_cheap(**above, area)) {
            Some(above) => *above = above.around(area),
            None => done.push(area),
        }
    }
    done
}

fn is_cheap(one: Rect, other: Rect) -> bool {
    let (apart, together) = (one.area() + other.area(), one.around(other).area());
    together <= apart + WASTE + apart / 16
}
