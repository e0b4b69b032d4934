//! The test window `screen-subject`, which fills the customer's screen.

use std::process::Command;

use crate::{
    display::Display,
    process::{Program, built},
};

/// The middle of the square whose colour a key press or a click changes.
pub const SQUARE: (u16, u16) = (96, 96);

/// The window, in a process of its own.
#[derive(Debug)]
pub struct Subject {
    program: Program,
}

impl Subject {
    /// Fills the display with the window; returns when it is visible and has the keyboard.
    pub fn on(display: &Display) -> Self {
        let mut command = Command::new(built("screen-subject"));
        command.env("DISPLAY", display.name());
        let program = Program::start(command);
        program.says("that it is there", |line| (line == "ready").then_some(()));
        Self { program }
    }

    /// Plays `still`, `nothing` (which leaves everything as it is), `scroll`, `repaint` or `video`;
    /// returns when it has begun.
    pub fn plays(&mut self, what: &str) {
        self.program.tell(what);
        self.program.says("that it plays", |line| line.strip_prefix("plays ").map(|_| ()));
    }

    /// Puts this into the clipboard.
    pub fn copies(&mut self, text: &str) {
        self.program.tell(&format!("copy {text}"));
        self.program.says("that it has the clipboard", |line| (line == "copied").then_some(()));
    }

    /// Waits for an event of this kind, such as `key`, `button` or `clipboard`, and returns
    /// its value.
    pub fn gets(&self, kind: &str) -> String {
        self.program
            .says(kind, |line| line.strip_prefix(kind)?.strip_prefix(' ').map(str::to_owned))
    }

    /// The events that weren't read yet.
    pub fn got(&mut self) -> Vec<String> {
        // The window answers in order, so all earlier events come before this answer.
        self.program.tell("so far");
        let mut lines = Vec::new();
        self.program.says("what there is so far", |line| {
            (line == "so far").then_some(()).or_else(|| {
                lines.push(line.to_owned());
                None
            })
        });
        lines
    }
}
