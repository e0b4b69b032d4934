/// Something that the viewer did, for the program around the server to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key went down or up.
    Key {
        /// `true` if it went down.
        down: bool,
        /// The X11 keysym (RFC 6143, 7.5.4).
        keysym: u32,
        /// The key's XT scancode, where the viewer sends one (QEMU's extended key event).
        scancode: Option<u32>,
    },
    /// The pointer moved, or its buttons changed.
    Pointer {
        /// Pixels from the left edge of the screen.
        x: u16,
        /// Pixels from the top edge of the screen.
        y: u16,
        /// The buttons that are down: bit 0 left, 1 middle, 2 right, 3 to 6 the wheel, 7 back,
        /// 8 forward.
        buttons: u16,
    },
    /// The viewer's clipboard holds this text now.
    Clipboard(String),
    /// The viewer's clipboard holds this picture now: a PNG, as [`Png::new`](crate::Png::new) has to find.
    Picture(Vec<u8>),
    /// The viewer asks for the screen's clipboard, of which it was offered nothing.
    ClipboardWanted,
    /// The viewer has received and processed a fenced update: the number that
    /// [`Server::update`](crate::Server::update) returned for it.
    Arrived(u32),
}
