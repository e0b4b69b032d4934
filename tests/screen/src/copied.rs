//! Programs that copy and paste pictures by a display's clipboard, as xclip does it.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::{PATIENCE, process::Program};

/// A PNG of one pixel.
pub const PIXEL: &[u8] = include_bytes!("../../viewer/tests/pixel.png");

/// How often the clipboard is looked at, since nothing tells when it is filled.
const LOOK: Duration = Duration::from_millis(20);

/// A program on a display copies a picture of this kind, which it keeps in a file.
pub fn copies(display: &str, picture: &[u8], kind: &str, folder: &Path) -> Program {
    let file = folder.join(format!("copied-{}", picture.len()));
    std::fs::write(&file, picture).unwrap();
    let mut xclip = Command::new("xclip");
    xclip.env("DISPLAY", display).args(["-selection", "clipboard", "-quiet", "-target"]);
    xclip.arg(kind).arg("-in").arg(file);
    Program::start(xclip)
}

/// What a program on a display pastes as a PNG, once it is what is waited for.
pub fn pastes(display: &str, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut xclip = Command::new("xclip");
        xclip.env("DISPLAY", display);
        xclip.args(["-selection", "clipboard", "-target", "image/png", "-out"]);
        let pasted = xclip.output().unwrap().stdout;
        if wanted(&pasted) {
            return pasted;
        }
        assert!(Instant::now() < until, "{} bytes are not what was waited for", pasted.len());
        std::thread::sleep(LOOK);
    }
}

/// Whether these bytes begin as a PNG does.
pub fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG")
}
