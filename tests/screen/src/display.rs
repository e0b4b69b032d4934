//! X displays: Xvfb, and Xtigervnc, which is a VNC server as well.

use std::{net::TcpListener, process::Command};

use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, ImageFormat},
    rust_connection::RustConnection,
};

use crate::process::Program;

/// A display of a test's own.
#[derive(Debug)]
pub struct Display {
    /// The server's process.
    pub server: Program,
    name: String,
}

impl Display {
    /// An Xvfb of this size.
    pub fn xvfb(width: u16, height: u16) -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-screen", "0", &format!("{width}x{height}x24"), "-nolisten", "tcp"]);
        Self::start(command)
    }

    /// An Xtigervnc of this size, and the port on which it speaks RFB.
    pub fn xtigervnc(width: u16, height: u16) -> (Self, u16) {
        let port = free_port();
        let mut command = Command::new("Xtigervnc");
        command.args(["-geometry", &format!("{width}x{height}"), "-depth", "24"]);
        command.args(["-SecurityTypes", "None", "-localhost", "-rfbport", &port.to_string()]);
        (Self::start(command), port)
    }

    fn start(mut command: Command) -> Self {
        // The server picks a number that is free and says it when it is ready.
        command.args(["-displayfd", "1", "-noreset"]);
        let server = Program::start(command);
        let number = server.says("its number", |line| line.parse::<u16>().ok());
        Self { server, name: format!(":{number}") }
    }

    /// The name, such as `:1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection of the test's own.
    pub fn connect(&self) -> RustConnection {
        RustConnection::connect(Some(&self.name)).unwrap().0
    }

    /// Takes a picture of the display.
    pub fn picture(&self) -> Picture {
        let display = self.connect();
        let root = display.setup().roots[0].root;
        let size = display.get_geometry(root).unwrap().reply().unwrap();
        let (width, height) = (size.width, size.height);
        let image = display
            .get_image(ImageFormat::Z_PIXMAP, root, 0, 0, width, height, !0)
            .unwrap()
            .reply()
            .unwrap();
        // The fourth byte means nothing.
        let pixels = image.data.chunks_exact(4).map(|p| [p[2], p[1], p[0]]).collect();
        Picture { width, height, pixels }
    }

    /// Makes it smaller or larger, up to the size that it was started with.
    pub fn resize(&self, width: u16, height: u16) {
        let (name, w, h) = (format!("{width}x{height}"), width.to_string(), height.to_string());
        // Its timings mean nothing to an Xvfb.
        self.xrandr(&["--newmode", &name, "40", &w, &w, &w, &w, &h, &h, &h, &h]);
        self.xrandr(&["--addmode", "screen", &name]);
        self.xrandr(&["--output", "screen", "--mode", &name]);
    }

    fn xrandr(&self, how: &[&str]) {
        let mut command = Command::new("xrandr");
        let done = command.env("DISPLAY", &self.name).args(how).status();
        assert!(done.expect("xrandr is missing; ./test installs it").success(), "xrandr {how:?}");
    }
}

/// The pixels of a display, line by line.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The width in pixels.
    pub width: u16,
    /// The height in pixels.
    pub height: u16,
    /// Red, green and blue of each pixel.
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// The pixel at a position.
    pub fn at(&self, x: u16, y: u16) -> [u8; 3] {
        self.pixels[usize::from(y) * usize::from(self.width) + usize::from(x)]
    }

    /// The first pixel that differs from a picture of the same size.
    pub fn difference(&self, other: &Self) -> Option<(u16, u16)> {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let place = self.pixels.iter().zip(&other.pixels).position(|(a, b)| a != b)?;
        let width = usize::from(self.width);
        Some(((place % width) as u16, (place / width) as u16))
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

/// A port that is free at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
