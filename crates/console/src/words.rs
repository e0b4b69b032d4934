//! Texts for people: the spelling alphabet, times of day, links and addresses. All pure.
//!
//! The session crate makes strangers' texts harmless, since it also declares the events' texts.

use jiff::{Timestamp as Moment, tz::TimeZone};
use session::Timestamp;
use session::text::is_hidden;
pub use session::text::{LONGEST_NAME, capital, count, plain, size};

/// The longest e-mail address, in characters: 64 before the sign, 253 after it.
pub const LONGEST_ADDRESS: usize = 320;

/// Whether this is the name of the program itself, however it is spaced: in records it stands for what nobody asked
/// for, so no person has it.
pub fn is_programs_name(name: &str) -> bool {
    let letters: String = plain(name, LONGEST_NAME).split_whitespace().collect();
    letters.to_lowercase() == "deskhand"
}

/// A text of several lines made harmless: line breaks and tabs stay.
pub fn plain_lines(text: &str, most: usize) -> String {
    let unified = text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    unified.chars().filter(|&c| matches!(c, '\n' | '\t') || !is_hidden(c)).take(most).collect()
}

/// `text` on one line with blanks for hidden characters, so that UTF-16 offsets into it stay right.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || is_hidden(c) {
            // As many as the character has UTF-16 units: the window counts offsets in these.
            out.extend(std::iter::repeat_n(' ', c.len_utf16()));
        } else {
            out.push(c);
        }
    }
    out
}

/// A PIN to read out by phone, one word for each character.
pub fn spelled(pin: &str) -> Vec<String> {
    pin.chars().map(|c| spell(c).map_or_else(|| c.to_string(), str::to_owned)).collect()
}

/// The NATO spelling alphabet.
fn spell(c: char) -> Option<&'static str> {
    const LETTERS: [&str; 26] = [
        "Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India",
        "Juliett", "Kilo", "Lima", "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo",
        "Sierra", "Tango", "Uniform", "Victor", "Whiskey", "X-ray", "Yankee", "Zulu",
    ];
    const DIGITS: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    match c {
        'A'..='Z' => LETTERS.get(usize::from(c as u8 - b'A')).copied(),
        '0'..='9' => DIGITS.get(usize::from(c as u8 - b'0')).copied(),
        '-' => Some("dash"),
        _ => None,
    }
}

/// A link from its template; `{pin}` (or `{PIN}`) stands for the PIN.
pub fn fill_pin(template: &str, pin: &str) -> String {
    template.replace("{pin}", pin).replace("{PIN}", pin)
}

/// The time of day, such as `14:03`; another day's with its date.
pub fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (zoned(at, zone), zoned(now, zone));
    let format = if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    at.strftime(format).to_string()
}

/// The day, such as `2026-11-22`.
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%d").to_string()
}

/// Date and time to the second with their offset, as RFC 3339 has them: `2026-11-22T14:03:07+01:00`.
pub fn date_and_time(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn zoned(at: Timestamp, zone: &TimeZone) -> jiff::Zoned {
    Moment::from_millisecond(at.0).unwrap_or(Moment::UNIX_EPOCH).to_zoned(zone.clone())
}

/// A point in time for a file's name, as the clock on the wall showed it.
pub fn time_in_a_file_name(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%d-%H-%M-%S").to_string()
}

/// `text` in characters that every file system accepts; empty if it has none of them.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().take(60) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_strangers_name_loses_what_could_disguise_it() {
        assert_eq!(plain("  Maria\u{202E}\r\n Lopez\u{200B}\u{7}\u{2066} ", 80), "Maria Lopez");
        assert_eq!(plain("\u{202E}", 80), "");
        assert_eq!(plain("<b>Zoë</b> 🧑‍💻", 80), "<b>Zoë</b> 🧑‍💻");
        assert_eq!(plain(&"x".repeat(200), LONGEST_NAME).len(), LONGEST_NAME);
    }

    #[test]
    fn the_programs_own_name_is_known_however_it_is_spaced() {
        for own in ["Deskhand", " deskHAND\u{200B}", "Desk\u{a0}hand", "D E S K H A N D"] {
            assert!(is_programs_name(own), "{own}");
        }
        for other in ["", "Deskhand Ltd", "Dieskhand", "Anna Deskhand"] {
            assert!(!is_programs_name(other), "{other}");
        }
    }

    #[test]
    fn a_time_in_a_file_name_claims_no_other_offset() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(time_in_a_file_name(Timestamp(1_795_000_000_000), &zone), "2026-11-18-13-06-40");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(plain_lines("a\r\nb\u{2028}c\td\u{202E}", 100), "a\nb\nc\td");
    }

    #[test]
    fn offsets_into_a_masked_text_stay_right() {
        let text = "a\u{202E}b\n\u{E0041}😀c";
        let masked = masked(text);
        assert_eq!(masked, "a b   😀c");
        assert_eq!(masked.encode_utf16().count(), text.encode_utf16().count());
    }

    #[test]
    fn spells_a_pin_for_the_phone() {
        assert_eq!(spelled("7W2-9")[..], ["seven", "Whiskey", "two", "dash", "nine"]);
    }

    #[test]
    fn a_size_is_told_in_the_unit_that_fits() {
        assert_eq!([640, 12_345, 12_345_678].map(size), ["640 B", "12 kB", "12.3 MB"]);
        assert_eq!(size(999_600), "1.0 MB");
    }

    #[test]
    fn a_slug_leads_nowhere_and_hides_nothing() {
        assert_eq!(slug("../Maria  Lopez (2).txt/"), "Maria-Lopez-2-txt");
        assert_eq!(slug("\u{202E}.."), "");
    }

    #[test]
    fn says_the_date_only_of_another_day() {
        let zone = TimeZone::UTC;
        let now = Timestamp(1_700_000_000_000);
        assert_eq!(clock(now, now, &zone), "22:13");
        assert_eq!(clock(Timestamp(now.0 - 86_400_000), now, &zone), "2023-11-13 22:13");
    }

    #[test]
    fn a_time_has_its_offset() {
        let at = Timestamp(1_700_000_000_000);
        assert_eq!(date_and_time(at, &TimeZone::UTC), "2023-11-14T22:13:20+00:00");
        let zone = TimeZone::fixed(jiff::tz::offset(-4));
        assert_eq!(date_and_time(at, &zone), "2023-11-14T18:13:20-04:00");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in "\\PC{0,60}|.{0,60}", most in 0usize..50) {
            let clean = plain(&text, most);
            prop_assert!(clean.chars().count() <= most);
            prop_assert!(!clean.chars().any(is_hidden));
            prop_assert_eq!(plain(&clean, most), clean.clone());
            let _ = (plain_lines(&text, most), spelled(&text));
        }
    }
}
