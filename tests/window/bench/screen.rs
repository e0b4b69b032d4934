//! Reads an area of the screen from the file of Xvfb, which costs the measured programs nothing.

use std::{fs::File, os::unix::fs::FileExt as _, path::Path};

/// The bytes of a pixel at a depth of 24.
const PIXEL: u64 = 4;
/// The bytes of a colour in the table before the pixels.
const COLOUR: u64 = 12;

/// An area of the screen.
#[derive(Debug, Clone, Copy)]
pub struct ScreenArea {
    pub left: u64,
    pub top: u64,
    pub width: u64,
    pub height: u64,
}

/// The screen of a desktop.
pub struct Screen {
    file: File,
    pixels: u64,
    line: u64,
}

impl Screen {
    /// Opens the screen of the desktop with this home.
    pub fn open(home: &Path) -> Self {
        let file = File::open(home.join("Xvfb_screen0")).unwrap();
        // An XWD file: numbers of 32 bits, the most significant byte first.
        let number = |place: u64| {
            let mut bytes = [0; 4];
            file.read_exact_at(&mut bytes, place * 4).unwrap();
            u64::from(u32::from_be_bytes(bytes))
        };
        let (header, line, colours) = (number(0), number(12), number(19));
        Self { pixels: header + colours * COLOUR, line, file }
    }

    /// The pixels of an area.
    pub fn look(&self, piece: ScreenArea) -> Vec<u8> {
        let mut seen = vec![0; usize::try_from(piece.width * PIXEL * piece.height).unwrap()];
        let row = usize::try_from(piece.width * PIXEL).unwrap();
        for (y, bytes) in (piece.top..).zip(seen.chunks_mut(row)) {
            let place = self.pixels + y * self.line + piece.left * PIXEL;
            self.file.read_exact_at(bytes, place).unwrap();
        }
        seen
    }
}
