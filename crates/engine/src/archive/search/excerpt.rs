//! The part of a text in which something was found, with its matches.

use std::ops::Range;

use super::{folded::Folded, found::Snippet, terms::Term};

/// The most characters of an excerpt, and how many stand before its first match.
const LONGEST: usize = 200;
const BEFORE: usize = 60;
/// How far a cut may move to a blank, so that no word is cut; scripts without blanks have none near.
const LEEWAY: usize = 15;

/// The part of `text`, which is also there folded, around its first match of one of `terms`.
pub(super) fn excerpt(text: &str, folded: &Folded, terms: &[Term]) -> Snippet {
    let matches = matches(folded, terms);
    let shown = window(text, matches.first().map_or(0, |first| first.start));
    let mut snippet = Snippet::default();
    if shown.start > 0 {
        snippet.text.push('…');
    }
    let shift = utf16_len(&snippet.text);
    let part = &text[shown.clone()];
    snippet.text.push_str(part);
    if shown.end < text.len() {
        snippet.text.push('…');
    }
    for found in matches {
        let (from, to) = (found.start.max(shown.start), found.end.min(shown.end));
        if from < to {
            let place = |at: usize| shift + utf16_len(&text[shown.start..at]);
            snippet.marks.push((place(from), place(to)));
        }
    }
    snippet
}

/// In the order of the text; those that touch are one.
fn matches(folded: &Folded, terms: &[Term]) -> Vec<Range<usize>> {
    let mut all: Vec<_> = terms.iter().flat_map(|term| folded.places(term)).collect();
    all.sort_by_key(|found| (found.start, found.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(all.len());
    for found in all {
        match joined.last_mut() {
            Some(last) if found.start < last.end => last.end = last.end.max(found.end),
            Some(_) | None => joined.push(found),
        }
    }
    joined
}

/// The bytes of `text` that are shown.
fn window(text: &str, first: usize) -> Range<usize> {
    if text.chars().nth(LONGEST).is_none() {
        return 0..text.len();
    }
    let back =
        |chars: usize| text[..first].char_indices().rev().nth(chars - 1).map_or(0, |(at, _)| at);
    let start = match back(BEFORE) {
        0 => 0,
        start => after_blank(text, start, first),
    };
    let end = text[start..].char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| start + at);
    let blank = text[start..end].char_indices().rev().take(LEEWAY).find(|(_, c)| c.is_whitespace());
    let end = match blank {
        Some((at, _)) if end < text.len() => start + at,
        Some(_) | None => end,
    };
    start..end
}

/// Past the first blank from `start` on, if there is one near it and before `limit`.
fn after_blank(text: &str, start: usize, limit: usize) -> usize {
    let near = text[start..limit].char_indices().take(LEEWAY).find(|(_, c)| c.is_whitespace());
    near.map_or(start, |(at, blank)| start + at + blank.len_utf8())
}

fn utf16_len(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::terms::terms, *};

    fn marked(snippet: &Snippet) -> Vec<String> {
        let units: Vec<u16> = snippet.text.encode_utf16().collect();
        let mark = |&(from, to): &(u32, u32)| {
            String::from_utf16(&units[from as usize..to as usize]).unwrap()
        };
        snippet.marks.iter().map(mark).collect()
    }

    fn cut(text: &str, typed: &str) -> Snippet {
        excerpt(text, &Folded::new(text), &terms(typed))
    }

    #[test]
    fn matches_are_marked_in_every_script() {
        for (text, typed, marks) in [
            ("我的打印机坏了，请帮我修理 😀", "打印机 😀", vec!["打印机", "😀"]),
            ("😀 costs 5 € in C++", "€ c++", vec!["€", "C++"]),
            ("ﾌﾟﾘﾝﾀが壊れた", "プリンタ", vec!["ﾌﾟﾘﾝﾀ"]),
            ("Größe und größer", "oss grö", vec!["Grö", "grö"]),
            ("printer", "prin rint", vec!["print"]),
        ] {
            assert_eq!(marked(&cut(text, typed)), marks, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_around_its_first_match() {
        let words = "word ".repeat(100);
        let snippet = cut(&format!("{words}printer {words}"), "printer");
        assert_eq!(marked(&snippet), ["printer"]);
        assert!(
            snippet.text.starts_with("…word ") && snippet.text.ends_with("word…"),
            "{}",
            snippet.text
        );
        let han = "字".repeat(500);
        let snippet = cut(&format!("{han}打印机{han}"), "打印");
        assert_eq!(marked(&snippet), ["打印"]);
        assert_eq!(snippet.text.chars().count(), LONGEST + 2);
    }

    proptest! {
        #[test]
        fn marks_are_within_the_excerpt(text in "[a-c €😀打\u{301}\n]{0,400}", typed in "[a-c €😀打]{0,3}") {
            let snippet = cut(&text, &typed);
            let units: Vec<u16> = snippet.text.encode_utf16().collect();
            let mut last = 0;
            for &(from, to) in &snippet.marks {
                prop_assert!(last <= from && from < to && to as usize <= units.len());
                prop_assert!(String::from_utf16(&units[from as usize..to as usize]).is_ok());
                last = to;
            }
        }
    }
}
