//! Which of the forms that the clipboard's owner offers are read, in which order, and whether something is
//! lost with those that aren't.

use x11rb::protocol::xproto::Atom;

use crate::screen::{ClipboardForm, ClipboardLoss, SavedClipboard, ScreenError};

/// The most bytes of all forms together.
pub const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The most forms. Programs with many kinds of pictures offer about 40.
const MOST_FORMS: usize = 64;
/// Read first, as long as there is time and room: what most programs paste.
const FIRST: [&str; 6] = [
    "UTF8_STRING",
    "text/plain;charset=utf-8",
    "STRING",
    "text/uri-list",
    "text/html",
    "image/png",
];
/// Forms that tell about the owner or the others, or make the owner do something. These are never asked for.
const NO_CONTENTS: [&str; 19] = [
    "TARGETS",
    "TIMESTAMP",
    "MULTIPLE",
    "SAVE_TARGETS",
    "DELETE",
    "INSERT_SELECTION",
    "INSERT_PROPERTY",
    "LENGTH",
    "LIST_LENGTH",
    "CHARACTER_POSITION",
    "LINE_NUMBER",
    "COLUMN_NUMBER",
    "CLIENT_WINDOW",
    "HOST_NAME",
    "OWNER_OS",
    "USER",
    "CLASS",
    "NAME",
    "PROCESS",
];
/// Contents of these types are things in the X server that go with their owner.
const THINGS: [&str; 6] = ["PIXMAP", "BITMAP", "DRAWABLE", "WINDOW", "COLORMAP", "FOREGROUND"];

/// What was in the clipboard, and why that isn't everything.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub saved: Option<SavedClipboard>,
    pub loss: Option<ClipboardLoss>,
}

/// An owner's answer for one form.
pub enum Answer {
    Given {
        kind: Atom,
        unit: u8,
        bytes: Vec<u8>,
    },
    Refused,
    TooLarge,
    /// None came in time.
    Silent,
}

/// A form that the owner offers.
struct Offered {
    atom: Atom,
    name: String,
    /// `None` if it isn't read so far, or can't be.
    read: Option<ClipboardForm>,
    refused: bool,
}

/// The clipboard's owner.
pub trait ClipboardOwner {
    /// Asks it for a form of at most so many bytes.
    fn ask(&self, form: Atom, longest: usize) -> Result<Answer, ScreenError>;

    /// The name of a form or type; `None` for one that has none, or that isn't a text.
    fn name(&self, atom: Atom) -> Option<String>;

    /// Whether it may be asked for nothing more: the time for all forms is over, or control is.
    fn is_over(&self) -> bool;
}

/// Reads what the owner has in the forms of these names.
pub fn read(
    owner: &impl ClipboardOwner,
    names: Vec<(Atom, String)>,
) -> Result<Before, ScreenError> {
    let contents = names.into_iter().filter(|(_, name)| !NO_CONTENTS.contains(&name.as_str()));
    let mut offered: Vec<Offered> =
        contents.map(|(atom, name)| Offered { atom, name, read: None, refused: false }).collect();
    let too_large = read_forms(owner, &mut offered)?;
    Ok(before(offered, too_large))
}

/// Reads as many as there are time and room for. Returns whether one was too large.
fn read_forms(owner: &impl ClipboardOwner, offered: &mut [Offered]) -> Result<bool, ScreenError> {
    let place = |form: &Offered| FIRST.iter().position(|name| *name == form.name);
    let mut order: Vec<usize> = (0..offered.len()).collect();
    order.sort_by_key(|&at| place(&offered[at]).unwrap_or(FIRST.len()));
    let (mut room, mut too_large) = (MOST_BYTES, false);
    // Cut only here: what is pasted most is read wherever it is offered, and what isn't read is missing.
    for at in order.into_iter().take(MOST_FORMS) {
        let form = &mut offered[at];
        match owner.ask(form.atom, room)? {
            Answer::Given { kind, unit, bytes } => {
                let kind = owner.name(kind).filter(|kind| !THINGS.contains(&kind.as_str()));
                let Some(kind) = kind else {
                    form.refused = true;
                    continue;
                };
                room -= bytes.len();
                form.read = Some(ClipboardForm { name: form.name.clone(), kind, unit, bytes });
            }
            Answer::Refused => form.refused = true,
            Answer::TooLarge => too_large = true,
            Answer::Silent if owner.is_over() => break,
            // A slow form costs its own time, and not the forms after it.
            Answer::Silent => {}
        }
    }
    Ok(too_large)
}

