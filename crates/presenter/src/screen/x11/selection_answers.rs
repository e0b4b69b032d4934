//! What the clipboard's owner answers, and what is asked next (ICCCM, section 2): decided without
//! the X server, since any program on the display can be the owner and answer anything.

use x11rb::protocol::xproto::{Atom, AtomEnum};

use super::own_text::Own;
use crate::screen::{Change, NotCarried};

/// The most bytes of a text; a longer one isn't sent to the viewers.
pub(crate) const LONGEST: usize = 1024 * 1024;

/// The names of what is asked for and answered, as this display numbers them.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub targets: Atom,
    pub utf8: Atom,
    pub incr: Atom,
    /// What marks a secret.
    pub secret: Vec<Atom>,
    pub pictures: Vec<Atom>,
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
    /// The owner sends the text in pieces (INCR). `None` if it is too long: the rest is discarded.
    Pieces(Option<Vec<u8>>),
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
        matches!(self.state, State::Pieces(_))
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
    /// among them. The text is asked for, unless it is secret or there is none.
    pub(crate) fn forms(&mut self, forms: Option<&[Atom]>) -> Next {
        if !self.is_asked(self.names.targets) {
            return Next::Wait;
        }
        self.state = State::Idle;
        let forms = forms.unwrap_or_default();
        let string = Atom::from(AtomEnum::STRING);
        if forms.iter().any(|form| self.names.secret.contains(form)) {
            Next::Wait
        } else if forms.contains(&self.names.utf8) {
            self.ask(self.names.utf8)
        } else if forms.contains(&string) {
            self.ask(string)
        } else if forms.iter().any(|form| self.names.pictures.contains(form)) {
            Next::Tell(Change::NotCarried(NotCarried::Picture))
        } else {
            Next::Wait
        }
    }

    /// The owner's answer for a form of the text: its type, and its bytes if there aren't too many.
    pub(crate) fn text(&mut self, kind: Atom, text: Option<Vec<u8>>) -> Next {
        if !matches!(self.state, State::Asked(form) if form != self.names.targets) {
            return Next::Wait;
        }
        if kind == self.names.incr {
            self.state = State::Pieces(Some(Vec::new()));
            return Next::Wait;
        }
        self.state = State::Idle;
        self.complete(kind, text)
    }

    /// The next piece of a text that comes in pieces. By the protocol an empty one ends it.
    pub(crate) fn piece(&mut self, kind: Atom, piece: Option<Vec<u8>>) -> Next {
        let State::Pieces(before) = &mut self.state else { return Next::Wait };
        let before = before.take();
        if piece.as_ref().is_some_and(Vec::is_empty) {
            self.state = State::Idle;
            return self.complete(kind, before);
        }
        let longer = before.zip(piece).map(|(mut before, piece)| {
            before.extend(piece);
            before
        });
        self.state = State::Pieces(longer.filter(|text| text.len() <= LONGEST));
        Next::Wait
    }

    fn ask(&mut self, form: Atom) -> Next {
        self.state = State::Asked(form);
        Next::Ask(form)
    }

    /// The news that a text makes; it is `None` if it was too long.
    fn complete(&self, kind: Atom, text: Option<Vec<u8>>) -> Next {
        match text {
            Some(text) => match self.told(kind, text) {
                Some(text) => Next::Tell(Change::Clipboard(text)),
                None => Next::Wait,
            },
            None => Next::Tell(Change::NotCarried(NotCarried::TooLong)),
        }
    }

    /// Decodes a text; `None` if it isn't one, or if this program has put it there itself.
    fn told(&self, kind: Atom, text: Vec<u8>) -> Option<String> {
        let text = if kind == self.names.utf8 {
            String::from_utf8(text).ok()?
        } else if kind == Atom::from(AtomEnum::STRING) {
            text.into_iter().map(char::from).collect()
        } else {
            return None;
        };
        self.own.is_news(&text).then_some(text)
    }
}
