//! A virtual display with a terminal on it, and whether this computer can share one.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// A virtual display.
pub struct Display {
    /// Such as `:5`.
    pub name: String,
    /// Held so that all of them are killed when this is dropped.
    programs: Vec<Child>,
    /// Whether there is a terminal that takes keys.
    pub terminal: bool,
}

/// The customer's program, if this computer has all that it needs; else the reason why it
/// is left out.
pub fn program() -> Result<PathBuf, &'static str> {
    if !on_path("Xvfb") {
        return Err(
            "There is no Xvfb on this computer, so a page stands in for the customer's program and no screen is shared. Install it to see that.",
        );
    }
    let own = std::env::current_exe().unwrap_or_default();
    let folder = own.parent().unwrap_or(Path::new(""));
    let places = ["deskhand-presenter", "../lib/deskhand/deskhand-presenter"];
    places.map(|place| folder.join(place)).into_iter().find(|path| path.is_file()).ok_or(
        "The customer's program (deskhand-presenter) is not beside this one, so a page stands in for it and no screen is shared.",
    )
}

impl Display {
    /// A display of 800x600, with a terminal if one is installed.
    pub async fn start() -> Result<Self, String> {
        let mut xvfb = quiet("Xvfb");
        // Without -noreset it starts anew whenever its last client leaves: the customer's program looks whether it can
        // share the screen and leaves, maybe before the terminal is there.
        xvfb.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "800x600x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        let mut xvfb =
            xvfb.stdout(Stdio::piped()).spawn().map_err(|error| format!("start Xvfb: {error}"))?;
        let out = xvfb.stdout.take().ok_or("start Xvfb: it has no output")?;
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line).await;
        let number = line.trim();
        if read.is_err() || number.is_empty() {
            return Err("start Xvfb: it named no display".into());
        }
        let mut display =
            Self { name: format!(":{number}"), programs: vec![xvfb], terminal: false };
        // `cat` shows the typed text and does nothing else, so the demo's key starts no program.
        if on_path("xterm") {
            let mut xterm = quiet("xterm");
            xterm.args(["-geometry", "100x40+0+0", "-e", "cat"]).env("DISPLAY", &display.name);
            display.terminal = xterm.spawn().map(|child| display.programs.push(child)).is_ok();
        }
        Ok(display)
    }

    /// Ends everything on it, the display last.
    pub async fn end(mut self) {
        while let Some(mut program) = self.programs.pop() {
            let _ = program.kill().await;
        }
    }
}

/// A program without output that ends with its handle.
pub fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
