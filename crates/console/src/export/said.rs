//! A session's chat as its exports have it: with the side that wrote each message, because anybody may take the
//! technician's name.

use engine::archive::Message;
use serde::Serialize;

use crate::{present::detail::chat, view::ChatLine};

/// What passes for the colon after a sender's name.
const COLONS: [char; 18] = [
    ':', '\u{2D0}', '\u{2F8}', '\u{589}', '\u{5C3}', '\u{703}', '\u{704}', '\u{903}', '\u{A83}',
    '\u{16EC}', '\u{1803}', '\u{205A}', '\u{2236}', '\u{A4FD}', '\u{A789}', '\u{FE13}', '\u{FE55}',
    '\u{FF1A}',
];
/// What passes for the parenthesis before a side.
const PARENTHESES: [char; 6] = ['(', '\u{207D}', '\u{2768}', '\u{27EE}', '\u{FE59}', '\u{FF08}'];
/// What passes for the quotation marks around a name.
const QUOTATION_MARKS: [char; 8] =
    ['"', '\u{2BA}', '\u{2DD}', '\u{201C}', '\u{201D}', '\u{201F}', '\u{2033}', '\u{FF02}'];

/// A message.
#[derive(Serialize)]
pub(super) struct Said {
    #[serde(flatten)]
    pub line: ChatLine,
}

/// The transcript's messages, with names and texts made harmless.
pub(super) fn said(transcript: &[Message]) -> Vec<Said> {
    chat(transcript).into_iter().map(|line| Said { line }).collect()
}

impl Said {
    /// Whose side wrote it; none where that isn't known.
    pub(super) fn side(&self) -> Option<&'static str> {
        self.line.side.map(<&'static str>::from)
    }

    /// The sender's name, and the side where it is known.
    pub(super) fn sender(&self) -> String {
        let name = quoted(&self.line.from);
        match self.side() {
            Some(side) => format!("{name} ({side})").trim_start().to_owned(),
            None => name,
        }
    }
}

/// A sender's name, in quotation marks where it could be taken for the name and a side or the beginning of a message.
fn quoted(name: &str) -> String {
    let misleads =
        |c| COLONS.contains(&c) || PARENTHESES.contains(&c) || QUOTATION_MARKS.contains(&c);
    match name.contains(misleads) {
        true => format!("\"{}\"", name.replace(QUOTATION_MARKS, "'")),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use engine::archive::Writer;

    use super::*;

    #[test]
    fn a_name_that_looks_like_the_beginning_of_a_message_is_quoted() {
        for name in ["Maria", "Zoë O'Neill", "桜井 翔", ""] {
            assert_eq!(quoted(name), name);
        }
        let name = "Technician: I \"agree\". Maria";
        assert_eq!(quoted(name), "\"Technician: I 'agree'. Maria\"");
        assert_eq!(quoted("Anna\u{201D}: yes"), "\"Anna': yes\"");
        for colon in ["\u{FF1A}", "\u{A789}", "\u{2236}", "\u{FE55}"] {
            let name = format!("Technician{colon} I agree");
            assert_eq!(quoted(&name), format!("\"{name}\""));
        }
        for name in ["Anna (technician)", "Anna \u{FF08}customer\u{FF09}"] {
            assert_eq!(quoted(name), format!("\"{name}\""));
        }
    }

    #[test]
    fn the_side_stands_after_the_name_and_outside_its_quotation_marks() {
        let sender = |subject: &str, writer| {
            let message = Message {
                guid: String::new(),
                at: session::Timestamp(0),
                subject: subject.into(),
                body: String::new(),
                writer,
            };
            said(&[message])[0].sender()
        };
        let (customer, console) = (Some(Writer::Customer), Some(Writer::Console));
        assert_eq!(sender("Anna", customer), "Anna (customer)");
        assert_eq!(sender("Anna", console), "Anna (technician)");
        assert_eq!(sender("Anna", None), "Anna");
        assert_eq!(sender("Anna: no", customer), "\"Anna: no\" (customer)");
        assert_eq!(sender("", customer), "(customer)");
    }
}
