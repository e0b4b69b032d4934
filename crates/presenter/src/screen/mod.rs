//! The screen that is shared, behind traits. X11 is the one implementation so far; Windows (GDI,
//! SendInput) is next.

mod saved_clipboard;
pub(crate) mod x11;

use std::sync::Arc;
use std::time::Duration;

use rfb::{Cursor, Monitor, Picture, Png, Rect};

pub use self::saved_clipboard::{ClipboardForm, ClipboardLoss, SavedClipboard};

/// An open screen: its capture, what wakes the capture, and its input.
pub type Screen = (Box<dyn Capture>, Arc<dyn Waker>, Box<dyn Input>);

/// The most bytes of a [`SavedClipboard`] that are read of a clipboard.
pub(crate) const MOST_SAVED: usize = x11::offered_forms::MOST_BYTES;

/// Opens the screen: the X11 display of this name, or the one that the environment names.
///
/// # Errors
/// [`ScreenError`].
pub fn open(display: Option<&str>) -> Result<Screen, ScreenError> {
    x11::open(display)
}

/// The screen for one sharing: it is opened whenever somebody watches and nobody did, and a viewer's
/// text or picture stays in the clipboard meanwhile.
pub struct KeptScreen(x11::Reopened);

impl KeptScreen {
    /// The screen that [`open`] opens.
    pub fn new(display: Option<String>) -> Self {
        Self(x11::Reopened::new(display))
    }

    /// With more time for the owner of the clipboard to tell what it has, for tests.
    #[must_use]
    pub fn told_within(self, told_within: Duration) -> Self {
        Self(self.0.told_within(told_within))
    }

    /// Opens it, as [`open`] does.
    ///
    /// # Errors
    /// [`ScreenError`].
    pub fn open(&self) -> Result<Screen, ScreenError> {
        self.0.open()
    }

    /// Gives the clipboard up at the end. Returns what was there before, if what a viewer has sent is
    /// there now.
    pub fn end(&self) -> Option<SavedClipboard> {
        self.0.end()
    }
}

/// Puts this into the clipboard, and serves it until another program has copied something, the
/// display is gone, or `within` is over.
///
/// # Errors
/// [`ScreenError`].
pub fn serve_clipboard(
    display: Option<&str>,
    saved: &SavedClipboard,
    within: Duration,
) -> Result<(), ScreenError> {
    x11::serve_clipboard(display, saved, within)
}

/// Why the screen can't be shared (any more). Its text is shown to the customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// There is no display at all.
    #[error(
        "this program found no screen: start it from the desktop of the computer that needs help, not over a text connection"
    )]
    NoDisplay,
    /// A Wayland desktop: no X server's root window shows it.
    #[error(
        "this desktop uses Wayland, which this program can't share yet: sign out, choose an \"Xorg\" or \"X11\" session on the sign-in screen, and start it again; if you mean another screen than this desktop's, name it with --display"
    )]
    WaylandOnly,
    /// The display server refuses the connection.
    #[error(
        "the screen refused to be shared: start this program as the person who is signed in at the desktop"
    )]
    NoPermission,
    /// The display server lacks the named feature, which is needed.
    #[error("this screen can't be shared: its display server lacks {0}")]
    Lacks(&'static str),
    /// No font is installed with which the question could be shown.
    #[error(
        "this program found no font to ask its question with: install one, such as DejaVu Sans, and start it again"
    )]
    NoFonts,
    /// The screen has a size that can't be shared.
    #[error("this screen can't be shared: its size of {width} x {height} is not supported")]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The connection to the display server is lost.
    #[error("the screen went away, so nothing is shared any more")]
    Gone,
}

/// A change since the capture's last answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These parts of the picture.
    Damage(Vec<Rect>),
    /// The size or the monitors. The picture was replaced by a new one.
    Resized(Vec<Monitor>),
    /// The pointer's shape.
    Cursor(Cursor),
    /// What the clipboard holds.
    Clipboard(Contents),
    /// The clipboard holds something that isn't carried to the viewers.
    NotCarried(NotCarried),
}

