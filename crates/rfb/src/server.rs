//! The protocol's state for one viewer: takes the viewer's bytes, and reports what they mean.

mod handshake;
mod pixels;
mod update;

use std::time::Duration;

use self::{
    handshake::Phase,
    pixels::Pace,
    update::{PendingPseudoRects, UpdateRequests},
};
use crate::{
    Cursor, Event, Monitor, Picture, Png, ProtocolError, Rect,
    client_encodings::ClientEncodings,
    client_framebuffer::ClientFramebuffer,
    client_message::{self, ClientMessage, ParseContext, Parsed},
    clipboard::{self, Clipboard},
    desktop_size::Desktop,
    encode::Encoder,
    fence,
    flow::Flow,
    format::Format,
};

/// Bounds on what one viewer can make the server keep in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one clipboard text; longer ones are skipped without being buffered.
    pub clipboard: usize,
    /// Bytes of one picture for the clipboard; larger ones are skipped likewise.
    pub picture: usize,
    /// Updates that may be unacknowledged at a time, where the viewer supports fences. Usually the link allows fewer.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { clipboard: 1024 * 1024, picture: Png::LONGEST, in_flight: 32 }
    }
}

/// The protocol's state for one viewer. The security type is None: the broker decides who may connect.
#[derive(Debug)]
pub struct Server {
    limits: Limits,
    phase: Phase,
    name: String,
    /// The beginning of a message whose end hasn't arrived yet.
    input: Vec<u8>,
    /// Bytes of a message that is too long, which are still to be skipped.
    skip: usize,
    output: Vec<u8>,
    encodings: ClientEncodings,
    format: Format,
    encoder: Encoder,
    screen: Desktop,
    client: ClientFramebuffer,
    requests: UpdateRequests,
    pending: PendingPseudoRects,
    cursor: Cursor,
    flow: Flow,
    pace: Pace,
    clipboard: Clipboard,
}

const END_OF_CONTINUOUS_UPDATES: u8 = 150;

impl Server {
    /// A server whose output begins with ProtocolVersion. `name` is the desktop's name in ServerInit, and
    /// `picture` gives the screen's size.
    pub fn new(picture: &Picture, monitors: &[Monitor], name: &str, limits: Limits) -> Self {
        Self {
            limits,
            phase: Phase::ProtocolVersion,
            name: name.to_owned(),
            input: Vec::new(),
            skip: 0,
            output: b"RFB 003.008\n".to_vec(),
            encodings: ClientEncodings::NONE,
            format: Format::OWN,
            encoder: Encoder::new(ClientEncodings::NONE.level),
            screen: Desktop { area: picture.bounds(), monitors: monitors.to_vec() },
            client: ClientFramebuffer::new(0, 0),
            requests: UpdateRequests::default(),
            pending: PendingPseudoRects::default(),
            cursor: Cursor::default(),
            flow: Flow::default(),
            pace: Pace::default(),
            clipboard: Clipboard::default(),
        }
    }

