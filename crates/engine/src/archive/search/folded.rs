//! Texts as the search compares them: without case, accents and width, blanks collapsed to one.
//!
//! Searching is for parts of words in every script, so a text isn't split into words. The index holds each row's
//! distinct *grams*, runs of up to three characters within a word; a query's grams give the candidates, and the
//! folded texts decide.

use std::{collections::BTreeSet, ops::Range};

use icu_normalizer::{
    ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed,
    properties::CanonicalCombiningClassMapBorrowed,
};
use session::text::is_hidden;

const COMPOSED: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
const COMPATIBLE: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
const DECOMPOSED: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfd();
const CLASSES: CanonicalCombiningClassMapBorrowed<'static> =
    CanonicalCombiningClassMapBorrowed::new();

/// How many characters a gram has; fewer at the end of a word.
const GRAM: usize = 3;
/// The most grams that a term's query names: more would only repeat what the folded texts decide anyway.
const MOST_GRAMS: usize = 16;

/// A folded text that knows where each of its characters comes from.
#[derive(Debug, Default)]
pub(super) struct Folded {
    chars: Vec<char>,
    /// The bytes of the original that each character stands for.
    origins: Vec<Range<usize>>,
}

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        let mut folded =
            Self { chars: Vec::with_capacity(text.len()), origins: Vec::with_capacity(text.len()) };
        let mut chars = text.char_indices().peekable();
        while let Some((start, first)) = chars.next() {
            let mut end = start + first.len_utf8();
            while let Some((at, next)) = chars.next_if(|&(_, next)| extends(next)) {
                end = at + next.len_utf8();
            }
            folded.push_cluster(first, &text[start..end], start);
        }
        folded
    }

    /// The characters, without a blank at either end.
    pub(super) fn trimmed(&self) -> &[char] {
        // There is at most one at each end.
        let chars = self.chars.strip_prefix(&[' ']).unwrap_or(&self.chars);
        chars.strip_suffix(&[' ']).unwrap_or(chars)
    }

    /// Where `term` is in the original, as bytes.
    pub(super) fn places<'a>(
        &'a self,
        term: &'a [char],
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let windows = self.chars.windows(term.len().max(1)).enumerate();
        windows.filter(move |(_, window)| *window == term).filter_map(move |(at, _)| {
            let (first, last) = (self.origins.get(at)?, self.origins.get(at + term.len() - 1)?);
            Some(first.start..last.end)
        })
    }

    /// Adds the distinct grams to `grams`, as the index spells them.
    pub(super) fn add_grams(&self, grams: &mut BTreeSet<String>) {
        for word in self.chars.split(|c| *c == ' ') {
            for start in 0..word.len() {
                grams.insert(spelled(&word[start..word.len().min(start + GRAM)]));
            }
        }
    }

    /// A base character with the marks on it; most are a single character.
    fn push_cluster(&mut self, first: char, cluster: &str, start: usize) {
        let origin = start..start + cluster.len();
        if cluster.len() == first.len_utf8() && (first.is_ascii() || is_settled(first)) {
            return self.push(first.to_ascii_lowercase(), origin);
        }
        let normal = if cluster.chars().any(has_width_or_is_ligature) {
            COMPATIBLE.normalize(cluster)
        } else {
            COMPOSED.normalize(cluster)
        };
        for c in normal.chars().flat_map(char::to_lowercase) {
            self.push(without_accent(c), origin.clone());
        }
    }

    fn push(&mut self, c: char, origin: Range<usize>) {
        // Most are: only spares the time.
        if c.is_ascii_graphic() {
            self.chars.push(c);
            self.origins.push(origin);
        } else if c.is_whitespace() {
            if self.chars.last() != Some(&' ') {
                self.chars.push(' ');
                self.origins.push(origin);
            }
        } else if !is_hidden(c) && !is_accent(c) && !is_joiner(c) {
            self.chars.push(c);
            self.origins.push(origin);
        }
    }
}

/// The query that finds the rows which have all grams of `term`: the candidates for having the term itself.
pub(super) fn candidates(term: &[char]) -> Vec<String> {
    let mut queries = Vec::new();
    for word in term.split(|c| *c == ' ').filter(|word| !word.is_empty()) {
        if word.len() < GRAM {
            queries.push(format!("\"{}\"*", spelled(word)));
            continue;
        }
        // Side by side, and the last one: together they cover the word, and each more would only cost.
        let last = word.len() - GRAM;
        let starts = (0..last).step_by(GRAM).chain([last]);
        queries.extend(starts.map(|at| format!("\"{}\"", spelled(&word[at..at + GRAM]))));
    }
    queries.truncate(MOST_GRAMS);
    queries
}

