//! What the windows say, in words alone.
//!
//! Names come from strangers, so what always holds: a name has no control character, turns no text around,
//! looks like a name wherever it stands, and never makes a sentence longer than a window.

use std::fmt;

use wire::screen::{Asker, Role};

use super::{Banner, Guest};

/// The most characters of a name that are shown.
const NAME: usize = 40;
/// The most characters of a host that are shown.
const HOST: usize = 120;
/// Around a name: whatever is in it, the text outside keeps its direction.
const ISOLATE: char = '\u{2068}';
const END_ISOLATE: char = '\u{2069}';

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// This program's own words.
    Plain(String),
    /// What somebody else calls themselves; it looks different from this program's own words.
    Name(String),
    /// Words to compare on the phone.
    Words(String),
}

/// Text whose names can be told from its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentence(pub Vec<Part>);

impl Sentence {
    fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Plain(text.into()));
        self
    }

    fn name(mut self, name: &str) -> Self {
        let name = name_of(name).unwrap_or_else(|| "Somebody".to_owned());
        self.0.push(Part::Name(format!("{ISOLATE}{name}{END_ISOLATE}")));
        self
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            let (Part::Plain(text) | Part::Name(text) | Part::Words(text)) = part;
            f.write_str(&text.replace([ISOLATE, END_ISOLATE], ""))?;
        }
        Ok(())
    }
}

/// Who asks for what, as far as it is known.
pub fn asks(asker: &Asker) -> Sentence {
    let said = Sentence::default();
    match (name_of(&asker.technician), name_of(&asker.company)) {
        (None, None) => {
            return said.plain(
                "Somebody who gave you a session PIN asks to see and control this computer. Who it is is not known to this program: ask them.",
            );
        }
        (Some(technician), None) => said.name(&technician),
        (None, Some(company)) => said.plain("Somebody from ").name(&company),
        (Some(technician), Some(company)) => said.name(&technician).plain(" from ").name(&company),
    }
    .plain(" wants to see and control this computer")
}

/// Who watches and who controls, with at most `named` of them by name.
pub fn watched(banner: &Banner, named: usize) -> Sentence {
    let said = Sentence::default();
    if banner.reconnecting {
        return said
            .plain("The connection was lost. Trying again; nobody sees your screen meanwhile");
    }
    let paused = if banner.paused { said.plain("Control is paused · ") } else { said };
    if banner.guests.is_empty() {
        return paused.plain("Nobody is watching right now");
    }
    let (control, watch): (Vec<&Guest>, Vec<&Guest>) =
        banner.guests.iter().partition(|guest| guest.role == Role::Control && !banner.paused);
    let said = group(paused, &control, named, ["controls this computer", "control this computer"]);
    let verbs = match (control.is_empty(), banner.paused) {
        (true, false) => ["watches this screen", "watch this screen"],
        (true, true) | (false, _) => ["watches", "watch"],
    };
    let said = if control.is_empty() || watch.is_empty() { said } else { said.plain(" · ") };
    group(said, &watch, named.saturating_sub(control.len()), verbs)
}

/// "Anna, Ben and 3 more watch": nothing for nobody.
fn group(said: Sentence, guests: &[&Guest], named: usize, verbs: [&str; 2]) -> Sentence {
    let Some(last) = guests.len().checked_sub(1) else { return said };
    let named = named.min(guests.len());
    let more = guests.len() - named;
    let said = guests[..named].iter().enumerate().fold(said, |said, (i, guest)| {
        let said = match i {
            0 => said,
            _ if i == last => said.plain(" and "),
            _ => said.plain(", "),
        };
        said.name(&guest.name)
    });
    let said = match (more, named) {
        (0, _) => said,
        (more, 0) => said.plain(format!("{more} more")),
        (more, _) => said.plain(format!(" and {more} more")),
    };
    said.plain(format!(" {}", verbs[usize::from(last > 0)]))
}

/// The words to compare: of each guest whose stream has some, those who control first.
pub fn words(banner: &Banner) -> Vec<Sentence> {
    if banner.reconnecting {
        return Vec::new();
    }
    let alone = banner.guests.len() == 1;
    let of = |role| {
        let guests = banner.guests.iter().filter(move |guest| guest.role == role);
        guests.filter_map(move |guest| {
            let said = Sentence::default();
            let words = Part::Words(text_of(guest.words.as_deref()?, NAME * 2));
            let mut said = if alone { said } else { said.name(&guest.name).plain(": ") };
            said.0.push(words);
            Some(said)
        })
    };
    of(Role::Control).chain(of(Role::Watch)).collect()
}

/// A notice or a sentence of this program, which may have names in it.
pub fn told(text: &str) -> String {
    text_of(text, 600)
}

/// A host, as it may be shown.
pub fn host(host: &str) -> String {
    text_of(host, HOST)
}

/// A PIN, as it may be shown.
pub fn pin(pin: &str) -> String {
    text_of(pin, 24)
}

