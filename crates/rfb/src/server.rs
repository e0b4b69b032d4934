//! The protocol from the server's side, for one viewer.

use std::collections::VecDeque;

use crate::{
    Cursor, Monitor, Picture, Rect,
    clipboard::{self, Clipboard},
    encode::Encoder,
    format::Format,
    read::{self, Context, Message, Next},
    shadow::Shadow,
    update::Pace,
    wishes::Wishes,
};

/// What one viewer may make the server hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one clipboard text; longer ones are dropped unread.
    pub clipboard: usize,
    /// Updates on their way to a viewer that can fence them.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { clipboard: 1024 * 1024, in_flight: 2 }
    }
}

/// What a viewer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key goes down or up.
    Key {
        /// Down, else up.
        down: bool,
        /// The X11 keysym (RFC 6143, 7.5.4).
        keysym: u32,
        /// The key itself as an XT scancode, where the viewer knows it (QEMU's extended key event).
        scancode: Option<u32>,
    },
    /// The pointer is here, with these buttons down (bit 0 left, 1 middle, 2 right, 3 to 6 the wheel's,
    /// 7 and 8 back and forward).
    Pointer {
        /// From the left.
        x: u16,
        /// From the top.
        y: u16,
        /// See above.
        buttons: u16,
    },
    /// The viewer's clipboard has this text.
    Clipboard(String),
    /// An update that was fenced has arrived: its number, as [`Server::update`] gave it.
    Arrived(u32),
}

/// The viewer doesn't speak the protocol; the connection is over. It quotes nothing of what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Not a version of RFB that is known.
    #[error("the viewer speaks no known version of RFB")]
    Version,
    /// A security type that was not offered.
    #[error("the viewer chose a security type that was not offered")]
    Security,
    /// A message of a type that is not known, so nobody knows where it ends.
    #[error("the viewer sent a message of unknown type {0}")]
    Message(u8),
    /// A pixel format that can't be drawn.
    #[error("the viewer asked for a pixel format that can't be drawn")]
    PixelFormat,
    /// A length beyond what the protocol or [`Limits`] allow.
    #[error("the viewer sent a message that is too long")]
    TooLong,
}

/// The protocol's state for one viewer. Security type None: who may connect is the broker's to say.
#[derive(Debug)]
pub struct Server {
    pub(crate) limits: Limits,
    pub(crate) stage: Stage,
    name: String,
    input: Vec<u8>,
    /// Bytes of a message that is too long, still to be passed over.
    skip: usize,
    pub(crate) output: Vec<u8>,
    pub(crate) wishes: Wishes,
    pub(crate) format: Format,
    pub(crate) encoder: Encoder,
    pub(crate) screen: Screen,
    pub(crate) shadow: Shadow,
    pub(crate) asked: Asked,
    pub(crate) due: Due,
    pub(crate) cursor: Cursor,
    /// The last update's number.
    pub(crate) number: u32,
    pub(crate) in_flight: VecDeque<u32>,
    pub(crate) pace: Pace,
    /// Nothing moves on the screen, so what went as JPEG may go again bit for bit.
    pub(crate) resting: bool,
    pub(crate) clipboard: Clipboard,
}

/// How far the greeting has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Version,
    Security { with_result: bool },
    Init,
    Running,
}

/// The screen as it is, which the viewer may not know yet.
#[derive(Debug)]
pub(crate) struct Screen {
    pub(crate) area: Rect,
    pub(crate) monitors: Vec<Monitor>,
}

/// What the viewer waits for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The area of an update that was asked for.
    pub(crate) once: Option<Rect>,
    /// The area of which it wants every change without asking.
    pub(crate) always: Option<Rect>,
    /// The area of which it wants all, changed or not.
    pub(crate) anew: Rect,
}

/// What goes out beside pixels, with the next update.
#[derive(Debug, Default)]
pub(crate) struct Due {
    pub(crate) size: bool,
    /// It asked for another size.
    pub(crate) size_refused: bool,
    pub(crate) cursor: bool,
    pub(crate) extended_keys: bool,
    pub(crate) extended_buttons: bool,
}

const FENCE: u8 = 248;
const END_OF_CONTINUOUS_UPDATES: u8 = 150;
/// A fence's flags: what came before is to be done first; it has to be answered.
const BLOCK_BEFORE: u32 = 1;
const FENCE_FLAGS: u32 = 0b111;
const FENCE_REQUEST: u32 = 1 << 31;

