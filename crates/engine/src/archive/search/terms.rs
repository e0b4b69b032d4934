//! What was typed, as the terms that a session must have. Any text is valid.

use super::folded::{Folded, candidates};

/// A folded word or quoted phrase; never empty.
pub(super) type Term = Vec<char>;

/// The terms of `typed`, each once, the longest first: it is probably the rarest.
///
/// Blanks separate terms, except between quotation marks. All characters are literal but one: an asterisk at the
/// end of a word, by which people ask for beginnings. Parts of words are found without it.
pub(super) fn terms(typed: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    let mut rest = typed.trim_start();
    while !rest.is_empty() {
        let (piece, after) = match quoted(rest) {
            Some((phrase, after)) => (Folded::new(phrase), after),
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                (Folded::new(without_wildcard(word)), after)
            }
        };
        let term = piece.trimmed();
        if !term.is_empty() {
            terms.push(term.to_vec());
        }
        rest = after.trim_start();
    }
    terms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    terms.dedup();
    terms
}

/// The query for rows that are candidates for having all of `terms`.
pub(super) fn match_all(terms: &[Term]) -> String {
    /// Enough to leave few candidates; FTS5 takes at most some hundred.
    const MOST: usize = 64;
    let queries = terms.iter().flat_map(|term| candidates(term));
    queries.take(MOST).collect::<Vec<_>>().join(" ")
}

fn quoted(rest: &str) -> Option<(&str, &str)> {
    rest.strip_prefix('"')?.split_once('"')
}

fn without_wildcard(word: &str) -> &str {
    match word.strip_suffix('*') {
        Some(beginning) if beginning.ends_with(char::is_alphanumeric) => beginning,
        Some(_) | None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_separate_quotation_marks_join_and_symbols_are_literal() {
        let read = |typed: &str| -> Vec<String> {
            terms(typed).iter().map(|term| term.iter().collect()).collect()
        };
        for (typed, terms) in [
            ("", vec![]),
            (" \t\0 \u{301}", vec![]),
            ("€", vec!["€"]),
            ("C++ c", vec!["c++", "c"]),
            ("prin* *", vec!["prin", "*"]),
            ("x Maria X", vec!["maria", "x"]),
            ("\"paper  jam\" x", vec!["paper jam", "x"]),
            ("15\" \"", vec!["15\"", "\""]),
            ("\"\" \"prin*\"", vec!["prin*"]),
            ("打印机\u{3000}坏", vec!["打印机", "坏"]),
        ] {
            assert_eq!(read(typed), terms, "{typed:?}");
        }
    }
}
