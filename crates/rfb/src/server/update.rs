//! Writing a FramebufferUpdate (RFC 6143, 7.6.1): what differs between the client's framebuffer and the screen.

use std::borrow::Cow;

use super::{Phase, Server};
use crate::{
    Picture, Rect,
    client_framebuffer::{ClientFramebuffer, TILE},
    copy_search, cursor, desktop_size,
    encode::{Encoding, Quality, Style, write_rect_header},
};

const FRAMEBUFFER_UPDATE: u8 = 0;
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
/// Fewer changed pixels than this are sent without loss at once, not as JPEG first.
const SMALL: u64 = 16 * 1024;
/// Unchanged pixels that may be sent to save a rectangle when two are merged.
const WASTE: u64 = 512;
/// Rectangles of one update. The protocol counts them in 16 bits, and the encoder may cut each into several.
const MOST_RECTS: usize = 16 * 1024;

/// The areas of which the viewer wants updates.
#[derive(Debug, Default)]
pub(super) struct UpdateRequests {
    /// The area of the FramebufferUpdateRequests since the last update.
    requested: Option<Rect>,
    /// The area of EnableContinuousUpdates, whose changes are sent without a request.
    pub(super) continuous: Option<Rect>,
    /// The area of the requests that weren't incremental, which is sent whether it has changed or not.
    full: Rect,
}

impl UpdateRequests {
    pub(super) fn add(&mut self, incremental: bool, area: Rect) {
        // RFC 6143, 7.5.3: one update may answer several requests, so they are joined to one area.
        self.requested = Some(self.requested.unwrap_or_default().around(area));
        if !incremental {
            self.full = self.full.around(area);
        }
    }

    pub(super) fn area(&self) -> Rect {
        self.requested.unwrap_or_default().around(self.continuous.unwrap_or_default())
    }

    fn is_any(&self) -> bool {
        self.requested.is_some() || self.continuous.is_some()
    }
}

/// Pseudo-encoded rectangles that go out with the next update.
#[derive(Debug, Default)]
pub(super) struct PendingPseudoRects {
    pub(super) size: bool,
    /// The answer to the viewer's SetDesktopSize, which is never granted.
    pub(super) size_refused: bool,
    pub(super) cursor: bool,
    pub(super) extended_keys: bool,
    pub(super) extended_buttons: bool,
}

impl Server {
    /// Whether [`Server::update`] would write anything: an update may be sent and something has changed.
    pub fn wants_update(&self) -> bool {
        let area = self.requested_area();
        self.may_update()
            && (self.has_pseudo_rects()
                || !self.requests.full.and(area).is_empty()
                || self.client.is_dirty(area)
                || self.at_rest && self.client.lossy(area).next().is_some())
    }

    /// Writes one update of what differs between the viewer's framebuffer and `picture` into the output. Returns
    /// its number if the viewer will acknowledge it ([`Event::Arrived`](crate::Event)).
    ///
    /// A picture of another size than the last one counts as [`Server::resized`].
    pub fn update(&mut self, picture: &Picture) -> Option<u32> {
        if picture.bounds() != self.screen.area {
            self.resized(picture, &[]);
        }
        if !self.may_update() {
            return None;
        }
        self.pace.update(self.in_flight.count() == 0);
        let mut body = Vec::new();
        // DesktopSize has to be the last rectangle of an update (RFC 6143, 7.8.2). It goes alone, since many viewers
        // throw their pixels away when it comes, and ExtendedDesktopSize allows no pixels beside it (rfbproto).
        let mut count = self.write_sizes(&mut body);
        if count == 0 {
            count = self.write_pseudo_rects(&mut body);
            count += self.write_pixels(&self.fitted(picture), &mut body);
        }
        if count == 0 {
            return None;
        }
        self.requests.requested = None;
        self.output.extend([FRAMEBUFFER_UPDATE, 0]);
        self.output.extend((count as u16).to_be_bytes());
        self.output.extend(body);
        self.encodings.fence.then(|| self.in_flight.fence_update(&mut self.output))
    }

    /// Whether an update may be sent: the viewer has requested one, and keeps up with those before.
    pub fn may_update(&self) -> bool {
        let is_requested = self.requests.is_any();
        let has_room = self.in_flight.count() < self.limits.in_flight.max(1);
        self.phase == Phase::Normal && is_requested && has_room
    }

    fn has_pseudo_rects(&self) -> bool {
        let pending = &self.pending;
        pending.size
            || pending.size_refused
            || pending.extended_keys
            || pending.extended_buttons
            || pending.cursor && self.encodings.cursor.is_some()
    }

