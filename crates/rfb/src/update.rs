//! One update: what differs between the viewer's picture and the shown one.

use std::borrow::Cow;

use crate::{
    Picture, Rect, Server, cursor,
    encode::{Encoding, Quality, Style, head},
    moved, screens,
    server::Stage,
    shadow::Shadow,
};

const FRAMEBUFFER_UPDATE: u8 = 0;
const COPY_RECT: i32 = 1;
/// So many moves are looked for in one update, in so many changed tiles.
const COPIES: usize = 3;
const COPIED_TILES: usize = 3;
/// Another move is looked for only if one changed tile in so many is left after the last: what scrolled in
/// is not worth the search.
const LEFT: usize = 4;
/// So many tiles are refined at a time: more would delay what changes next.
const REFINED: usize = 24;
/// Less than so many pixels go bit for bit at once.
const SMALL: u64 = 16 * 1024;
/// Pixels that two areas may cover in vain when they go as one.
const WASTE: u64 = 512;
/// Rectangles that an update may count.
const MOST: usize = 16 * 1024;

impl Server {
    /// Whether [`Server::update`] would say anything: the viewer waits for it and something is new.
    pub fn wants_update(&self) -> bool {
        let area = self.area();
        self.is_waited_for()
            && (self.has_news()
                || !self.asked.anew.and(area).is_empty()
                || self.shadow.is_dirty(area)
                || self.resting && self.shadow.lossy(area).next().is_some())
    }

    /// Writes one update of what differs between the viewer's picture and `picture` into the output, and
    /// answers its number if the viewer will say when it has arrived ([`Event::Arrived`](crate::Event)).
    pub fn update(&mut self, picture: &Picture) -> Option<u32> {
        if picture.bounds() != self.screen.area {
            self.resized(picture, &[]);
        }
        if !self.is_waited_for() {
            return None;
        }
        self.pace.update(self.in_flight.is_empty());
        let mut body = Vec::new();
        let mut count = self.write_sizes(&mut body);
        if count == 0 {
            count = self.write_news(&mut body);
            count += self.write_pixels(&self.fitted(picture), &mut body);
        }
        if count == 0 {
            return None;
        }
        self.asked.once = None;
        self.output.extend([FRAMEBUFFER_UPDATE, 0]);
        self.output.extend((count as u16).to_be_bytes());
        self.output.extend(body);
        self.fence_update()
    }

    /// Whether the viewer waits for an update, new or not, and may be sent one.
    pub fn is_waited_for(&self) -> bool {
        let is_asked = self.asked.once.is_some() || self.asked.always.is_some();
        let has_room = self.in_flight.len() < self.limits.in_flight.max(1);
        self.stage == Stage::Running && is_asked && has_room
    }

    fn has_news(&self) -> bool {
        let due = &self.due;
        due.size
            || due.size_refused
            || due.extended_keys
            || due.extended_buttons
            || due.cursor && self.wishes.pointer.is_some()
    }

