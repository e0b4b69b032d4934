//! The customer's windows: the question before anything is shared, and the banner while it is.

mod banner_layout;
mod button_input;
mod draw;
mod scene;
mod screen_rect;
mod sentence;
mod sentences;
mod stay_on_top;
mod theme;
mod typesetting;
mod x11_ui;
mod x11_window;

use std::fmt;
use std::sync::mpsc::Receiver;

use wire::shared_screen::{Requester, Role};

pub use stay_on_top::Cover;
pub use x11_ui::{Timing, X11ConsentUi};

use crate::screen::ScreenError;

/// The question to the customer.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// The person who requests the screen. If that is unknown, the question says so.
    pub requester: Requester,
    /// The session's PIN, shown so that it can be compared on the phone.
    pub pin: String,
    /// The host of the broker that carries the session.
    pub host: String,
    /// Whether the clipboard may be exchanged.
    pub clipboard: bool,
    /// Whether the broker is reached over http, so that others on the way can read and change what
    /// isn't encrypted from end to end.
    pub open_to_readers: bool,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the PIN: everybody who reads it in a log could join.
        let mut shown = f.debug_struct("Question");
        shown.field("requester", &self.requester).field("host", &self.host).finish_non_exhaustive()
    }
}

/// A viewer, as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The name that the viewer gave itself; may be empty.
    pub name: String,
    pub role: Role,
    /// The words to compare, where the stream is end-to-end encrypted.
    pub words: Option<String>,
}

/// A viewer that waits for the customer to let it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Tells the viewers apart, so that no answer is taken for another one's.
    pub id: u32,
    /// The name that it gave itself; may be empty.
    pub name: String,
    pub role: Role,
    /// Whether its stream is encrypted from end to end.
    pub sealed: bool,
    /// Whether it has more than the PIN.
    pub invited: bool,
}

/// The content of the banner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Banner {
    /// The viewers who watch or control.
    pub viewers: Vec<Viewer>,
    /// The viewer about whom the customer is asked.
    pub newcomer: Option<Newcomer>,
    /// The number of the question which of two programs is to share: another one with the same PIN was
    /// refused, and the customer hasn't answered yet.
    pub other_program: Option<u32>,
    /// Whether the broker is reached over http.
    pub open_to_readers: bool,
    /// Whether control is paused.
    pub paused: bool,
    /// Whether the connection is lost and being dialled again.
    pub reconnecting: bool,
    /// News such as "Anna saved a picture of your screen". The window shows it for some seconds, so
    /// it is in one banner only.
    pub notice: Option<String>,
    /// Where what the customer copies goes.
    pub clipboard: ClipboardState,
}

/// Where what the customer copies goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClipboardState {
    /// It stays on this computer.
    #[default]
    Kept,
    /// It stays here, but a viewer of this name, which may be empty, asks for it. The answer names the
    /// question by its number.
    Asked { by: String, question: u32 },
    /// To all who control.
    Shared,
}

impl ClipboardState {
    /// As the customer chose when they agreed.
    pub(crate) const fn initial(shared: bool) -> Self {
        if shared { Self::Shared } else { Self::Kept }
    }

    /// The number of the question, if there is one.
    pub(crate) const fn question(&self) -> Option<u32> {
        match self {
            Self::Asked { question, .. } => Some(*question),
            Self::Kept | Self::Shared => None,
        }
    }
}

/// A choice of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Share my screen.
    Share,
    /// Share my screen, and what I copy.
    ShareWithClipboard,
    /// The switch between the two.
    ToggleClipboard,
    /// Send what I copied to those who asked for it: the answer to the question of this number.
    SendClipboard(u32),
    /// Share no longer what I copy.
    KeepClipboard,
    /// Decline, or the window closed.
    Decline,
    /// Let the viewer with this [`Newcomer::id`] in.
    LetIn(u32),
    /// Don't let it in.
    Refuse(u32),
    /// The other program with the same PIN is to share, and this one to end: the answer to the question
    /// of this number.
    Move(u32),
    /// It isn't: this one goes on.
    Stay(u32),
    /// Pause control.
    Pause,
    /// Let them control again.
    Resume,
    /// Stop sharing.
    Stop,
    /// Not a choice of theirs: they can't see the banner, since another window covers it.
    Covered,
}

/// The customer's windows. Their methods block, so they run on the main thread.
pub trait ConsentUi {
    /// Asks, and waits for the answer: [`Choice::Share`], [`Choice::ShareWithClipboard`] or
    /// [`Choice::Decline`].
    ///
    /// # Errors
    /// The window can't be shown.
    fn ask(&mut self, question: &Question) -> Result<Choice, ScreenError>;

    /// Shows one sentence and a button until the customer has read it.
    ///
    /// # Errors
    /// The window can't be shown.
    fn tell(&mut self, title: &str, text: &str) -> Result<(), ScreenError>;

    /// Shows the newest of `banners` until that channel ends. `choose` is called with every choice.
    ///
    /// # Errors
    /// The window can't be shown any more.
    fn share(
        &mut self,
        banners: Receiver<Banner>,
        choose: &mut dyn FnMut(Choice),
    ) -> Result<(), ScreenError>;
}

/// Agrees without asking: for a conf that says that nobody is at the computer, and for tests. Where
/// nobody can answer a request for the clipboard, it is shared; `--no-clipboard` keeps it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unattended;

impl ConsentUi for Unattended {
    fn ask(&mut self, _question: &Question) -> Result<Choice, ScreenError> {
        Ok(Choice::ShareWithClipboard)
    }

    fn tell(&mut self, _title: &str, _text: &str) -> Result<(), ScreenError> {
        Ok(())
    }

    fn share(
        &mut self,
        banners: Receiver<Banner>,
        _choose: &mut dyn FnMut(Choice),
    ) -> Result<(), ScreenError> {
        banners.iter().for_each(drop);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_is_there_it_shares_until_the_banners_end() {
        let (banner, banners) = std::sync::mpsc::channel();
        let asked = Question {
            requester: Requester::default(),
            pin: "12345".into(),
            host: "b".into(),
            clipboard: true,
            open_to_readers: false,
        };
        assert_eq!(Unattended.ask(&asked), Ok(Choice::ShareWithClipboard));
        let sharing = std::thread::spawn(move || {
            Unattended.share(banners, &mut |choice| panic!("nobody chose {choice:?}"))
        });
        banner.send(Banner::default()).unwrap();
        drop(banner);
        assert_eq!(sharing.join().unwrap(), Ok(()));
    }

    #[test]
    fn the_pin_shows_in_no_debug() {
        let asked = Question {
            requester: Requester::default(),
            pin: "geheim".into(),
            host: "b".into(),
            clipboard: true,
            open_to_readers: false,
        };
        assert!(!format!("{asked:?}").contains("geheim"));
    }
}
