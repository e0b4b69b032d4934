//! The screen that is shared, behind traits. X11 is the one implementation so far; Windows (GDI, SendInput) is next.

pub(crate) mod x11;

use std::sync::Arc;

use rfb::{Cursor, Monitor, Picture, Rect};

/// An open screen: its capture, what wakes the capture, and its input.
pub type Screen = (Box<dyn Capture>, Arc<dyn Waker>, Box<dyn Input>);

/// Opens the screen: the X11 display of this name, or the one that the environment names.
///
/// # Errors
/// [`ScreenError`].
pub fn open(display: Option<&str>) -> Result<Screen, ScreenError> {
    x11::open(display)
}

/// Why the screen can't be shared, or no longer. Its text is shown to the customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// There is no display at all.
    #[error(
        "this program found no screen: start it from the desktop of the computer that needs help, not over a text connection"
    )]
    NoDisplay,
    /// A Wayland desktop without an X server whose root window shows it.
    #[error(
        "this desktop uses Wayland, which this program can't share yet: sign out, choose an \"Xorg\" or \"X11\" session on the sign-in screen, and start it again"
    )]
    WaylandOnly,
    /// The display refuses.
    #[error(
        "the screen refused to be shared: start this program as the person who is signed in at the desktop"
    )]
    NoPermission,
    /// The display lacks something that is needed, which is named.
    #[error("this screen can't be shared: its display server lacks {0}")]
    Lacks(&'static str),
    /// No font is installed to write the question with.
    #[error(
        "this program found no font to ask its question with: install one, such as DejaVu Sans, and start it again"
    )]
    NoFonts,
    /// A size that can't be shared.
    #[error("this screen can't be shared: its size of {width} x {height} is not supported")]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The display is gone.
    #[error("the screen went away, so nothing is shared any more")]
    Gone,
}

/// What has changed since the capture's last answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These parts of the picture.
    Damage(Vec<Rect>),
    /// Size or monitors; the picture is a new one.
    Resized(Vec<Monitor>),
    /// The pointer's shape.
    Cursor(Cursor),
    /// The clipboard's text.
    Clipboard(String),
}

impl Change {
    /// The areas that have changed in a picture of the same size.
    pub fn drawn(&self) -> &[Rect] {
        match self {
            Self::Damage(areas) => areas,
            Self::Resized(_) | Self::Cursor(_) | Self::Clipboard(_) => &[],
        }
    }
}

/// Captures the screen. It blocks, so it has a thread of its own.
pub trait Capture: Send + 'static {
    /// The monitors now.
    fn monitors(&self) -> Vec<Monitor>;

    /// The pointer's shape now.
    fn cursor(&self) -> Cursor;

    /// Takes a picture of the whole screen.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn whole(&mut self) -> Result<Picture, ScreenError>;

    /// Waits until something changes or [`Waker::wake`] is called, brings `picture` up to date, and returns what has
    /// changed. Several changes at once come in one answer.
    ///
    /// The `stale` areas of `picture`, which were reported in earlier answers, are brought up to date together with
    /// the first damage, and are not reported again. An answer without damage leaves them stale.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn next(&mut self, picture: &mut Picture, stale: &[Rect]) -> Result<Vec<Change>, ScreenError>;
}

/// Wakes a [`Capture::next`] from another thread.
pub trait Waker: Send + Sync + 'static {
    /// Makes it return with what it has.
    fn wake(&self);
}

/// Types and points. It blocks, but never for long.
pub trait Input: Send + 'static {
    /// Presses or releases a key, as [`rfb::Event::Key`] has it: the key of the scancode if it has this keysym here as
    /// well; else the key that types the keysym, which is added to the layout if no key has it. With keysym 0 the
    /// scancode alone decides.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn key(&mut self, down: bool, keysym: u32, scancode: Option<u32>) -> Result<(), ScreenError>;

    /// The pointer, as [`rfb::Event::Pointer`] has it.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn pointer(&mut self, x: u16, y: u16, buttons: u16) -> Result<(), ScreenError>;

    /// Puts a text into the clipboard.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn clipboard(&mut self, text: &str) -> Result<(), ScreenError>;

    /// Releases every key and button that is down: the viewer is gone, or may no longer control.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn release_all(&mut self) -> Result<(), ScreenError>;
}