/// A gram as a token of FTS5's `ascii` tokenizer, for which only letters, digits and what is beyond ASCII are no
/// separators: other ASCII characters are moved to the private use area.
fn spelled(gram: &[char]) -> String {
    let spell = |&c: &char| match c {
        c if c.is_ascii_alphanumeric() || !c.is_ascii() => c,
        c => char::from_u32(0xE000 + c as u32).unwrap_or(c),
    };
    gram.iter().map(spell).collect()
}

/// Whether `c` belongs to the character before it: a mark, or a later part of a Korean syllable.
fn extends(c: char) -> bool {
    c >= '\u{300}'
        && (matches!(c, '\u{1160}'..='\u{11FF}' | '\u{FF9E}' | '\u{FF9F}')
            || !is_settled(c) && CLASSES.get_u8(c) != 0)
}

/// Kana, Han and Hangul that no normalization changes; only spares the time.
const fn is_settled(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Forms that differ in width or spacing from the ordinary characters that they stand for. Other compatible
/// characters stay themselves: a trade mark isn't the letters "tm".
const fn has_width_or_is_ligature(c: char) -> bool {
    matches!(c, '\u{FF00}'..='\u{FFEF}' | '\u{FB00}'..='\u{FB06}')
}

/// A Latin or Greek letter without its accents. In other scripts a mark makes another letter.
fn without_accent(c: char) -> char {
    match c {
        'ς' => 'σ',
        '\u{C0}'..='\u{3FF}' | '\u{1E00}'..='\u{1FFF}' => {
            let mut buffer = [0; 4];
            DECOMPOSED.normalize(c.encode_utf8(&mut buffer)).chars().next().unwrap_or(c)
        }
        _ => c,
    }
}

const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}

/// What only says how its neighbours are drawn: joiners and variation selectors.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(text: &str) -> String {
        Folded::new(text).chars.iter().collect()
    }

    #[test]
    fn case_accents_width_and_blanks_make_no_difference() {
        for (text, folded) in [
            ("María  LÓPEZ\r\n\tx", "maria lopez x"),
            ("e\u{301}te\u{302}", "ete"),
            ("Ｃ＋＋ ﾌﾟﾘﾝﾀ", "c++ プリンタ"),
            ("フ\u{309A}リンタ", "プリンタ"),
            ("\u{1112}\u{1161}\u{11AB}글", "한글"),
            ("ΣΊΣΥΦΟΣ Σίσυφος", "σισυφοσ σισυφοσ"),
            ("Ёлка Й", "ёлка й"),
            ("❤\u{FE0F} 👩\u{200D}💻", "❤ 👩💻"),
            ("ก่อน", "ก่อน"),
            ("a\0b\u{202E}c\u{AD}d", "abcd"),
            ("ﬁle ™ ½", "file ™ ½"),
            ("İstanbul", "istanbul"),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    #[test]
    fn a_place_is_of_the_original_with_its_marks() {
        let text = "Größe ﾌﾟﾘﾝﾀ 😀";
        let folded = Folded::new(text);
        for (term, original) in
            [("grosse", None), ("oße", Some("öße")), ("プリ", Some("ﾌﾟﾘ")), ("😀", Some("😀"))]
        {
            let term: Vec<char> = term.chars().collect();
            assert_eq!(folded.places(&term).next().map(|place| &text[place]), original);
        }
    }

    proptest! {
        #[test]
        fn every_part_of_a_text_is_found_by_its_candidates(text in "\\PC{0,40}|.{0,40}", from: usize, len in 1usize..12) {
            let folded = Folded::new(&text);
            let mut grams = BTreeSet::new();
            folded.add_grams(&mut grams);
            let from = from % folded.chars.len().max(1);
            let part = &folded.chars[from..folded.chars.len().min(from + len)];
            for query in candidates(part) {
                let found = match query.strip_suffix('*') {
                    Some(prefix) => grams.iter().any(|gram| gram.starts_with(prefix.trim_matches('"'))),
                    None => grams.contains(query.trim_matches('"')),
                };
                prop_assert!(found, "{query} of {part:?}");
            }
            prop_assert!(part.is_empty() || folded.places(part).next().is_some());
            prop_assert!(!grams.iter().any(|gram| gram.contains(' ')));
        }
    }
}