impl Server {
    /// A server that greets: `name` is what the desktop is called, `picture` what it looks like now.
    pub fn new(picture: &Picture, monitors: &[Monitor], name: &str, limits: Limits) -> Self {
        Self {
            limits,
            stage: Stage::Version,
            name: name.to_owned(),
            input: Vec::new(),
            skip: 0,
            output: b"RFB 003.008\n".to_vec(),
            wishes: Wishes::NONE,
            format: Format::OWN,
            encoder: Encoder::new(Wishes::NONE.level),
            screen: Screen { area: picture.bounds(), monitors: monitors.to_vec() },
            shadow: Shadow::new(0, 0),
            asked: Asked::default(),
            due: Due::default(),
            cursor: Cursor::default(),
            number: 0,
            in_flight: VecDeque::new(),
            pace: Pace::default(),
            resting: false,
            clipboard: Clipboard::default(),
        }
    }

    /// Bytes from the viewer, split anywhere. What they ask for is added to `events`.
    ///
    /// # Errors
    /// [`ProtocolError`]; nothing more is to be received then.
    pub fn receive(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), ProtocolError> {
        let mut input = std::mem::take(&mut self.input);
        input.extend(bytes);
        let mut rest = &input[..];
        loop {
            let skipped = self.skip.min(rest.len());
            self.skip -= skipped;
            rest = &rest[skipped..];
            match self.take_one(rest, events)? {
                0 => break,
                taken => rest = &rest[taken..],
            }
        }
        self.input = rest.to_vec();
        Ok(())
    }

    /// What is to be sent to the viewer, taken out.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// These parts of the screen may have changed. A hint where to look: too much costs time, not bytes.
    pub fn changed(&mut self, areas: &[Rect]) {
        self.resting &= areas.is_empty();
        areas.iter().for_each(|area| self.shadow.mark(*area));
    }

    /// The screen hasn't changed for a while (150 ms will do): time to send again, bit for bit, what went
    /// as JPEG. To be said again after each change; saying it too often costs nothing.
    pub fn rest(&mut self) {
        self.resting = true;
    }

    /// The screen has another size or other monitors; all of it counts as changed.
    pub fn resized(&mut self, picture: &Picture, monitors: &[Monitor]) {
        self.screen = Screen { area: picture.bounds(), monitors: monitors.to_vec() };
        self.resting = false;
        self.shadow.mark(self.shadow.bounds());
        self.due.size = self.stage == Stage::Running && self.wishes.can_resize();
    }

    /// The pointer has another shape.
    pub fn cursor(&mut self, cursor: &Cursor) {
        self.cursor = cursor.clone();
        self.due.cursor = true;
    }

    /// The screen's clipboard has this text. One that is longer than [`Limits::clipboard`] stays there.
    pub fn clipboard(&mut self, text: &str) {
        if text.len() <= self.limits.clipboard {
            self.clipboard.text = text.to_owned();
            self.clipboard.untold = true;
            self.tell_clipboard();
        }
    }

    /// How many bytes it holds for the viewer beyond its output and the picture; for tests of [`Limits`].
    pub fn held(&self) -> usize {
        self.input.capacity() + self.clipboard.text.capacity() + self.in_flight.capacity() * 4
    }

    /// Takes a message off the front; says how long it is, 0 if not all of it is there.
    fn take_one(&mut self, rest: &[u8], events: &mut Vec<Event>) -> Result<usize, ProtocolError> {
        match self.stage {
            Stage::Version => rest.first_chunk().map_or(Ok(0), |said| self.version(said)),
            Stage::Security { with_result } => match rest.first() {
                None => Ok(0),
                Some(1) => {
                    self.output.extend(if with_result { &[0; 4][..] } else { &[] });
                    self.stage = Stage::Init;
                    Ok(1)
                }
                Some(_) => Err(ProtocolError::Security),
            },
            Stage::Init if rest.is_empty() => Ok(0),
            Stage::Init => {
                self.init();
                Ok(1)
            }
            Stage::Running => match read::next(rest, self.context())? {
                Next::Incomplete => Ok(0),
                Next::TooMuch(length) => {
                    self.skip = length.saturating_sub(rest.len());
                    Ok(length.min(rest.len()))
                }
                Next::Message(message, length) => {
                    self.obey(message, events);
                    Ok(length)
                }
            },
        }
    }

    fn version(&mut self, said: &[u8; 12]) -> Result<usize, ProtocolError> {
        let [b'R', b'F', b'B', b' ', b'0', b'0', b'3', b'.', minor @ .., b'\n'] = said else {
            return Err(ProtocolError::Version);
        };
        let minor = std::str::from_utf8(minor).ok().and_then(|minor| minor.parse::<u16>().ok());
        self.stage = match minor.ok_or(ProtocolError::Version)? {
            ..3 => return Err(ProtocolError::Version),
            3..7 => {
                self.output.extend(1_u32.to_be_bytes());
                Stage::Init
            }
            minor => {
                self.output.extend([1, 1]);
                Stage::Security { with_result: minor > 7 }
            }
        };
        Ok(said.len())
    }