    /// The picture in the size that the viewer knows, if it can't learn another one.
    fn fitted<'a>(&self, picture: &'a Picture) -> Cow<'a, Picture> {
        let known = self.shadow.bounds();
        if known == picture.bounds() {
            return Cow::Borrowed(picture);
        }
        let mut fitted = Picture::new(known.w, known.h);
        let both = known.and(picture.bounds());
        let width = usize::from(known.w) * 4;
        for y in 0..both.h {
            let start = usize::from(y) * width;
            let row = picture.row(0, y, both.w);
            fitted.pixels_mut()[start..start + row.len()].copy_from_slice(row);
        }
        Cow::Owned(fitted)
    }

    /// A new size goes alone: what the viewer has is of no use any more.
    fn write_sizes(&mut self, to: &mut Vec<u8>) -> usize {
        let mut count = 0;
        if std::mem::take(&mut self.due.size) {
            self.take_size();
            if self.wishes.extended_desktop_size {
                screens::extended(&self.screen, screens::Why::Screen, to);
            } else {
                screens::plain(&self.screen, to);
            }
            count += 1;
        }
        if std::mem::take(&mut self.due.size_refused) {
            screens::extended(&self.screen, screens::Why::Refused, to);
            count += 1;
        }
        count
    }

    fn take_size(&mut self) {
        let (before, now) = (self.shadow.bounds(), self.screen.area);
        if before != now {
            self.shadow = Shadow::new(now.w, now.h);
            let all = self.asked.always.filter(|area| area.covers(before));
            self.asked.always = all.map(|_| now).or(self.asked.always);
        }
    }

    fn write_news(&mut self, to: &mut Vec<u8>) -> usize {
        let mut count = 0;
        if std::mem::take(&mut self.due.extended_keys) {
            head(self.screen.area, screens::EXTENDED_KEYS, to);
            count += 1;
        }
        if std::mem::take(&mut self.due.extended_buttons) {
            head(self.screen.area, screens::EXTENDED_BUTTONS, to);
            count += 1;
        }
        if let Some(form) = self.wishes.pointer
            && std::mem::take(&mut self.due.cursor)
        {
            cursor::write(&self.cursor, form, self.format, to);
            count += 1;
        }
        count
    }

    fn write_pixels(&mut self, picture: &Picture, to: &mut Vec<u8>) -> usize {
        self.shadow.forget(std::mem::take(&mut self.asked.anew));
        let area = self.area();
        let mut changed = self.shadow.changed_tiles(picture, area);
        let (mut copies, mut least) = (0, COPIED_TILES);
        while self.wishes.copies && copies < COPIES && changed.len() >= least {
            least = COPIED_TILES.max(changed.len() / LEFT);
            let Some(found) = moved::find(picture, &self.shadow, &changed) else { break };
            head(found.to, COPY_RECT, to);
            to.extend([found.from.0, found.from.1].map(u16::to_be_bytes).as_flattened());
            self.shadow.copied(&found);
            changed = self.shadow.changed_tiles(picture, area);
            copies += 1;
        }
        let mut found = merged(self.shadow.differences(picture, area, &changed));
        for late in found.split_off(found.len().min(MOST)) {
            self.shadow.mark(late);
        }
        let lossy = self.may_be_lossy(&found);
        let mut count = copies + self.write_areas(picture, &found, lossy, to);
        if count == 0 && self.resting {
            let lossy: Vec<_> = self.shadow.lossy(area).take(REFINED).collect();
            lossy.iter().for_each(|tile| self.shadow.refined(*tile));
            count = self.write_areas(picture, &merged(lossy), false, to);
        }
        count
    }

    fn may_be_lossy(&self, areas: &[Rect]) -> bool {
        let pixels: u64 = areas.iter().map(|area| area.area()).sum();
        self.format.is_888() && self.wishes.encoding == Encoding::Tight && pixels > SMALL
    }

    fn write_areas(
        &mut self,
        picture: &Picture,
        areas: &[Rect],
        lossy: bool,
        to: &mut Vec<u8>,
    ) -> usize {
        let quality = self.wishes.quality.filter(|_| lossy).map(|wanted| self.pace.quality(wanted));
        let style = Style { encoding: self.wishes.encoding, format: self.format, quality };
        let encoded = self.encoder.encode(picture, areas, style);
        areas.iter().for_each(|area| self.shadow.sent(picture, *area));
        encoded.lossy.iter().for_each(|area| self.shadow.mark_lossy(*area));
        to.extend(encoded.bytes);
        encoded.count
    }
}

/// Whether the viewer keeps up: the last update has arrived when the next is made, or it hasn't.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// How often it lately hadn't; 0 to [`BEHIND`].
    behind: u8,
}

/// A viewer is far behind then. Less counts less, so that one hiccup changes nothing.
const BEHIND: u8 = 8;

impl Pace {
    fn update(&mut self, has_arrived: bool) {
        self.behind = match has_arrived {
            true => self.behind.saturating_sub(1),
            false => (self.behind + 1).min(BEHIND),
        };
    }

    /// Who is behind sees more pictures of less quality; at rest all is made good.
    fn quality(&self, Quality(wanted): Quality) -> Quality {
        Quality(wanted.saturating_sub(self.behind / 2).max(wanted.min(2)))
    }
}

/// Fewer areas, where that costs few pixels: each costs the viewer more than its pixels do. They come row
/// of tiles by row of tiles, from left to right.
fn merged(areas: Vec<Rect>) -> Vec<Rect> {
    let mut rows: Vec<Rect> = Vec::new();
    for area in areas {
        match rows.last_mut() {
            Some(last) if is_cheap(*last, area) => *last = last.around(area),
            _ => rows.push(area),
        }
    }
    let mut done: Vec<Rect> = Vec::new();
    // Only what reaches down to the row of tiles above can go on.
    let mut open = 0;
    for area in rows {
        while open < done.len() && done[open].bottom() + 64 < area.y.into() {
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
