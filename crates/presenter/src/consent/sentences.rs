//! The sentences in the windows.
//!
//! Names come from strangers, so a name never contains a control character, never changes the
//! direction of text, always looks different from the program's own words, and always fits into
//! a window.

use wire::shared_screen::{Requester, Role};

use super::sentence::{Part, Sentence, cut};
use super::{Banner, ClipboardState, Newcomer, Viewer};

/// The most characters of a name that are shown.
// Somebody else chose names and hosts: a long one must not push out of the window what the customer
// has to read before agreeing.
const NAME: usize = 40;
/// The most characters of a host that are shown.
const HOST: usize = 120;
impl Sentence {
    fn name(self, name: &str) -> Self {
        self.cleaned_name(&name_of(name).unwrap_or_else(|| "Somebody".to_owned()))
    }
}

/// The sentence that names the person who requests the screen, if known.
pub fn asks(requester: &Requester) -> Sentence {
    let sentence = Sentence::default();
    match (name_of(&requester.technician), name_of(&requester.company)) {
        (None, None) => {
            return sentence.plain(
                "Somebody who gave you a session PIN asks to see and control this computer. Who it is is not known to this program: ask them.",
            );
        }
        (Some(technician), None) => sentence.name(&technician),
        (None, Some(company)) => sentence.plain("Somebody from ").name(&company),
        (Some(technician), Some(company)) => sentence.name(&technician).plain(" from ").name(&company),
    }
    .plain(" wants to see and control this computer")
}

/// The sentence about the viewers who watch and control, with at most `named` of their names.
pub fn watched(banner: &Banner, named: usize) -> Sentence {
    let sentence = Sentence::default();
    if banner.reconnecting {
        return sentence
            .plain("The connection was lost. Trying again; nobody sees your screen meanwhile");
    }
    let paused = if banner.paused { sentence.plain("Control is paused").pause() } else { sentence };
    if banner.viewers.is_empty() {
        return paused.plain("Nobody is watching right now");
    }
    let (control, watch): (Vec<&Viewer>, Vec<&Viewer>) =
        banner.viewers.iter().partition(|viewer| viewer.role == Role::Control && !banner.paused);
    let sentence =
        group(paused, &control, named, ["controls this computer", "control this computer"]);
    let verbs = match (control.is_empty(), banner.paused) {
        (true, false) => ["watches this screen", "watch this screen"],
        (true, true) | (false, _) => ["watches", "watch"],
    };
    let sentence = if control.is_empty() || watch.is_empty() { sentence } else { sentence.pause() };
    group(sentence, &watch, named.saturating_sub(control.len()), verbs)
}

/// Adds something like "Anna, Ben and 3 more watch"; nothing if there are no viewers.
fn group(sentence: Sentence, viewers: &[&Viewer], named: usize, verbs: [&str; 2]) -> Sentence {
    let Some(last) = viewers.len().checked_sub(1) else { return sentence };
    let named = named.min(viewers.len());
    let more = viewers.len() - named;
    let sentence = viewers[..named].iter().enumerate().fold(sentence, |sentence, (i, viewer)| {
        let sentence = match i {
            0 => sentence,
            _ if i == last => sentence.plain(" and "),
            _ => sentence.plain(", "),
        };
        sentence.name(&viewer.name)
    });
    let sentence = match (more, named) {
        (0, _) => sentence,
        (more, 0) => sentence.plain(format!("{more} more")),
        (more, _) => sentence.plain(format!(" and {more} more")),
    };
    sentence.plain(format!(" {}", verbs[usize::from(last > 0)]))
}

/// What sharing means, for the question.
pub const fn means(clipboard: bool) -> &'static str {
    if clipboard {
        "They will see everything on this screen, and may type, click and put texts and pictures on your clipboard. What you copy stays here until you send it. You can pause their control, or stop, at any time. Viewers that use a web page, where whoever runs the server could see the screen, wait until you let them in."
    } else {
        "They will see everything on this screen, and may type and click. The clipboard is not shared. You can pause their control, or stop, at any time. Viewers that use a web page, where whoever runs the server could see the screen, wait until you let them in."
    }
}

/// The line about the clipboard in the banner, if there is something to say.
pub fn clipboard(banner: &Banner) -> Option<Sentence> {
    let sentence = Sentence::default();
    match &banner.clipboard {
        ClipboardState::Kept => None,
        ClipboardState::Asked { by, .. } => {
            Some(sentence.name(by).plain(" asks for what you copied"))
        }
        ClipboardState::Shared => Some(sentence.plain("What you copy goes to those who control")),
    }
}