/// What is kept of these forms. One that is missing is no loss if another form of the same thing is there.
fn before(offered: Vec<Offered>, too_large: bool) -> Before {
    let missing: Vec<Thing> = offered
        .iter()
        .filter(|form| form.read.is_none() && !form.refused)
        .map(|form| Thing::of(&form.name))
        .collect();
    let nothing_offered = offered.is_empty();
    let forms: Vec<ClipboardForm> = offered.into_iter().filter_map(|form| form.read).collect();
    if forms.is_empty() {
        let loss = if too_large { ClipboardLoss::TooLarge } else { ClipboardLoss::Unread };
        return Before { saved: None, loss: Some(loss).filter(|_| !nothing_offered) };
    }
    let is_kept = |thing: &Thing| {
        *thing != Thing::Other && forms.iter().any(|form| Thing::of(&form.name) == *thing)
    };
    let is_part = !missing.iter().all(is_kept);
    let loss = is_part.then_some(ClipboardLoss::Part);
    Before { saved: Some(SavedClipboard { forms }), loss }
}

/// What a form is a form of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thing {
    PlainText,
    Picture,
    Other,
}

impl Thing {
    fn of(name: &str) -> Self {
        match name {
            "UTF8_STRING" | "STRING" | "TEXT" | "COMPOUND_TEXT" => Self::PlainText,
            name if name.starts_with("text/plain") => Self::PlainText,
            name if name.starts_with("image/") => Self::Picture,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn form(name: &str, is_read: bool, refused: bool) -> Offered {
        let name = name.to_owned();
        let read =
            ClipboardForm { kind: name.clone(), name: name.clone(), unit: 8, bytes: vec![1] };
        Offered { atom: 1, name, read: is_read.then_some(read), refused }
    }

    fn loss(offered: Vec<Offered>, too_large: bool) -> Option<ClipboardLoss> {
        before(offered, too_large).loss
    }

    #[test]
    fn a_loss_is_said_only_where_something_is_lost() {
        let (read, refused, missing) = ((true, false), (false, true), (false, false));
        let of = |forms: &[(&str, (bool, bool))], too_large| {
            let all = forms.iter().map(|(name, (is_read, refused))| form(name, *is_read, *refused));
            loss(all.collect(), too_large)
        };
        assert_eq!(of(&[], false), None);
        assert_eq!(of(&[("text/html", read), ("text/rtf", refused)], false), None);
        assert_eq!(of(&[("image/png", read), ("image/bmp", missing)], true), None);
        assert_eq!(of(&[("UTF8_STRING", read), ("TEXT", missing)], false), None);
        let part = Some(ClipboardLoss::Part);
        assert_eq!(of(&[("UTF8_STRING", read), ("text/html", missing)], true), part);
        assert_eq!(of(&[("text/rtf", read), ("text/html", missing)], false), part);
        assert_eq!(of(&[("image/bmp", missing)], true), Some(ClipboardLoss::TooLarge));
        assert_eq!(of(&[("image/bmp", missing)], false), Some(ClipboardLoss::Unread));
        assert_eq!(of(&[("image/bmp", refused)], false), Some(ClipboardLoss::Unread));
    }

    /// Gives every form but one, for which it lets the reader wait.
    struct SlowOwner {
        silent: Atom,
        is_over: bool,
        asked: RefCell<Vec<Atom>>,
    }

    impl SlowOwner {
        fn new(silent: Atom, is_over: bool) -> Self {
            Self { silent, is_over, asked: RefCell::default() }
        }
    }

    impl ClipboardOwner for SlowOwner {
        fn ask(&self, form: Atom, _: usize) -> Result<Answer, ScreenError> {
            self.asked.borrow_mut().push(form);
            let given = Answer::Given { kind: form, unit: 8, bytes: vec![1] };
            Ok(if form == self.silent { Answer::Silent } else { given })
        }

        fn name(&self, _: Atom) -> Option<String> {
            Some("a type".to_owned())
        }

        fn is_over(&self) -> bool {
            self.is_over
        }
    }

    fn kept(before: &Before) -> Vec<&str> {
        let forms = before.saved.iter().flat_map(|saved| &saved.forms);
        forms.map(|form| form.name.as_str()).collect()
    }

    #[test]
    fn a_slow_form_doesnt_cost_those_after_it() {
        let names = || {
            let names = [(1, "text/rtf"), (2, "image/png"), (3, "text/html")];
            names.map(|(atom, name)| (atom, name.to_owned())).to_vec()
        };
        let owner = SlowOwner::new(2, false);
        let before = read(&owner, names()).unwrap();
        assert_eq!(owner.asked.take(), [3, 2, 1]);
        assert_eq!(kept(&before), ["text/rtf", "text/html"]);
        assert_eq!(before.loss, Some(ClipboardLoss::Part));
        // Unless it has taken the time of all.
        let owner = SlowOwner::new(2, true);
        let before = read(&owner, names()).unwrap();
        assert_eq!(owner.asked.take(), [3, 2]);
        assert_eq!(kept(&before), ["text/html"]);
        assert_eq!(before.loss, Some(ClipboardLoss::Part));
    }
}
