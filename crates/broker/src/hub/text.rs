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
    /// The broker would send advertisements, and lead people astray in the name of whoever runs it.
    #[error(
        "the name has something in it that can be taken for an address, a number to call or an order, or a \
         character that names don't have; use a plain name, with a space after each dot"
    )]
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

/// What stands in names beside letters, digits and dots.
const NAME_MARKS: &str = " ',-&()/+@`";
/// More digits than this look like a number to call.
const MOST_DIGITS: usize = 4;
/// What a person is told to do, and no name.
const ORDERS: [&str; 6] = ["go to", "goto", "click here", "log in", "login", "sign in"];

/// Whether a mail program could make a link of a part of it, or a person an address to go to.
///
/// Strict, since it is easier to write a name in another way than to know all ways to write an address.
fn looks_like_link(name: &str) -> bool {
    // Joiners are nothing to see between a letter and a dot.
    let seen = name.chars().map(as_ascii).filter(|c| !matches!(c, '\u{200c}' | '\u{200d}'));
    let seen: Vec<char> = seen.flat_map(char::to_lowercase).collect();
    let words: Vec<String> = seen
        .split(|c| !is_letter(*c))
        .filter(|word| !word.is_empty())
        .map(String::from_iter)
        .collect();
    let spelled = format!(" {} ", words.join(" "));
    let digits = seen.iter().filter(|c| c.is_numeric()).count();
    let is_odd = |c: &char| !is_letter(*c) && *c != '.' && !NAME_MARKS.contains(*c) && c.is_ascii();
    seen.iter().any(is_odd)
        || digits > MOST_DIGITS
        || (0..seen.len()).any(|at| joins_an_address(&seen, at))
        || ORDERS.iter().any(|order| spelled.contains(&format!(" {order} ")))
        || spelled.split(" dot ").filter(|part| !part.trim().is_empty()).count() > 1
        || words.iter().any(|word| ["www", "http", "https", "mailto"].contains(&word.as_str()))
}

/// Part of a word: also what changes a letter in scripts other than Latin.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || !(c.is_ascii() || c.is_whitespace())
}

/// The ASCII character that browsers and mail programs take this one for.
fn as_ascii(c: char) -> char {
    match c {
        // The full-width forms of all of ASCII.
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c)
        }
        '\u{2024}' | '\u{3002}' | '\u{ff61}' | '\u{fe52}' | '\u{fe12}' => '.',
        // Not the middle dot, which is a letter's in Catalan.
        '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{6d4}' | '\u{701}' | '\u{a4f8}' => '.',
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        '\u{2236}' | '\u{fe55}' | '\u{a789}' => ':',
        '\u{fe6b}' => '@',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// How many letters the last part of most addresses has.
const DOMAIN_END: std::ops::RangeInclusive<usize> = 2..=4;

/// Whether the character at this place is a dot, a slash or an `@` as addresses have it: between letters, or after a space.
/// "Dr. Lopez" and "J.R. Smith" have none.
fn joins_an_address(text: &[char], at: usize) -> bool {
    let letter =
        |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|c| c.is_alphanumeric());
    let (before, after) = (at.checked_sub(1), Some(at + 1));
    match text[at] {
        '@' => letter(before) && letter(after),
        '.' if letter(after) => {
            let initial = letter(before) && !letter(at.checked_sub(2)) && !letter(Some(at + 2));
            !initial || text[at + 1].is_numeric()
        }
        // "bit . ly" and "bit. ly"; else a dot at the end of a word is only a dot.
        '.' => {
            let apart = before.is_some_and(|before| text[before] == ' ') && at + 1 < text.len();
            apart || is_domain_end(text[at + 1..].iter().copied().skip_while(|c| *c == ' '))
        }
        // "evil com/pay"
        '/' if letter(after) => {
            let word = text[..at].iter().rev().take_while(|c| c.is_ascii_lowercase()).count();
            let stands_alone =
                at.checked_sub(word + 1).is_some_and(|before| [' ', '.'].contains(&text[before]));
            DOMAIN_END.contains(&word) && stands_alone
        }
        _ => false,
    }
}

/// Whether this begins as the last part of an address does, up to its path or the end: "ly/3xQz9", "com".
fn is_domain_end(mut text: impl Iterator<Item = char>) -> bool {
    let mut length = 0;
    loop {
        match text.next() {
            Some(c) if c.is_ascii_lowercase() => length += 1,
            None | Some('/') => return DOMAIN_END.contains(&length),
            Some(_) => return false,
        }
    }
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
            "IT/Support",
            "Anna L. Okafor",
            "Dr. J.R. Smith",
            "Müller & Söhne (Support)",
            "O’Brien-Núñez",
            "Jose\u{301} Go",
            "दीपक शर्मा",
            "山田・太郎 2",
            "می\u{200c}خواهم",
            "St. Mary's, Ward 12",
            "Gal·la Puig",
            "Anna L.",
            "Ltd.",
        ] {
            assert_eq!(mail_name(fine), Ok(fine));
        }
    }

    #[test]
    fn a_mail_takes_no_link_no_header_and_no_novel() {
        for link in [
            "http://evil.example",
            "visit evil.example now",
            "www.evil",
            "a@b.example",
            "PC infected! Go to bit.ly/3xQz9",
            "evil.com/pay",
            "t.co/x",
            "x.com",
            "call 0800 1234567",
            "1.2.3.4/pay",
            "10.0.0.1",
            "evil。com",
            "evil•com",
            "evil∙com",
            "evil‧com",
            "evil۔com",
            "evil܁com",
            "evilꓸcom",
            "evil︒com",
            "ｅｖｉｌ．ｃｏｍ",
            "bit . ly",
            "bit .ly",
            "bit. ly/3xQz9",
            "evil. com/pay",
            "evil com/pay",
            "Go on at evil.  com",
            "bit[.]ly",
            "evil dot com",
            "evil\u{200d}.com",
            "evil\u{301}.com",
            "evil.\u{200d}com",
            "javascript:alert",
            "go to evil",
            "Go  to: evil",
            "a@b",
            "<b>Anna</b>",
            "[Anna](evil)",
            "दीपक्.com",
            "evil．com／pay",
            "münchen.example",
            "例え.テスト",
        ] {
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
