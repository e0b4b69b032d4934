//! What was in the customer's clipboard before the session comes back when it ends.
//!
//! In X11 a clipboard lives only as long as the program that serves it. So at its end this program
//! starts itself once more, without a window and without a connection to anybody, to serve that in all
//! of its forms until something else is copied.

use std::{
    io::{self, Read as _, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    own_program,
    screen::{self, SavedClipboard},
};

/// The longest time for which it is served.
const LONGEST: Duration = Duration::from_secs(3600);
/// The most bytes of it: as much as is read of a clipboard, and the names of its forms.
const MOST_BYTES: u64 = (screen::MOST_SAVED + 1024 * 1024) as u64;

/// Starts the program that serves this from now on. If that fails, the clipboard stays empty.
pub fn restore(display: Option<&str>, saved: &SavedClipboard) {
    if let Err(error) = start(display, &saved.encode()) {
        tracing::warn!(%error, "bring back what was in the clipboard before");
    }
}

fn start(display: Option<&str>, bytes: &[u8]) -> io::Result<()> {
    let own = own_program::own_file().map_err(io::Error::other)?;
    let mut program = Command::new(own);
    program.arg("--keep-clipboard").env_remove("DESKHAND_PIN");
    if let Some(display) = display {
        program.args(["--display", display]);
    }
    program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        // In a group of its own, so that Ctrl-C in the terminal doesn't end it.
        use std::os::unix::process::CommandExt as _;
        program.process_group(0);
    }
    let mut program = program.spawn()?;
    let mut input = program.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    input.write_all(bytes)
}

/// Serves what comes on the standard input, until something else is copied.
pub fn serve(display: Option<&str>) {
    let mut bytes = Vec::new();
    let read = io::stdin().take(MOST_BYTES).read_to_end(&mut bytes).ok();
    let Some(saved) = read.and_then(|_| SavedClipboard::decode(&bytes)) else { return };
    drop(bytes);
    if let Err(error) = screen::serve_clipboard(display, &saved, LONGEST) {
        tracing::debug!(%error, "serve the clipboard");
    }
}
