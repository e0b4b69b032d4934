//! What the clipboard's owner answers, and what is asked next (ICCCM, section 2): decided without
//! the X server, since any program on the display can be the owner and answer anything.

use rfb::{Png, PngError};
use x11rb::protocol::xproto::{Atom, AtomEnum};

use super::own_text::Own;
use crate::screen::{Change, Contents, NotCarried};

/// The most bytes of a text; a longer one isn't sent to the viewers. A picture has a limit of its own.
pub(crate) const LONGEST: usize = 1024 * 1024;

/// The names of what is asked for and answered, as this display numbers them.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub targets: Atom,
    pub utf8: Atom,
    pub mime: Atom,
    pub png: Atom,
    pub incr: Atom,
    /// What marks a secret.
    pub secret: Vec<Atom>,
    /// Pictures that aren't carried.
    pub pictures: Vec<Atom>,
    /// Forms that hold nothing.
    pub empty: Vec<Atom>,
}

/// What has to be done after an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing more: what comes is waited for.
    Wait,
    /// Ask the owner for this form.
    Ask(Atom),
    /// The viewers learn this.
    Tell(Change),
}

/// The answers of one owner after another.
pub(crate) struct Answers {
    names: Names,
    own: Own,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    /// The owner was asked for this form and hasn't answered yet.
    Asked(Atom),
    /// The owner sends this form in pieces (INCR). `None` if it is too long: the rest is discarded.
    Pieces(Atom, Option<Vec<u8>>),
}

impl Answers {
    pub(crate) fn new(names: Names, own: Own) -> Self {
        Self { names, own, state: State::Idle }
    }

    /// Whether nothing is waited for.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether the owner has yet to answer for this form.
    pub(crate) fn is_asked(&self, form: Atom) -> bool {
        matches!(self.state, State::Asked(asked) if asked == form)
    }

    pub(crate) fn takes_pieces(&self) -> bool {
        matches!(self.state, State::Pieces(..))
    }

    /// The most bytes of what was asked for.
    pub(crate) fn longest(&self) -> usize {
        match self.state {
            State::Asked(form) | State::Pieces(form, _) if form == self.names.png => Png::LONGEST,
            State::Asked(_) | State::Pieces(..) | State::Idle => LONGEST,
        }
    }

    /// Another program has the clipboard now: its forms are asked for first.
    pub(crate) fn new_owner(&mut self) -> Next {
        self.ask(self.names.targets)
    }

    /// Nobody has it any more, or this program.
    pub(crate) fn no_owner(&mut self) {
        self.state = State::Idle;
    }

    /// The owner doesn't give this form. An old program may not tell its forms, and may offer Latin-1
    /// only. If the clipboard holds no text, the owner refuses this as well.
    pub(crate) fn refused(&mut self, form: Atom) -> Next {
        if !self.is_asked(form) {
            return Next::Wait;
        }
        self.state = State::Idle;
        if form == self.names.targets {
            self.ask(self.names.utf8)
        } else if form == self.names.utf8 {
            self.ask(AtomEnum::STRING.into())
        } else {
            Next::Wait
        }
    }

    /// The owner's forms, `None` if they can't be read as a whole: a mark that isn't seen may be
    /// among them. The text is asked for, else the picture, unless it is secret.
    pub(crate) fn forms(&mut self, forms: Option<&[Atom]>) -> Next {
        if !self.is_asked(self.names.targets) {
            return Next::Wait;
        }
        self.state = State::Idle;
        let forms = forms.unwrap_or_default();
        let names = &self.names;
        if forms.iter().any(|form| names.secret.contains(form)) {
            return Next::Wait;
        }
        let carried = [names.utf8, names.mime, AtomEnum::STRING.into(), names.png];
        if let Some(form) = carried.into_iter().find(|form| forms.contains(form)) {
            self.ask(form)
        } else if forms.iter().any(|form| names.pictures.contains(form)) {
            Next::Tell(Change::NotCarried(NotCarried::OtherPicture))
        } else if forms.iter().any(|form| !names.empty.contains(form)) {
            Next::Tell(Change::NotCarried(NotCarried::Other))
        } else {
            Next::Wait
        }
    }

    /// The owner's answer for a form of the contents: its type, and its bytes if there aren't too many.
    pub(crate) fn contents(&mut self, kind: Atom, bytes: Option<Vec<u8>>) -> Next {
        let State::Asked(form) = self.state else { return Next::Wait };
        if form == self.names.targets {
            return Next::Wait;
        }
        if kind == self.names.incr {
            self.state = State::Pieces(form, Some(Vec::new()));
            return Next::Wait;
        }
        self.state = State::Idle;
        self.complete(form, kind, bytes)
    }

    /// The next piece of what comes in pieces. By the protocol an empty one ends it.
    pub(crate) fn piece(&mut self, kind: Atom, piece: Option<Vec<u8>>) -> Next {
        let longest = self.longest();
        let State::Pieces(form, before) = &mut self.state else { return Next::Wait };
        let (form, before) = (*form, before.take());
        if piece.as_ref().is_some_and(Vec::is_empty) {
            self.state = State::Idle;
            return self.complete(form, kind, before);
        }
        let longer = before.zip(piece).map(|(mut before, piece)| {
            before.extend(piece);
            before
        });
        self.state = State::Pieces(form, longer.filter(|bytes| bytes.len() <= longest));
        Next::Wait
    }

    fn ask(&mut self, form: Atom) -> Next {
        self.state = State::Asked(form);
        Next::Ask(form)
    }

    /// The news that this makes; its bytes are `None` if there were too many.
    fn complete(&self, form: Atom, kind: Atom, bytes: Option<Vec<u8>>) -> Next {
        let is_picture = form == self.names.png;
        let contents = match bytes {
            None if is_picture => Err(NotCarried::LargePicture),
            None => Err(NotCarried::LongText),
            Some(bytes) if is_picture => {
                Png::new(&bytes).map(Contents::Picture).map_err(|error| match error {
                    PngError::TooLarge => NotCarried::LargePicture,
                    PngError::Damaged => NotCarried::OtherPicture,
                })
            }
            Some(bytes) => self.text(kind, bytes).ok_or(NotCarried::Other),
        };
        match contents {
            Err(why) => Next::Tell(Change::NotCarried(why)),
            Ok(contents) if self.own.is_news(&contents) => Next::Tell(Change::Clipboard(contents)),
            // This program has put it there itself.
            Ok(_) => Next::Wait,
        }
    }

    /// Decodes a text; `None` if it isn't one.
    fn text(&self, kind: Atom, text: Vec<u8>) -> Option<Contents> {
        let text = if kind == self.names.utf8 || kind == self.names.mime {
            String::from_utf8(text).ok()?
        } else if kind == Atom::from(AtomEnum::STRING) {
            text.into_iter().map(char::from).collect()
        } else {
            return None;
        };
        Some(Contents::Text(text.into()))
    }
}
