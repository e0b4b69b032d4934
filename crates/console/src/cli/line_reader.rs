//! Reads lines from a byte stream. Each has a limited length, so that no writer can
//! exhaust the memory.

use std::io::{self, BufRead};

/// The longest line, in bytes without its end.
pub const MAX_LINE: usize = 1 << 20;

/// In UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub struct LineReader<R> {
    input: R,
    number: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct InputLine {
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes without the line end; none if it was longer than [`MAX_LINE`] and was thrown away.
    pub bytes: Option<Vec<u8>>,
}

impl<R: BufRead> LineReader<R> {
    pub const fn new(input: R) -> Self {
        Self { input, number: 0 }
    }

    /// The next line; none at the end of the stream. A last line without a line end counts.
    ///
    /// # Errors
    /// The stream can't be read.
    pub fn next(&mut self) -> io::Result<Option<InputLine>> {
        let mut bytes = Some(Vec::new());
        let mut any = false;
        loop {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                return Ok(any.then(|| self.line(bytes)));
            }
            any = true;
            let end = piece.iter().position(|&byte| byte == b'\n');
            let taken = end.unwrap_or(piece.len());
            // The rest of an overlong line is still read; otherwise it would pass for a line of
            // its own.
            bytes = bytes.filter(|line| line.len() + taken <= MAX_LINE);
            if let Some(line) = &mut bytes {
                line.extend_from_slice(&piece[..taken]);
            }
            self.input.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(Some(self.line(bytes)));
            }
        }
    }

    fn line(&mut self, bytes: Option<Vec<u8>>) -> InputLine {
        self.number += 1;
        let mut bytes = bytes;
        // Editors and shells of Windows begin a text with it.
        if self.number == 1
            && let Some(line) = bytes.as_mut().filter(|line| line.starts_with(BYTE_ORDER_MARK))
        {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        InputLine { number: self.number, bytes }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all(text: &[u8]) -> Vec<InputLine> {
        let mut lines = LineReader::new(BufReader::with_capacity(7, text));
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(line);
        }
        found
    }

    fn line(number: u64, text: &str) -> InputLine {
        InputLine { number, bytes: Some(text.into()) }
    }

    #[test]
    fn lines_come_numbered_and_the_last_needs_no_end() {
        assert_eq!(
            all(b"one\n\nthree, longer than the buffer"),
            [line(1, "one"), line(2, ""), line(3, "three, longer than the buffer"),]
        );
        assert_eq!(all(b""), []);
        assert_eq!(all(b"one\n"), [line(1, "one")]);
    }

    #[test]
    fn only_a_byte_order_mark_at_the_very_start_is_left_out() {
        assert_eq!(
            all("\u{feff}one\n\u{feff}two\n".as_bytes()),
            [line(1, "one"), line(2, "\u{feff}two")]
        );
        assert_eq!(all("\u{feff}".as_bytes()), [line(1, "")]);
        assert_eq!(all(b"\xef\xbb\n"), [InputLine { number: 1, bytes: Some(b"\xef\xbb".into()) }]);
    }

    #[test]
    fn a_line_over_the_limit_is_thrown_away_and_the_next_is_read() {
        let longest = "x".repeat(MAX_LINE);
        let text = format!("{longest}\n{longest}x\nafter\n");
        assert_eq!(
            all(text.as_bytes()),
            [line(1, &longest), InputLine { number: 2, bytes: None }, line(3, "after"),]
        );
    }
}