/// The words to compare, for each viewer whose stream is encrypted, controllers first.
pub fn words(banner: &Banner) -> Vec<Sentence> {
    if banner.reconnecting {
        return Vec::new();
    }
    let alone = banner.viewers.len() == 1;
    let of = |role| {
        let viewers = banner.viewers.iter().filter(move |viewer| viewer.role == role);
        viewers.filter_map(move |viewer| {
            let sentence = Sentence::default();
            let words = Part::Words(text_of(viewer.words.as_deref()?, NAME * 2));
            let mut sentence =
                if alone { sentence } else { sentence.name(&viewer.name).plain(": ") };
            sentence.0.push(words);
            Some(sentence)
        })
    };
    of(Role::Control).chain(of(Role::Watch)).collect()
}

/// Whose stream the server could read, if anybody's is so.
pub fn unsealed(banner: &Banner) -> Option<Sentence> {
    let open: Vec<_> = banner.viewers.iter().filter(|viewer| viewer.words.is_none()).collect();
    if open.is_empty() || banner.reconnecting {
        return None;
    }
    let sentence = match &open[..] {
        [one] => Sentence::default().name(&one.name).plain(" uses a web page"),
        _ => Sentence::default().plain(format!("{} people use a web page", open.len())),
    };
    Some(sentence.plain(if banner.open_to_readers {
        ": whoever runs the server, and anybody on the way, can see the screen, since the connection isn't encrypted"
    } else {
        ": whoever runs the server can see the screen"
    }))
}

/// Asks whether a viewer is to be let in.
pub fn lets_in(newcomer: &Newcomer) -> Sentence {
    let wants = match newcomer.role {
        Role::Control => "see and control this computer",
        Role::Watch => "see this screen",
    };
    let sentence = Sentence::default().name(&newcomer.name);
    let sentence = if newcomer.invited {
        sentence.plain(format!(" wants to {wants}"))
    } else {
        sentence.plain(format!(" knows only the PIN and wants to {wants}"))
    };
    let sentence = if newcomer.sealed {
        sentence
    } else {
        sentence.plain(". They use a web page: whoever runs the server could see the screen")
    };
    sentence.plain(". Let them in only if you expect them.")
}

/// A notice, cleaned because it may contain a stranger's name.
pub fn notice(text: &str) -> String {
    text_of(text, 600)
}

/// A host, cleaned and cut to a length that fits.
pub fn host(host: &str) -> String {
    text_of(host, HOST)
}

/// A PIN, cleaned.
pub fn pin(pin: &str) -> String {
    text_of(pin, 24)
}

/// A stranger's name, cleaned; `None` if no visible character is left.
fn name_of(raw: &str) -> Option<String> {
    let name = text_of(raw, NAME);
    (!name.is_empty()).then_some(name)
}

/// One line of at most `most` characters, without invisible characters and without those that
/// change the direction.
fn text_of(raw: &str, most: usize) -> String {
    // The text is cut first, because a stranger's text may be as long as a message.
    let seen = raw.chars().take(most * 8).filter(|&c| !is_invisible(c));
    let spaced: String = seen.map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, most)
}