/// What a clipboard holds, as far as it is carried from one computer to another. Copies share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// A text.
    Text(Arc<str>),
    /// A picture.
    Picture(Png),
}

impl From<&str> for Contents {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// Why what was copied isn't carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCarried {
    /// A picture of another kind than PNG, or a damaged one.
    OtherPicture,
    /// A picture with too many bytes or pixels.
    LargePicture,
    /// A text that is too long.
    LongText,
    /// Neither a text nor a picture, such as a file.
    Other,
}

impl NotCarried {
    pub(crate) fn is_picture(self) -> bool {
        match self {
            Self::OtherPicture | Self::LargePicture => true,
            Self::LongText | Self::Other => false,
        }
    }
}

impl Change {
    /// The changed areas, unless the picture was replaced.
    pub fn drawn(&self) -> &[Rect] {
        match self {
            Self::Damage(areas) => areas,
            Self::Resized(_) | Self::Cursor(_) | Self::Clipboard(_) | Self::NotCarried(_) => &[],
        }
    }
}

/// Captures the screen. It blocks, so it runs on a thread of its own.
pub trait Capture: Send + 'static {
    /// The present monitors.
    fn monitors(&self) -> Vec<Monitor>;

    /// The pointer's present shape.
    fn cursor(&self) -> Cursor;

    /// Takes a picture of the whole screen.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn whole(&mut self) -> Result<Picture, ScreenError>;

    /// Waits until something changes or [`Waker::wake`] is called, brings `picture` up to date, and
    /// returns what has changed. Several changes at once come in one answer.
    ///
    /// The `stale` areas of `picture`, which were reported in earlier answers, are brought up to
    /// date together with the first damage, and are not reported again. An answer without damage
    /// leaves them stale.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn next(&mut self, picture: &mut Picture, stale: &[Rect]) -> Result<Vec<Change>, ScreenError>;
}

/// Wakes a [`Capture::next`] from another thread.
pub trait Waker: Send + Sync + 'static {
    /// Makes it return with the changes so far, even if there are none.
    fn wake(&self);
}

/// A viewer, among those who use the same keyboard and pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewerId(pub u64);

/// Types and points. It blocks, but never for long.
pub trait Input: Send + 'static {
    /// Presses or releases a viewer's key. A key that several viewers hold comes up with the last of
    /// them, and no viewer's key is pressed together with another's modifiers.
    ///
    /// It is the key of an [`rfb::Event::Key`]: the key of the scancode if it has the
    /// same keysym on this keyboard, else a key that types the keysym. If no key has the keysym, it
    /// is added to the layout. With keysym 0 the scancode alone decides.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn key(
        &mut self,
        viewer: ViewerId,
        down: bool,
        keysym: u32,
        scancode: Option<u32>,
    ) -> Result<(), ScreenError>;

    /// Moves the pointer and sets the buttons that are down, as in [`rfb::Event::Pointer`].
    ///
    /// # Errors
    /// [`ScreenError`].
    fn pointer(
        &mut self,
        viewer: ViewerId,
        x: u16,
        y: u16,
        buttons: u16,
    ) -> Result<(), ScreenError>;

    /// Puts this into the clipboard. Returns why what it replaces doesn't come back at the end, or not as
    /// a whole; none if it does, or was a viewer's.
    ///
    /// To read what it replaces can take seconds. It asks meanwhile and at the last moment whether it
    /// `may_go_on`; if not, it returns at once and replaces nothing.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn clipboard(
        &mut self,
        contents: Contents,
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<Option<ClipboardLoss>, ScreenError>;

    /// Releases the keys that this viewer holds, because it is gone.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn release_keys(&mut self, viewer: ViewerId) -> Result<(), ScreenError>;

    /// Releases all buttons, because the viewer who dragged is gone.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn release_buttons(&mut self) -> Result<(), ScreenError>;

    /// Releases all keys and buttons, because nobody controls any more.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn release_all(&mut self) -> Result<(), ScreenError>;
}
