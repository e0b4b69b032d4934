//! A desk on which everything that is typed is written down.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use presenter::screen::{self, Input, ViewerId};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::desk::ConsentUi;

pub const ANNA: ViewerId = ViewerId(1);
pub const BEN: ViewerId = ViewerId(2);
pub const SHIFT: u32 = 0xffe1;
pub const CONTROL: u32 = 0xffe3;
const END: u32 = 0xffc9;

/// A desk with xev on it, a program that says which keys and buttons it gets and as what Xlib reads them.
pub struct Typed {
    pub input: Option<Box<dyn Input>>,
    xev: Child,
    said: Receiver<String>,
    pub desk: ConsentUi,
}

/// One event as xev says it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Told {
    pub event: String,
    pub detail: String,
    pub text: String,
}

impl Typed {
    /// With this layout. Keys don't repeat, so that a slow computer types no more than a fast one.
    pub fn start(layout: &[&str]) -> Self {
        let desk = ConsentUi::start("640x480x24", &["-r"]);
        desk.run("setxkbmap", layout);
        let mut xev = desk
            .program("xev")
            .args(["-geometry", "640x480+0+0", "-event", "keyboard", "-event", "structure"])
            .args(["-event", "button"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(xev.stdout.take().unwrap()).split(b'\n');
        let (say, said) = channel();
        // It must never wait for the test to read.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ended = say.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        while !said.recv().expect("xev runs").starts_with("MapNotify") {}
        let (_capture, _waker, input) = screen::open(Some(&desk.display)).unwrap();
        Self { input: Some(input), xev, said, desk }
    }

    /// Shares the screen once more, after the last time has ended.
    pub fn start_again(&mut self) {
        let (_capture, _waker, input) = screen::open(Some(&self.desk.display)).unwrap();
        self.input = Some(input);
    }

    /// A connection of the test's own.
    pub fn connect(&self) -> RustConnection {
        RustConnection::connect(Some(&self.desk.display)).unwrap().0
    }

    /// How many keys, and which modifiers and buttons, are down.
    pub fn down(&self) -> (u32, u16) {
        let conn = self.connect();
        let keys = conn.query_keymap().unwrap().reply().unwrap().keys;
        let root = conn.setup().roots[0].root;
        let state = conn.query_pointer(root).unwrap().reply().unwrap().mask;
        (keys.iter().map(|byte| byte.count_ones()).sum(), state.into())
    }

    pub fn input(&mut self) -> &mut dyn Input {
        &mut **self.input.as_mut().unwrap()
    }

    pub fn key(&mut self, down: bool, keysym: u32) {
        self.input().key(ANNA, down, keysym, None).unwrap();
    }

    pub fn tap(&mut self, keysym: u32) {
        self.key(true, keysym);
        self.key(false, keysym);
    }

    pub fn tap_scancode(&mut self, scancode: u32) {
        self.input().key(ANNA, true, 0, Some(scancode)).unwrap();
        self.input().key(ANNA, false, 0, Some(scancode)).unwrap();
    }

    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.tap(keysym(c));
        }
    }

    /// All that was told until now: a key of our own marks the end.
    pub fn told(&mut self) -> Vec<Told> {
        self.tap(END);
        let mut told: Vec<Told> = Vec::new();
        loop {
            let line = self.said.recv().expect("xev runs");
            if let Some((event, _)) = line.split_once(" event, serial") {
                told.push(Told { event: event.to_owned(), ..Told::default() });
            }
            let Some(last) = told.last_mut() else { continue };
            if let Some((_, rest)) = line.split_once("(keysym ") {
                last.detail = rest.split(&[',', ')']).nth(1).unwrap().trim().to_owned();
            }
            if let Some((_, rest)) = line.split_once(", button ") {
                last.detail = rest.split(',').next().unwrap().to_owned();
            }
            if let Some((_, rest)) = line.split_once("root:(") {
                last.text = rest.split(')').next().unwrap().to_owned();
            }
            if line.contains("XmbLookupString") || line.contains("XLookupString gives 0") {
                last.text = looked_up(&line);
            }
            if last.event == "KeyRelease" && last.detail == "F12" {
                told.retain(|one| one.detail != "F12" && is_input(&one.event));
                return told;
            }
        }
    }

    /// What a program reads of what was typed.
    pub fn text(&mut self) -> String {
        let told = self.told();
        told.into_iter().filter(|one| one.event == "KeyPress").map(|one| one.text).collect()
    }

    /// The keys that were pressed, by name.
    pub fn pressed(&mut self) -> Vec<String> {
        let told = self.told();
        told.into_iter().filter(|one| one.event == "KeyPress").map(|one| one.detail).collect()
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        let _gone = self.xev.kill();
        let _gone = self.xev.wait();
    }
}

fn is_input(event: &str) -> bool {
    ["KeyPress", "KeyRelease", "ButtonPress", "ButtonRelease"].contains(&event)
}

/// The bytes in `gives 2 bytes: (c3 a9) "é"`.
fn looked_up(line: &str) -> String {
    let Some((_, rest)) = line.split_once('(') else { return String::new() };
    let bytes = rest.split(')').next().unwrap().split_whitespace();
    let bytes = bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap());
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

/// As a viewer says it: Latin-1 has keysyms of its own, everything else has Unicode's.
pub fn keysym(c: char) -> u32 {
    let code = u32::from(c);
    if (0x20..=0xff).contains(&code) { code } else { 0x0100_0000 + code }
}
