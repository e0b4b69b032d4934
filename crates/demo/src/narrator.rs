//! The demo's output: a line for each step, with a tick and the time that it took.

use std::{fmt, time::Duration};

use tokio::time::Instant;

/// Prints the story.
pub struct Narrator {
    colour: bool,
    steps: usize,
    since: Instant,
}

/// A step that did not happen in time.
#[derive(Debug)]
pub struct MissedStep {
    /// What the step waited for.
    pub what: String,
    /// Why it can't happen, or what happened instead.
    pub why: String,
}

impl Narrator {
    /// In colour if the output is a terminal and `NO_COLOR` isn't set.
    pub fn new(terminal: bool) -> Self {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Self { colour, steps: 0, since: Instant::now() }
    }

    pub fn title(&self, text: &str) {
        println!("{}\n", self.paint("1", text));
    }

    /// Begins a part of the story; its first step is timed from now.
    pub fn part(&mut self, text: &str) {
        println!("\n{}", self.paint("1", text));
        self.since = Instant::now();
    }

    /// Prints a line that isn't a step.
    pub fn note(&self, text: &str) {
        for line in text.lines() {
            println!("    {}", self.paint("2", line));
        }
    }

    /// Prints a step that was seen, with the time since the last one.
    pub fn seen(&mut self, what: &str) {
        let now = Instant::now();
        let took = shown(now - self.since);
        self.steps += 1;
        self.since = now;
        // Padded by hand, because the format's width would count the colour codes.
        let gap = " ".repeat(62_usize.saturating_sub(what.chars().count()));
        println!("  {} {what}{gap} {}", self.paint("32", "✓"), self.paint("2", &took));
    }

    /// Prints a step that was missed.
    pub fn missed(&self, missed: &MissedStep) {
        println!("  {} {missed}", self.paint("31", "✗"));
    }

    /// Prints the last line.
    pub fn end(&self, text: &str) {
        println!("\n{text}");
    }

    /// How many steps were seen.
    pub const fn steps(&self) -> usize {
        self.steps
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

impl fmt::Display for MissedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Not seen: {}.", self.what)?;
        if self.why.is_empty() { Ok(()) } else { write!(f, " {}", self.why) }
    }
}

fn shown(took: Duration) -> String {
    let ms = took.as_millis();
    if ms < 1_000 { format!("{ms:>4} ms") } else { format!("{:>5.1} s", took.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_said_with_the_reason_where_there_is_one() {
        let missed = MissedStep { what: "the PIN".into(), why: "The region didn't answer.".into() };
        assert_eq!(missed.to_string(), "Not seen: the PIN. The region didn't answer.");
        assert_eq!(MissedStep { why: String::new(), ..missed }.to_string(), "Not seen: the PIN.");
    }

    #[test]
    fn times_are_shown_in_the_unit_that_fits() {
        assert_eq!(shown(Duration::from_millis(9)), "   9 ms");
        assert_eq!(shown(Duration::from_millis(1_240)), "  1.2 s");
    }
}
