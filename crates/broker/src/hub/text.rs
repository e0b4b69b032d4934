//! Text from strangers: what may be shown as a name, as a message, or in an e-mail.

use wire::text::is_hidden;

use super::refusal::Refused;

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 64;
/// The longest chat message, in characters.
pub const LONGEST_MESSAGE: usize = 2_000;
/// What ends a line beside a line feed.
const LINE_ENDS: [char; 6] = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

/// A name as a page shows it: without control and bidirectional characters, cut to [`LONGEST_NAME`].
pub fn tidy_name(raw: &str) -> String {
    // Joiners shape the letters between which they stand, and are nothing to see by themselves.
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '\u{200c}' | '\u{200d}');
    let visible: String = raw.chars().filter(|&c| !is_hidden(c)).collect();
    let cut: String = visible.trim_matches(is_blank).chars().take(LONGEST_NAME).collect();
    // Trimmed twice, since the cut may leave a space at the end.
    cut.trim_end_matches(is_blank).to_owned()
}

/// A message as it is stored: with its line breaks, without other control and bidirectional characters; `None` if
/// nothing is left or it is too long.
pub fn tidy_message(raw: &str) -> Option<String> {
    let lines = raw.replace("\r\n", "\n").replace(LINE_ENDS, "\n");
    let visible: String =
        lines.chars().filter(|&c| c == '\n' || c == '\t' || !is_hidden(c)).collect();
    let text = visible.trim();
    let fits = !text.is_empty() && text.chars().count() <= LONGEST_MESSAGE;
    fits.then(|| text.to_owned())
}

/// Why a message was refused that [`tidy_message`] left nothing of.
pub(crate) fn bad_message() -> Refused {
    Refused::malformed("a message has 1 to 2000 characters")
}

/// Why a name may not be used in an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    #[error("the name has more than {LONGEST_NAME} characters")]
    TooLong,
    /// It could end its line and begin a header of its own.
    #[error("the name has control characters in it")]
    Control,
    /// The broker would send advertisements.
    #[error("the name has a web address in it")]
    Link,
}

/// A name that may be used in an e-mail to somebody who didn't ask for one.
///
/// # Errors
/// [`NameRefused`]: it is refused and not repaired, so that the sender learns of it.
pub fn mail_name(raw: &str) -> Result<&str, NameRefused> {
    let name = raw.trim();
    if name.chars().count() > LONGEST_NAME {
        return Err(NameRefused::TooLong);
    }
    if name.chars().any(is_hidden) {
        return Err(NameRefused::Control);
    }
    if looks_like_link(name) { Err(NameRefused::Link) } else { Ok(name) }
}

/// Whether mail programs would make a link of a part of it.
fn looks_like_link(name: &str) -> bool {
    let lower = name.to_lowercase();
    // "word.tld", but not "J. Okafor" or "Dr. Lopez", whose dots end a word.
    let dotted = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.rsplit_once('.').is_some_and(|(head, tld)| {
            let letters = tld.chars().all(char::is_alphabetic) && tld.chars().count() >= 2;
            letters && head.chars().count() >= 2
        })
    };
    ["://", "www.", "http:", "https:", "mailto:"].iter().any(|mark| lower.contains(mark))
        || lower.split_whitespace().any(dotted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lose_what_nobody_can_see() {
        assert_eq!(tidy_name("  Ma\u{202e}ria\r\n "), "Maria");
        assert_eq!(tidy_name("\u{200d} \u{200c}"), "");
        assert_eq!(tidy_name("می\u{200c}خواهم"), "می\u{200c}خواهم");
        assert_eq!(tidy_name(&"x".repeat(99)).len(), LONGEST_NAME);
    }

    #[test]
    fn a_mail_takes_ordinary_names() {
        for fine in [
            "John",
            "Dr. Maria Lopez",
            "J. Okafor, Accounts",
            "Åsa-Lena O'Neil",
            "space man@¿",
            "Reception / 2",
        ] {
            assert_eq!(mail_name(fine), Ok(fine));
        }
    }

    #[test]
    fn a_mail_takes_no_link_no_header_and_no_novel() {
        for link in ["http://evil.example", "visit evil.example now", "www.evil", "a@b.example"] {
            assert_eq!(mail_name(link), Err(NameRefused::Link), "{link}");
        }
        assert_eq!(mail_name("A\r\nBcc: b"), Err(NameRefused::Control));
        assert_eq!(mail_name(&"x".repeat(65)), Err(NameRefused::TooLong));
    }

    #[test]
    fn messages_keep_their_lines_and_have_an_end() {
        assert_eq!(tidy_message(" a\nb\u{7} "), Some("a\nb".into()));
        for line_end in LINE_ENDS {
            assert_eq!(tidy_message(&format!("a{line_end}b")), Some("a\nb".into()));
        }
        assert_eq!(tidy_message("a\r\nb"), Some("a\nb".into()));
        for whole in ["می\u{200c}خواهم", "👩\u{200d}👧", "क\u{94d}\u{200d}ष"] {
            assert_eq!(
                tidy_message(whole).as_deref(),
                Some(whole),
                "joiners belong to what is read"
            );
        }
        assert_eq!(tidy_message(" \n "), None);
        assert_eq!(tidy_message(&"x".repeat(LONGEST_MESSAGE + 1)), None);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_tidied_names_stay_as_they_are(text in "\\PC{0,200}|.{0,80}") {
            let name = tidy_name(&text);
            prop_assert_eq!(tidy_name(&name), name);
            let _ = (tidy_message(&text), mail_name(&text));
        }
    }
}
