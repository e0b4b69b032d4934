//! What is on the customer's screen: a window of ours, `screen-subject`, that fills it.

use std::process::Command;

use crate::{
    display::Display,
    process::{Program, built},
};

/// Where a key press or a click changes the colour: the middle of a square.
pub const SQUARE: (u16, u16) = (96, 96);

/// The window, in a process of its own.
#[derive(Debug)]
pub struct Subject {
    program: Program,
}

impl Subject {
    /// Fills the display with it; returns when it is to be seen and has the keyboard.
    pub fn on(display: &Display) -> Self {
        let mut command = Command::new(built("screen-subject"));
        command.env("DISPLAY", display.name());
        let program = Program::start(command);
        program.says("that it is there", |line| (line == "ready").then_some(()));
        Self { program }
    }

    /// Does something of `still`, `nothing` (what is there stays), `scroll`, `repaint`, `video`; returns when it has begun.
    pub fn plays(&mut self, what: &str) {
        self.program.tell(what);
        self.program.says("that it plays", |line| line.strip_prefix("plays ").map(|_| ()));
    }

    /// Puts this into the clipboard.
    pub fn copies(&mut self, text: &str) {
        self.program.tell(&format!("copy {text}"));
        self.program.says("that it has the clipboard", |line| (line == "copied").then_some(()));
    }

    /// Waits until something of this kind reaches it, such as `key`, `button` or `clipboard`, and says
    /// what.
    pub fn gets(&self, kind: &str) -> String {
        self.program
            .says(kind, |line| line.strip_prefix(kind)?.strip_prefix(' ').map(str::to_owned))
    }

    /// What has reached it that nobody has asked for yet.
    pub fn got(&mut self) -> Vec<String> {
        // It answers in turn: what came before is said before.
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
