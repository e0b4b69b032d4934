//! A text whose names look different from the program's own words.

use std::fmt;

/// The characters around a name, so that right-to-left characters in it don't reorder the text
/// beside it (UAX #9, isolates).
const ISOLATE: char = '\u{2068}';
const END_ISOLATE: char = '\u{2069}';
/// What stands between two clauses in one line.
const BETWEEN: &str = " · ";

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// This program's own words.
    Plain(String),
    /// A name that somebody gave themselves; it looks different from this program's own words.
    Name(String),
    /// Words to compare on the phone.
    Words(String),
    /// The end of a clause: a dot in the middle of a line, or the end of that line.
    Break,
}

/// A text in which names look different from the program's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentence(pub Vec<Part>);

impl Sentence {
    pub fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Plain(text.into()));
        self
    }

    /// Adds a name that is cleaned already.
    pub fn cleaned_name(mut self, name: &str) -> Self {
        self.0.push(Part::Name(isolated(name)));
        self
    }

    pub fn pause(mut self) -> Self {
        self.0.push(Part::Break);
        self
    }

    /// The same with names of at most `most` characters: where there is little room, a name can be
    /// guessed from its beginning, but not what its bearer does here.
    pub fn shortened(&self, most: usize) -> Self {
        let shorter = |part: &Part| match part {
            Part::Name(name) => {
                Part::Name(isolated(&cut(name.trim_matches([ISOLATE, END_ISOLATE]), most)))
            }
            part => part.clone(),
        };
        Self(self.0.iter().map(shorter).collect())
    }

    /// Its clauses, each to be a line of its own.
    pub fn clauses(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.split(|part| *part == Part::Break).map(|clause| Self(clause.to_vec()))
    }
}

impl Part {
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Name(text) | Self::Words(text) => text,
            Self::Break => BETWEEN,
        }
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            f.write_str(&part.text().replace([ISOLATE, END_ISOLATE], ""))?;
        }
        Ok(())
    }
}

/// A text of at most `most` characters, of which the last one shows that there were more.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn isolated(name: &str) -> String {
    format!("{ISOLATE}{name}{END_ISOLATE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shortened_and_what_its_bearer_does_is_not() {
        let sentence = Sentence::default()
            .plain("Control is paused")
            .pause()
            .cleaned_name("Anna Katharina Kim")
            .plain(" watches this screen");
        assert_eq!(
            sentence.shortened(6).to_string(),
            "Control is paused · Anna… watches this screen"
        );
        assert_eq!(sentence.shortened(18), sentence);
        let clauses: Vec<_> = sentence.clauses().map(|clause| clause.to_string()).collect();
        assert_eq!(clauses, ["Control is paused", "Anna Katharina Kim watches this screen"]);
    }
}
