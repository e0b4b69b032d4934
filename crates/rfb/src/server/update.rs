//! Writing a FramebufferUpdate (RFC 6143, 7.6.1): what differs between the client's framebuffer and the screen.

use std::{borrow::Cow, time::Duration};

use super::{Phase, Server};
use crate::{
    Picture, Rect, client_framebuffer::ClientFramebuffer, cursor, desktop_size,
    encode::write_rect_header, fence,
};

const FRAMEBUFFER_UPDATE: u8 = 0;
/// The bytes of a FramebufferUpdate before its first rectangle.
const HEADER: usize = 4;

/// The areas of which the viewer wants updates.
#[derive(Debug, Default)]
pub(super) struct UpdateRequests {
    /// The area of the FramebufferUpdateRequests since the last update.
    requested: Option<Rect>,
    /// The area of EnableContinuousUpdates, whose changes are sent without a request.
    pub(super) continuous: Option<Rect>,
    /// The area of the requests that weren't incremental, which is sent whether it has changed or not.
    pub(super) full: Rect,
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
    /// Whether [`Server::update`] may write something: an update may be sent, and something may have changed or is to
    /// be sent again without loss.
    pub fn wants_update(&self, now: Duration) -> bool {
        let area = self.requested_area();
        self.may_update()
            && (self.has_pseudo_rects()
                || !self.requests.full.and(area).is_empty()
                || self.client.is_dirty(area)
                || self.rests_at().is_some_and(|at| at <= now))
    }

    /// When [`Server::wants_update`] will be true though nothing else happens: something that was sent as JPEG is at
    /// rest then. `None` while only a change or the viewer's answer can make it true.
    pub fn rests_at(&self) -> Option<Duration> {
        let may = self.may_update() && (!self.encodings.fence || self.flow.has_spare_room());
        may.then(|| self.client.rests_at(self.requested_area())).flatten()
    }

    /// Writes one update of what differs between the viewer's framebuffer and `picture` into the output. Returns
    /// its number if the viewer will acknowledge it ([`Event::Arrived`](crate::Event)).
    ///
    /// A picture of another size than the last one counts as [`Server::resized`].
    pub fn update(&mut self, picture: &Picture, now: Duration) -> Option<u32> {
        if picture.bounds() != self.screen.area {
            self.resized(picture, &[]);
        }
        if !self.may_update() {
            return None;
        }
        let mut body = Vec::new();
        // DesktopSize has to be the last rectangle of an update (RFC 6143, 7.8.2). It goes alone, since many viewers
        // throw their pixels away when it comes, and ExtendedDesktopSize allows no pixels beside it (rfbproto).
        let mut count = self.write_sizes(&mut body);
        if count == 0 {
            count = self.write_pseudo_rects(&mut body);
            count += self.write_pixels(&self.fitted(picture), now, &mut body);
        }
        if count == 0 {
            return None;
        }
        self.requests.requested = None;
        let is_acknowledged = self.encodings.fence;
        if is_acknowledged && self.flow.wants_probe(now) {
            fence::write_request(self.flow.sent(0, now), &mut self.output);
        }
        self.output.extend([FRAMEBUFFER_UPDATE, 0]);
        self.output.extend((count as u16).to_be_bytes());
        self.output.extend(&body);
        is_acknowledged.then(|| {
            let number = self.flow.sent(HEADER + body.len() + fence::LENGTH, now);
            fence::write_request(number, &mut self.output);
            number
        })
    }

    /// Whether an update may be sent: the viewer has requested one, and there is room on its link at least for a small
    /// change.
    pub fn may_update(&self) -> bool {
        let is_requested = self.requests.is_any();
        let has_room = !self.encodings.fence
            || self.flow.has_urgent_room() && self.flow.count() < self.limits.in_flight.max(1);
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
}
