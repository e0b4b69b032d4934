//! The screen that is shared, behind traits: X11 now, Windows (GDI and SendInput) next.

pub(crate) mod x11;

use std::sync::Arc;

use rfb::{Cursor, Monitor, Picture, Rect};

/// What [`open`] opens: what shows the screen, what wakes that, and what types and points.
pub type Screen = (Box<dyn Capture>, Arc<dyn Waker>, Box<dyn Input>);

/// Opens the screen: the X11 display of this name, or the one that the environment names.
///
/// # Errors
/// [`ScreenError`].
pub fn open(display: Option<&str>) -> Result<Screen, ScreenError> {
    x11::open(display)
}

/// Why the screen can't be shared, or no longer: one sentence each, in the customer's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// There is no display at all.
    #[error(
        "this program found no screen: start it from the desktop of the computer that needs help, not over a text connection"
    )]
    NoDisplay,
    /// Only Wayland, without X11 in it.
    #[error(
        "this desktop uses Wayland, which this program can't share yet: sign out, choose an \"Xorg\" or \"X11\" session on the sign-in screen, and start it again"
    )]
    WaylandOnly,
    /// The display refuses.
    #[error(
        "the screen refused to be shared: start this program as the person who is signed in at the desktop"
    )]
    NoPermission,
    /// The display lacks what is needed; names it.
    #[error("this screen can't be shared: its display server lacks {0}")]
    Lacks(&'static str),
    /// There is nothing to write the question with.
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

/// What has changed since the last time.
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
    /// Where the picture of the same size has changed.
    pub fn drawn(&self) -> &[Rect] {
        match self {
            Self::Damage(areas) => areas,
            Self::Resized(_) | Self::Cursor(_) | Self::Clipboard(_) => &[],
        }
    }
}

/// Shows what is on the screen. Blocking: it has a thread of its own.
pub trait Capture: Send + 'static {
    /// The monitors now.
    fn monitors(&self) -> Vec<Monitor>;

    /// The pointer's shape now.
    fn cursor(&self) -> Cursor;

    /// A black picture of the screen's present size becomes what is on it.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn whole(&mut self) -> Result<Picture, ScreenError>;

    /// Waits until something changes or [`Waker::wake`] is called, brings `picture` up to date, and says
    /// what changed. Several changes at once come in one answer.
    ///
    /// What `picture` lacks since an earlier answer counts as drawn with the first damage, and isn't said again;
    /// an answer without damage leaves it lacking.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn next(&mut self, picture: &mut Picture, lacks: &[Rect]) -> Result<Vec<Change>, ScreenError>;
}

/// Wakes a [`Capture::next`] from another thread.
pub trait Waker: Send + Sync + 'static {
    /// Makes it return with what it has.
    fn wake(&self);
}

/// Types and points. Blocking, but never for long.
pub trait Input: Send + 'static {
    /// A key, as [`rfb::Event::Key`] has it: the key of its scancode, where that means this keysym here too; else
    /// whatever types the keysym, which is made typable if no key has it. Keysym 0 is the scancode's key alone.
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

    /// Lets go of every key and button that is down: the viewer is gone, or may no longer control.
    ///
    /// # Errors
    /// [`ScreenError`].
    fn release_all(&mut self) -> Result<(), ScreenError>;
}
