//! This crate's readers of what strangers send or files hold, each as one call: for the fuzz targets in `tests/fuzz`, which
//! are no part of any program.

use std::collections::HashSet;

use rfb::Png;
use seal::Pairing;

use crate::{
    broker_connection,
    kept_viewers::KeptViewers,
    screen::{
        Change, Contents,
        x11::{
            leftovers::Left,
            own_text::Own,
            selection_answers::{Answers, LONGEST, Names, Next},
        },
    },
};

/// A message of the broker on the live connection.
pub fn live_message(text: &str) {
    let _ = broker_connection::means_something(text);
}

/// The file of known viewers: what is read of it is written again as it was.
pub fn known_viewers(bytes: &[u8]) {
    let Some(kept) = KeptViewers::from_bytes(bytes) else { return };
    let names: HashSet<_> = kept.pairings.iter().map(Pairing::id).collect();
    // One pairing twice is never written here, and may be the technician's once and once not.
    if names.len() == kept.pairings.len() {
        assert_eq!(kept.to_bytes(), bytes);
    }
}

/// The note of a run that was killed: any client of the display could have written it. Nothing but keys is put right.
pub fn leftovers(bytes: &[u8]) {
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| word.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)))
        .collect();
    let Some(Left { borrowed, .. }) = Left::from_words(&words) else { return };
    assert!(borrowed.len() < words.len() && borrowed.iter().all(|(key, _)| *key >= 8));
}

/// The forms of the fuzzed display: each name is its number, 31 (STRING) among them.
const FORMS: u32 = 40;
const SECRET: u32 = 4;
const LONG_PIECE: usize = 400 * 1024;

/// What programs on the customer's display answer when they are asked for the clipboard, each byte a choice. What is
/// marked as secret is never told, and no text that is too long.
pub fn selection(bytes: &[u8]) {
    let names = Names {
        targets: 1,
        utf8: 2,
        mime: 9,
        png: 6,
        incr: 3,
        secret: vec![SECRET, 5],
        pictures: vec![7, 8],
        empty: vec![1, 10],
    };
    let mut answers = Answers::new(names, Own::default());
    let mut bytes = bytes.iter().copied();
    let mut is_secret = false;
    while let Some(choice) = bytes.next() {
        let form = u32::from(bytes.next().unwrap_or_default()) % FORMS;
        let count = usize::from(bytes.next().unwrap_or_default());
        let next = match choice % 6 {
            0 => {
                is_secret = false;
                answers.new_owner()
            }
            1 => {
                answers.no_owner();
                Next::Wait
            }
            2 => answers.refused(form),
            3 => {
                let forms = bytes.by_ref().take(count).map(|form| u32::from(form) % FORMS);
                let forms: Vec<u32> = forms.collect();
                is_secret |= answers.is_asked(1) && forms.contains(&SECRET);
                answers.forms((choice < 128).then_some(&*forms))
            }
            4 => answers.contents(form, given(&mut bytes, count)),
            _ => answers.piece(form, given(&mut bytes, count)),
        };
        match next {
            Next::Wait => {}
            Next::Ask(form) => assert!(answers.is_asked(form) && !is_secret),
            Next::Tell(Change::Clipboard(Contents::Text(text))) => {
                assert!(!is_secret && text.chars().count() <= LONGEST);
            }
            Next::Tell(Change::Clipboard(Contents::Picture(picture))) => {
                assert!(!is_secret && picture.bytes().len() <= Png::LONGEST);
            }
            Next::Tell(_) => assert!(!is_secret),
        }
    }
}

/// So many of the bytes; from 254 on a long piece, or one that can't be read.
fn given(bytes: &mut impl Iterator<Item = u8>, count: usize) -> Option<Vec<u8>> {
    match count {
        255 => None,
        254 => Some(vec![b'a'; LONG_PIECE]),
        count => Some(bytes.take(count).collect()),
    }
}