    /// ServerInit: whether others may watch, too, isn't the viewer's to say.
    fn init(&mut self) {
        let Rect { w, h, .. } = self.screen.area;
        self.shadow = Shadow::new(w, h);
        self.output.extend([w, h].map(u16::to_be_bytes).as_flattened());
        self.format.write(&mut self.output);
        self.output.extend((self.name.len() as u32).to_be_bytes());
        self.output.extend(self.name.as_bytes());
        self.stage = Stage::Running;
        self.tell_clipboard();
    }

    fn context(&self) -> Context {
        Context {
            limits: self.limits,
            extended_buttons: self.wishes.extended_buttons,
            extended_clipboard: self.wishes.extended_clipboard,
        }
    }

    fn obey(&mut self, message: Message<'_>, events: &mut Vec<Event>) {
        match message {
            Message::PixelFormat(format) => self.format = format,
            Message::Encodings(encodings) => self.wish(Wishes::read(&encodings)),
            Message::Request { incremental, area } => {
                let before = self.area();
                self.asked.once = Some(self.asked.once.unwrap_or_default().around(area));
                if !incremental {
                    self.asked.anew = self.asked.anew.around(area);
                }
                self.area_may_have_changed(before);
            }
            Message::Key { down, keysym, scancode } => {
                events.push(Event::Key { down, keysym, scancode });
            }
            Message::Pointer { x, y, buttons } => events.push(Event::Pointer { x, y, buttons }),
            Message::Clipboard(latin1) => {
                events.push(Event::Clipboard(clipboard::from_latin1(latin1)));
            }
            Message::ExtendedClipboard { flags, body } => {
                self.extended_clipboard(flags, body, events);
            }
            Message::Fence { flags, payload } if flags & FENCE_REQUEST != 0 => {
                self.fence(flags & FENCE_FLAGS, payload);
            }
            Message::Fence { payload, .. } => self.arrived(payload, events),
            Message::ContinuousUpdates { on, area } => self.continuous(on, area),
            Message::DesktopSize => self.due.size_refused = self.wishes.extended_desktop_size,
            Message::Nothing => (),
        }
    }

    fn wish(&mut self, wishes: Wishes) {
        let before = std::mem::replace(&mut self.wishes, wishes);
        let new = |has: fn(&Wishes) -> bool| has(&wishes) && !has(&before);
        self.encoder.set_level(wishes.level);
        self.due.cursor |= wishes.pointer != before.pointer;
        self.due.extended_keys |= new(|w| w.extended_keys);
        self.due.extended_buttons |= new(|w| w.extended_buttons);
        self.due.size |= new(|w| w.extended_desktop_size);
        self.due.size |= wishes.can_resize() && self.shadow.bounds() != self.screen.area;
        if new(|w| w.extended_clipboard) {
            clipboard::capabilities(self.limits.clipboard, &mut self.output);
        }
        if new(|w| w.fence && w.continuous) {
            self.output.push(END_OF_CONTINUOUS_UPDATES);
        }
        if !wishes.fence {
            // Nobody will say that they arrived.
            self.in_flight.clear();
        }
    }

    /// Without fences nobody would know how many updates are on their way.
    fn continuous(&mut self, on: bool, area: Rect) {
        let before = self.area();
        let was_on = self.asked.always.is_some();
        self.asked.always = (on && self.wishes.fence).then_some(area);
        if was_on && !on {
            self.output.push(END_OF_CONTINUOUS_UPDATES);
        }
        self.area_may_have_changed(before);
    }

    /// What the viewer wants to know about.
    pub(crate) fn area(&self) -> Rect {
        let asked = self.asked.once.unwrap_or_default();
        asked.around(self.asked.always.unwrap_or_default()).and(self.shadow.bounds())
    }

    fn area_may_have_changed(&mut self, before: Rect) {
        if self.area() != before {
            self.shadow.area_changed();
        }
    }

    pub(crate) fn fence_update(&mut self) -> Option<u32> {
        self.number = self.number.wrapping_add(1);
        if !self.wishes.fence {
            return None;
        }
        self.in_flight.push_back(self.number);
        self.fence(FENCE_REQUEST | BLOCK_BEFORE, &self.number.to_be_bytes());
        Some(self.number)
    }

    fn fence(&mut self, flags: u32, payload: &[u8]) {
        self.output.extend([FENCE, 0, 0, 0]);
        self.output.extend(flags.to_be_bytes());
        self.output.push(payload.len() as u8);
        self.output.extend(payload);
    }

    /// A fence has come back: all updates up to it have arrived.
    fn arrived(&mut self, payload: &[u8], events: &mut Vec<Event>) {
        let Ok(number) = payload.try_into().map(u32::from_be_bytes) else { return };
        if let Some(at) = self.in_flight.iter().position(|sent| *sent == number) {
            let arrived = self.in_flight.drain(..=at);
            events.extend(arrived.map(Event::Arrived));
        }
    }
}