    /// The picture, cut or filled up with black to the size of the viewer's framebuffer: a viewer without
    /// DesktopSize can't learn another one.
    fn fitted<'a>(&self, picture: &'a Picture) -> Cow<'a, Picture> {
        let known = self.client.bounds();
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

    fn write_sizes(&mut self, to: &mut Vec<u8>) -> usize {
        let mut count = 0;
        if std::mem::take(&mut self.pending.size) {
            self.adopt_size();
            if self.encodings.extended_desktop_size {
                desktop_size::write_extended(&self.screen, desktop_size::Reason::ScreenChanged, to);
            } else {
                desktop_size::write_plain(&self.screen, to);
            }
            count += 1;
        }
        if std::mem::take(&mut self.pending.size_refused) {
            desktop_size::write_extended(&self.screen, desktop_size::Reason::Refused, to);
            count += 1;
        }
        count
    }

    fn adopt_size(&mut self) {
        let (before, now) = (self.client.bounds(), self.screen.area);
        if before != now {
            self.client = ClientFramebuffer::new(now.w, now.h);
            // A viewer that follows the whole screen goes on following all of it, even before it says so itself.
            let all = self.requests.continuous.filter(|area| area.covers(before));
            self.requests.continuous = all.map(|_| now).or(self.requests.continuous);
        }
    }

    fn write_pseudo_rects(&mut self, to: &mut Vec<u8>) -> usize {
        let mut count = 0;
        if std::mem::take(&mut self.pending.extended_keys) {
            write_rect_header(self.screen.area, desktop_size::EXTENDED_KEYS, to);
            count += 1;
        }
        if std::mem::take(&mut self.pending.extended_buttons) {
            write_rect_header(self.screen.area, desktop_size::EXTENDED_BUTTONS, to);
            count += 1;
        }
        if let Some(encoding) = self.encodings.cursor
            && std::mem::take(&mut self.pending.cursor)
        {
            cursor::write(&self.cursor, encoding, self.format, to);
            count += 1;
        }
        count
    }

    fn write_pixels(&mut self, picture: &Picture, to: &mut Vec<u8>) -> usize {
        self.client.forget(std::mem::take(&mut self.requests.full));
        let area = self.requested_area();
        let mut changed = self.client.changed_tiles(picture, area);
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
        let mut found = merged(self.client.differences(picture, area, &changed));
        for deferred in found.split_off(found.len().min(MOST_RECTS)) {
            self.client.mark(deferred);
        }
        let lossy = self.may_be_lossy(&found);
        let mut count = copies + self.write_areas(picture, &found, lossy, to);
        if count == 0 && self.at_rest {
            let lossy: Vec<_> = self.client.lossy(area).take(MOST_REFINED).collect();
            lossy.iter().for_each(|tile| self.client.refined(*tile));
            count = self.write_areas(picture, &merged(lossy), false, to);
        }
        count
    }

    fn may_be_lossy(&self, areas: &[Rect]) -> bool {
        let pixels: u64 = areas.iter().map(|area| area.area()).sum();
        self.format.is_888() && self.encodings.encoding == Encoding::Tight && pixels > SMALL
    }

    fn write_areas(
        &mut self,
        picture: &Picture,
        areas: &[Rect],
        lossy: bool,
        to: &mut Vec<u8>,
    ) -> usize {
        let quality =
            self.encodings.quality.filter(|_| lossy).map(|wanted| self.pace.quality(wanted));
        let style = Style { encoding: self.encodings.encoding, format: self.format, quality };
        let encoded = self.encoder.encode(picture, areas, style);
        areas.iter().for_each(|area| self.client.sent(picture, *area));
        encoded.lossy.iter().for_each(|area| self.client.mark_lossy(*area));
        to.extend(encoded.bytes);
        encoded.count
    }
}

/// Whether the viewer keeps up: whether the last update has arrived by the time that the next is made.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How often the last update had not arrived lately: 0 to [`BEHIND`].
    behind: u8,
}

/// The count of a viewer that is far behind. It is reached step by step, so that one hiccup changes nothing.
const BEHIND: u8 = 8;

impl Pace {
    fn update(&mut self, has_arrived: bool) {
        self.behind = match has_arrived {
            true => self.behind.saturating_sub(1),
            false => (self.behind + 1).min(BEHIND),
        };
    }

    /// The JPEG quality for this viewer: one that is behind gets more pictures of less quality.
    fn quality(&self, Quality(wanted): Quality) -> Quality {
        Quality(wanted.saturating_sub(self.behind / 2).max(wanted.min(2)))
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
