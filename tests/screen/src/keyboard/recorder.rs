//! Writes down what X programs get from a keyboard, as xev tells it.

use std::process::Command;

use crate::process::Program;

/// What marks the end of each stroke: F9, which no layout changes.
pub const MARK: &str = "75";
const MARK_NAME: &str = "F9";

/// A display on which xev has the keyboard.
#[derive(Debug)]
pub struct Recorder {
    xev: Program,
    display: String,
}

/// What came of one stroke.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Stroke {
    /// The text, if it types one.
    pub text: String,
    /// The name of the last key, and the modifiers that were down with it.
    pub last: (String, u32),
}

impl Recorder {
    /// Starts xev all over a display.
    pub fn on(display: &str) -> Self {
        let mut command = Command::new("xev");
        command.env("DISPLAY", display).env("LC_ALL", "C.UTF-8");
        command.args(["-geometry", "1280x800+0+0", "-event", "keyboard", "-event", "structure"]);
        let xev = Program::start(command);
        let outer = |line: &str| {
            line.strip_prefix("Outer window is ")?.split(',').next().map(str::to_owned)
        };
        let window = xev.says("its window", outer);
        xev.says("that it is there", |line| line.starts_with("MapNotify").then_some(()));
        run(display, "xdotool", &["windowfocus", &window]);
        Self { xev, display: display.to_owned() }
    }

    /// The display's name.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The next strokes, each of which ends with the mark.
    pub fn strokes(&self, count: usize) -> Vec<Stroke> {
        let (mut done, mut stroke) = (Vec::new(), Stroke::default());
        let mut event: Option<Event> = None;
        self.xev.says("all that was typed", |line| {
            if let Some((kind, _)) = line.split_once(" event, serial") {
                event = Some(Event { press: kind == "KeyPress", ..Event::default() });
            }
            let press = event.as_mut()?;
            press.key = key(line).or_else(|| press.key.take());
            if line.contains("XmbLookupString gives") {
                press.text = looked_up(line);
            }
            // What an input method takes for itself is followed by what it makes of it.
            let taken = line.trim_start().strip_prefix("XFilterEvent returns: ")? == "True";
            let press = event.take().filter(|_| !taken)?;
            let key = press.key.unwrap_or_default();
            if key.0 == MARK_NAME {
                // After a dead key its press is taken, its release never.
                if !press.press {
                    done.push(std::mem::take(&mut stroke));
                }
            } else if press.press {
                stroke.text += &press.text;
                stroke.last = key;
            }
            (done.len() == count).then_some(())
        });
        done
    }
}

/// One event of a key, as far as it has been read.
#[derive(Default)]
struct Event {
    press: bool,
    key: Option<(String, u32)>,
    text: String,
}

/// Types strokes on a display, with the mark after each.
pub fn types(display: &str, strokes: &[&str]) {
    let keys = strokes.iter().flat_map(|stroke| stroke.split(' ').chain([MARK]));
    let keys: Vec<&str> = ["key", "--delay", "8"].into_iter().chain(keys).collect();
    run(display, "xdotool", &keys);
}

/// Runs a program on a display to its end.
pub fn run(display: &str, program: &str, how: &[&str]) {
    let ran = Command::new(program).env("DISPLAY", display).args(how).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program}: {error}; ./test installs it"));
    assert!(ran.status.success(), "{program} {how:?}: {ran:?}");
}

/// The key's name and the modifiers in `state 0x4, keycode 54 (keysym 0x63, c), same_screen YES,`.
fn key(line: &str) -> Option<(String, u32)> {
    let (before, after) = line.split_once("(keysym ")?;
    let name = after.split(&[',', ')']).nth(1)?.trim().to_owned();
    let state = before.split_once("state 0x")?.1.split(',').next()?;
    Some((name, u32::from_str_radix(state, 16).ok()?))
}

/// The bytes in `gives 2 bytes: (c3 a9) "é"`.
fn looked_up(line: &str) -> String {
    let Some((_, rest)) = line.split_once('(') else { return String::new() };
    let bytes = rest.split(')').next().unwrap_or_default().split_whitespace();
    let bytes: Vec<u8> = bytes.filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