    /// Takes bytes from the viewer, split anywhere, and adds what the viewer did to `events`. `now` is when they came.
    ///
    /// # Errors
    /// [`ProtocolError`]; the connection has to be closed then.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        now: Duration,
        events: &mut Vec<Event>,
    ) -> Result<(), ProtocolError> {
        let mut input = std::mem::take(&mut self.input);
        input.extend(bytes);
        let mut rest = &input[..];
        loop {
            let skipped = self.skip.min(rest.len());
            self.skip -= skipped;
            rest = &rest[skipped..];
            match self.take_message(rest, now, events)? {
                0 => break,
                taken => rest = &rest[taken..],
            }
        }
        let taken = input.len() - rest.len();
        // A long message comes in many pieces: what is there of it stays where it is.
        if taken > 0 {
            input.drain(..taken);
            input.shrink_to_fit();
        }
        self.input = input;
        Ok(())
    }

    /// Takes the bytes that are to be sent to the viewer.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Marks parts of the screen that may have changed. It is a hint where to compare: a part too many
    /// costs time, and no bytes.
    pub fn changed(&mut self, areas: &[Rect]) {
        areas.iter().for_each(|area| self.client.mark(*area));
    }

    /// Says that the screen has another size or other monitors; all of it counts as changed.
    pub fn resized(&mut self, picture: &Picture, monitors: &[Monitor]) {
        self.screen = Desktop { area: picture.bounds(), monitors: monitors.to_vec() };
        self.client.mark(self.client.bounds());
        self.pending.size = self.phase == Phase::Normal && self.encodings.can_resize();
    }

    /// Gives the pointer another shape.
    pub fn set_cursor(&mut self, cursor: &Cursor) {
        self.cursor = cursor.clone();
        self.pending.cursor = true;
    }

    /// Offers the viewer the text of the screen's clipboard, unless it is longer than [`Limits::clipboard`].
    pub fn set_clipboard(&mut self, text: &str) {
        if text.len() > self.limits.clipboard {
            return self.set_uncarried_clipboard(false);
        }
        self.clipboard.set(text);
        self.announce_clipboard();
    }

    /// Offers the viewer the picture in the screen's clipboard. A viewer that takes none hears that it isn't carried.
    pub fn set_clipboard_picture(&mut self, picture: &Png) {
        self.clipboard.set_picture(picture);
        self.announce_clipboard();
    }

    /// Tells the viewer that the screen's clipboard holds something that isn't carried: a picture, or a text
    /// that is too long. Only a viewer with the Extended Clipboard hears of it.
    pub fn set_uncarried_clipboard(&mut self, is_picture: bool) {
        self.clipboard.set_uncarried(is_picture);
        self.announce_clipboard();
    }

    /// Bytes that are kept for the viewer beside the output and its framebuffer; for tests of [`Limits`].
    pub fn buffered_bytes(&self) -> usize {
        self.input.capacity() + self.clipboard.memory() + self.flow.memory()
    }

    /// Handles the first message in `rest`; returns its length in bytes, 0 if it isn't there as a whole.
    fn take_message(
        &mut self,
        rest: &[u8],
        now: Duration,
        events: &mut Vec<Event>,
    ) -> Result<usize, ProtocolError> {
        if self.phase != Phase::Normal {
            return self.take_handshake(rest);
        }
        match client_message::parse(rest, self.parse_context())? {
            Parsed::Incomplete => Ok(0),
            Parsed::TooLong(length) => {
                self.skip = length.saturating_sub(rest.len());
                Ok(length.min(rest.len()))
            }
            Parsed::Message(message, length) => {
                self.handle(message, now, events);
                Ok(length)
            }
        }
    }

    fn parse_context(&self) -> ParseContext {
        ParseContext {
            longest_clipboard: self.limits.clipboard,
            largest_picture: self.limits.picture,
            extended_buttons: self.encodings.extended_buttons,
            extended_clipboard: self.encodings.extended_clipboard,
        }
    }

    fn handle(&mut self, message: ClientMessage<'_>, now: Duration, events: &mut Vec<Event>) {
        match message {
            ClientMessage::SetPixelFormat(format) => self.format = format,
            ClientMessage::SetEncodings(list) => {
                self.set_encodings(ClientEncodings::from_list(&list));
            }
            ClientMessage::UpdateRequest { incremental, area } => {
                let before = self.requested_area();
                self.requests.add(incremental, area);
                self.requested_area_may_have_changed(before);
            }
            ClientMessage::Input(event) => events.push(event),
            ClientMessage::ExtendedCutText { flags, body } => {
                let received = self.clipboard.receive(flags, body, &self.limits, &mut self.output);
                events.extend(received);
                self.announce_clipboard();
            }
            ClientMessage::Fence { flags, payload } => {
                if let Some(number) = fence::receive(flags, payload, &mut self.output) {
                    events.extend(self.flow.arrived(number, now).into_iter().map(Event::Arrived));
                }
            }
            ClientMessage::EnableContinuousUpdates { on, area } => {
                self.enable_continuous_updates(on, area);
            }
            ClientMessage::SetDesktopSize => {
                self.pending.size_refused = self.encodings.extended_desktop_size;
            }
            ClientMessage::Ignored => (),
        }
    }

    fn set_encodings(&mut self, encodings: ClientEncodings) {
        let before = std::mem::replace(&mut self.encodings, encodings);
        let is_new = |has: fn(&ClientEncodings) -> bool| has(&encodings) && !has(&before);
        self.encoder.set_level(encodings.level);
        self.pending.cursor |= encodings.cursor != before.cursor;
        self.pending.extended_keys |= is_new(|e| e.extended_keys);
        self.pending.extended_buttons |= is_new(|e| e.extended_buttons);
        self.pending.size |= is_new(|e| e.extended_desktop_size);
        self.pending.size |= encodings.can_resize() && self.client.bounds() != self.screen.area;
        if is_new(|e| e.extended_clipboard) {
            clipboard::write_capabilities(&self.limits, &mut self.output);
        }
        // By this message a server says that it supports continuous updates (rfbproto,
        // "EndOfContinuousUpdates"). They are not offered without fences, since nothing would tell how many
        // updates are on their way.
        if is_new(|e| e.fence && e.continuous_updates) {
            self.output.push(END_OF_CONTINUOUS_UPDATES);
        }
        if !encodings.fence {
            // Fences that were sent before will not be answered any more, and would hold back updates for ever.
            self.flow.clear();
        }
    }

    fn enable_continuous_updates(&mut self, on: bool, area: Rect) {
        let before = self.requested_area();
        let was_on = self.requests.continuous.is_some();
        self.requests.continuous = (on && self.encodings.fence).then_some(area);
        if was_on && !on {
            self.output.push(END_OF_CONTINUOUS_UPDATES);
        }
        self.requested_area_may_have_changed(before);
    }

    /// The part of the viewer's framebuffer of which it wants updates.
    fn requested_area(&self) -> Rect {
        self.requests.area().and(self.client.bounds())
    }

    fn requested_area_may_have_changed(&mut self, before: Rect) {
        if self.requested_area() != before {
            self.client.requested_area_changed();
        }
    }

    fn announce_clipboard(&mut self) {
        // Before ServerInit no other message may be sent.
        if self.phase == Phase::Normal {
            self.clipboard.announce(self.encodings.extended_clipboard, &mut self.output);
        }
    }
}