/// A stranger's name, as it may be shown; none if nothing of it can be seen.
fn name_of(raw: &str) -> Option<String> {
    let name = text_of(raw, NAME);
    (!name.is_empty()).then_some(name)
}

/// One line of at most `most` characters, without what is not seen or turns text around.
fn text_of(raw: &str, most: usize) -> String {
    // Bounded before anything is done with it: it may be as long as a message.
    let seen = raw.chars().take(most * 8).filter(|&c| !hidden(c));
    let spaced: String = seen.map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Whether a character shows nothing of its own: direction, fillers, tags, what joins nothing.
/// The joiners stay: Persian and many Indian names can't be written without them.
fn hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guest(name: &str, role: Role) -> Guest {
        Guest { name: name.to_owned(), role, words: None }
    }

    fn banner(guests: Vec<Guest>) -> Banner {
        Banner { guests, ..Banner::default() }
    }

    fn asker(technician: &str, company: &str) -> Asker {
        Asker { technician: technician.to_owned(), company: company.to_owned() }
    }

    #[test]
    fn says_who_asks_and_that_nobody_is_known() {
        let said = |technician, company| asks(&asker(technician, company)).to_string();
        assert_eq!(
            said("Anna Kim", "Example Support"),
            "Anna Kim from Example Support wants to see and control this computer"
        );
        assert_eq!(said("Anna Kim", ""), "Anna Kim wants to see and control this computer");
        assert_eq!(
            said(" ", "Example Support"),
            "Somebody from Example Support wants to see and control this computer"
        );
        assert!(
            said("\u{202e}\u{200b}", "").starts_with("Somebody who gave you a session PIN asks")
        );
    }

    #[test]
    fn says_who_controls_and_who_watches() {
        let (anna, ben) = (guest("Anna Kim", Role::Control), guest("Ben", Role::Watch));
        let both = banner(vec![ben.clone(), anna.clone()]);
        let said = |banner: &Banner| watched(banner, 9).to_string();
        assert_eq!(said(&both), "Anna Kim controls this computer · Ben watches");
        assert_eq!(said(&banner(vec![ben])), "Ben watches this screen");
        assert_eq!(
            said(&banner(vec![guest("", Role::Control)])),
            "Somebody controls this computer"
        );
        assert_eq!(said(&banner(vec![])), "Nobody is watching right now");
        let paused = Banner { paused: true, ..both.clone() };
        assert_eq!(said(&paused), "Control is paused · Ben and Anna Kim watch");
        let lost = Banner { reconnecting: true, ..both };
        assert!(said(&lost).starts_with("The connection was lost. Trying again"));
    }

    #[test]
    fn counts_whom_it_does_not_name() {
        let many = (0..9).map(|i| guest(&format!("G{i}"), Role::Watch));
        let anna = std::iter::once(guest("Anna", Role::Control));
        let many = banner(many.chain(anna).collect());
        let said = |named| watched(&many, named).to_string();
        assert_eq!(said(1), "Anna controls this computer · 9 more watch");
        assert_eq!(said(3), "Anna controls this computer · G0, G1 and 7 more watch");
    }

    #[test]
    fn shows_the_words_of_those_who_have_some() {
        let mut anna = guest("Anna", Role::Control);
        anna.words = Some("maple otter thunder".to_owned());
        let said =
            |banner: &Banner| words(banner).iter().map(Sentence::to_string).collect::<Vec<_>>();
        assert_eq!(said(&banner(vec![anna.clone()])), ["maple otter thunder"]);
        let mut ben = guest("Ben", Role::Watch);
        assert!(said(&banner(vec![ben.clone()])).is_empty());
        ben.words = Some("lemon river stone".to_owned());
        let both = banner(vec![ben, anna]);
        assert_eq!(said(&both), ["Anna: maple otter thunder", "Ben: lemon river stone"]);
        assert!(said(&Banner { reconnecting: true, ..both }).is_empty());
    }

    #[test]
    fn a_name_turns_nothing_around_and_stays_short() {
        assert_eq!(
            name_of("Anna\u{202e}\u{2066} miK\n\tEvil\u{0}"),
            Some("Anna miK Evil".to_owned())
        );
        assert_eq!(name_of("\u{3164}\u{2800}\u{feff} "), None);
        let long = name_of(&"Anna ".repeat(100_000)).unwrap();
        assert!(long.chars().count() <= NAME && long.ends_with('…'), "{long}");
        assert_eq!(name_of("محمد"), Some("محمد".to_owned()));
    }

    proptest! {
        #[test]
        fn every_name_is_one_short_line_of_what_is_seen(raw in ".{0,200}") {
            if let Some(name) = name_of(&raw) {
                prop_assert!(name.chars().count() <= NAME);
                prop_assert!(!name.chars().any(|c| c.is_control() || hidden(c)));
            }
        }
    }
}
