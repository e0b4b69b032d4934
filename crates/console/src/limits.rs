//! The most that a person may enter, in one place: commands refuse more, and the window's fields take no more.
//!
//! Nothing that somebody entered is ever cut: what is too long is refused, and the limit is said.

use crate::{present::trouble, view::Trouble, words};

/// The most characters of a text, after hidden characters and doubled blanks are taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The name of the limit in the window's code.
    pub field: &'static str,
    /// What a person calls the text.
    pub what: &'static str,
    /// The most characters, or how many there may be at most.
    pub most: usize,
}

pub const CUSTOMER: Limit = Limit { field: "customer", what: "the customer's name", most: 200 };
pub const TICKET: Limit = Limit { field: "ticket", what: "the ticket", most: 200 };
pub const CONTACT: Limit = Limit { field: "contact", what: "the contact", most: 320 };
pub const NOTE: Limit = Limit { field: "note", what: "the note", most: 20_000 };
pub const TAG: Limit = Limit { field: "tag", what: "a tag", most: 40 };
pub const NICKNAME: Limit = Limit { field: "nickname", what: "the passkey's name", most: 64 };
pub const FILTER: Limit = Limit { field: "filter", what: "the filter", most: 200 };
pub const QUERY: Limit = Limit { field: "query", what: "the search", most: 1_000 };
/// The most words of a search: each is looked up, and a page of pasted text would take minutes.
const MOST_WORDS: usize = 64;
/// The most tags of one session.
pub const MOST_TAGS: usize = 20;

const ALL: [Limit; 8] = [CUSTOMER, TICKET, CONTACT, NOTE, TAG, NICKNAME, FILTER, QUERY];

impl Limit {
    /// `text` made harmless, on one line.
    ///
    /// # Errors
    /// [`crate::view::Code::BadInput`] if it is too long; `doing` says what was asked for.
    pub fn line(&self, doing: &str, text: &str) -> Result<String, Trouble> {
        self.fits(doing, words::plain(text, usize::MAX))
    }

    /// `text` made harmless, line by line.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn lines(&self, doing: &str, text: &str) -> Result<String, Trouble> {
        self.fits(doing, words::plain_lines(text, usize::MAX))
    }

    fn fits(&self, doing: &str, text: String) -> Result<String, Trouble> {
        let Self { what, most, .. } = self;
        let length = text.chars().count();
        if length <= *most {
            return Ok(text);
        }
        let problem =
            format!("{doing}: {what} has {length} characters, and at most {most} are kept");
        Err(trouble::bad_input(&problem, "shorten it"))
    }
}

/// Checks what was typed to search for.
///
/// # Errors
/// [`crate::view::Code::BadInput`] if it is too long, or has too many words.
pub fn query(typed: &str) -> Result<(), Trouble> {
    const DOING: &str = "search the archive";
    const REMEDY: &str = "search for a few rare words";
    let (length, words) = (typed.chars().count(), typed.split_whitespace().count());
    let (has, most) = match (length > QUERY.most, words > MOST_WORDS) {
        (true, _) => (format!("{length} characters"), QUERY.most),
        (false, true) => (format!("{words} words"), MOST_WORDS),
        (false, false) => return Ok(()),
    };
    let what = QUERY.what;
    Err(trouble::bad_input(
        &format!("{DOING}: {what} has {has}, and at most {most} are taken"),
        REMEDY,
    ))
}

/// The limits as the window's code has them.
pub(crate) fn typescript() -> String {
    let fields = ALL.iter().map(|limit| format!("  {}: {},\n", limit.field, limit.most));
    let fields = fields.collect::<String>();
    format!(
        "\n/** The most characters of what a person enters. */\nexport const LONGEST = {{\n{fields}}} as const;\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_pasted_text_is_not_searched_for() {
        for (typed, text) in [
            ("x".repeat(10_240), "the search has 10240 characters, and at most 1000 are"),
            ("a b ".repeat(33), "the search has 66 words, and at most 64 are"),
        ] {
            let refused = query(&typed).unwrap_err();
            assert_eq!(refused.text, format!("Search the archive: {text} taken."));
        }
        query(&"x".repeat(QUERY.most)).unwrap();
        query(&"a ".repeat(MOST_WORDS)).unwrap();
    }

    #[test]
    fn a_text_is_kept_whole_or_refused_with_its_limit() {
        let most = "打".repeat(TAG.most);
        assert_eq!(TAG.line("save the tags", &format!(" {most}\u{202E} ")).unwrap(), most);
        let refused = TAG.line("save the tags", &format!("{most}x")).unwrap_err();
        assert_eq!(
            refused.text,
            "Save the tags: a tag has 41 characters, and at most 40 are kept."
        );
        let lines = format!("{}\n", "x".repeat(NOTE.most - 1));
        assert_eq!(NOTE.lines("save the note", &lines).unwrap(), lines);
        assert!(NOTE.lines("save the note", &format!("{lines}x")).is_err());
    }
}