/// Whether a character is invisible: direction marks, fillers, tags. The joiners don't count:
/// Persian and many Indian names can't be written without them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn viewer(name: &str, role: Role) -> Viewer {
        Viewer { name: name.to_owned(), role, words: None }
    }

    fn banner(viewers: Vec<Viewer>) -> Banner {
        Banner { viewers, ..Banner::default() }
    }

    fn requester(technician: &str, company: &str) -> Requester {
        Requester { technician: technician.to_owned(), company: company.to_owned() }
    }

    #[test]
    fn says_who_asks_and_that_nobody_is_known() {
        let sentence = |technician, company| asks(&requester(technician, company)).to_string();
        assert_eq!(
            sentence("Anna Kim", "Example Support"),
            "Anna Kim from Example Support wants to see and control this computer"
        );
        assert_eq!(sentence("Anna Kim", ""), "Anna Kim wants to see and control this computer");
        assert_eq!(
            sentence(" ", "Example Support"),
            "Somebody from Example Support wants to see and control this computer"
        );
        assert!(
            sentence("\u{202e}\u{200b}", "")
                .starts_with("Somebody who gave you a session PIN asks")
        );
    }

    #[test]
    fn says_who_controls_and_who_watches() {
        let (anna, ben) = (viewer("Anna Kim", Role::Control), viewer("Ben", Role::Watch));
        let both = banner(vec![ben.clone(), anna.clone()]);
        let sentence = |banner: &Banner| watched(banner, 9).to_string();
        assert_eq!(sentence(&both), "Anna Kim controls this computer · Ben watches");
        assert_eq!(sentence(&banner(vec![ben])), "Ben watches this screen");
        assert_eq!(
            sentence(&banner(vec![viewer("", Role::Control)])),
            "Somebody controls this computer"
        );
        assert_eq!(sentence(&banner(vec![])), "Nobody is watching right now");
        let paused = Banner { paused: true, ..both.clone() };
        assert_eq!(sentence(&paused), "Control is paused · Ben and Anna Kim watch");
        let lost = Banner { reconnecting: true, ..both };
        assert!(sentence(&lost).starts_with("The connection was lost. Trying again"));
    }

    #[test]
    fn says_where_what_is_copied_goes() {
        let said = |clipboard| {
            let banner = Banner { clipboard, ..Banner::default() };
            clipboard_of(&banner)
        };
        assert_eq!(said(ClipboardState::Kept), None);
        let asked = said(ClipboardState::Asked { by: "Anna\n".into(), question: 1 }).unwrap();
        assert_eq!(asked, "Anna asks for what you copied");
        assert!(said(ClipboardState::Shared).unwrap().contains("goes to those who control"));
        assert!(means(true).contains("your clipboard") && means(true).contains("stays here"));
        assert!(means(false).contains("not shared"));
    }

    fn clipboard_of(banner: &Banner) -> Option<String> {
        clipboard(banner).map(|sentence| sentence.to_string())
    }

    #[test]
    fn counts_whom_it_does_not_name() {
        let many = (0..9).map(|i| viewer(&format!("G{i}"), Role::Watch));
        let anna = std::iter::once(viewer("Anna", Role::Control));
        let many = banner(many.chain(anna).collect());
        let sentence = |named| watched(&many, named).to_string();
        assert_eq!(sentence(1), "Anna controls this computer · 9 more watch");
        assert_eq!(sentence(3), "Anna controls this computer · G0, G1 and 7 more watch");
    }

    #[test]
    fn shows_the_words_of_those_who_have_some() {
        let mut anna = viewer("Anna", Role::Control);
        anna.words = Some("maple otter thunder".to_owned());
        let sentence =
            |banner: &Banner| words(banner).iter().map(Sentence::to_string).collect::<Vec<_>>();
        assert_eq!(sentence(&banner(vec![anna.clone()])), ["maple otter thunder"]);
        let mut ben = viewer("Ben", Role::Watch);
        assert!(sentence(&banner(vec![ben.clone()])).is_empty());
        ben.words = Some("lemon river stone".to_owned());
        let both = banner(vec![ben, anna]);
        assert_eq!(sentence(&both), ["Anna: maple otter thunder", "Ben: lemon river stone"]);
        assert!(sentence(&Banner { reconnecting: true, ..both }).is_empty());
    }

    #[test]
    fn says_whose_picture_the_server_could_read() {
        let mut anna = viewer("Anna", Role::Control);
        anna.words = Some("maple otter thunder".to_owned());
        assert_eq!(unsealed(&banner(vec![anna.clone()])), None);
        let both = banner(vec![anna, viewer("Ben", Role::Watch)]);
        assert_eq!(
            unsealed(&both).unwrap().to_string(),
            "Ben uses a web page: whoever runs the server can see the screen"
        );
        let http = Banner { open_to_readers: true, ..both };
        assert!(unsealed(&http).unwrap().to_string().contains("anybody on the way"));
    }

    #[test]
    fn asks_about_a_newcomer_with_what_is_missing() {
        let newcomer = Newcomer {
            id: 0,
            name: "Ben".to_owned(),
            role: Role::Control,
            sealed: false,
            invited: false,
        };
        assert_eq!(
            lets_in(&newcomer).to_string(),
            "Ben knows only the PIN and wants to see and control this computer. They use a web page: whoever runs the server could see the screen. Let them in only if you expect them."
        );
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
                prop_assert!(!name.chars().any(|c| c.is_control() || is_invisible(c)));
            }
        }
    }
}
