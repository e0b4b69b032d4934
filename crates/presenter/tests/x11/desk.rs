//! An X server of a test's own, and a program on it that draws.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{self, CreateGCAux, CreateWindowAux, Rectangle, Window, WindowClass};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// A running Xvfb; it ends with this.
pub struct ConsentUi {
    server: Child,
    pub display: String,
}

impl ConsentUi {
    /// Starts one of this size; it names its display when it is ready.
    pub fn start(size: &str, options: &[&str]) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp", "-noreset"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        let ready = server.stdout.take().expect("is piped");
        BufReader::new(ready).read_line(&mut number).expect("Xvfb names its display");
        assert!(!number.trim().is_empty(), "Xvfb did not start");
        Self { server, display: format!(":{}", number.trim()) }
    }

    /// A program of this desk, to be started.
    pub fn program(&self, name: &str) -> Command {
        let mut program = Command::new(name);
        program.env("DISPLAY", &self.display).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        program
    }

    /// Runs a program to its end.
    pub fn run(&self, name: &str, arguments: &[&str]) {
        let ran = self.program(name).args(arguments).output().expect("is installed");
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    /// Lets it go away as when the customer signs out.
    pub fn stop(&mut self) {
        self.server.kill().expect("runs");
        self.server.wait().expect("ends");
    }
}

impl Drop for ConsentUi {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }
}

/// A program that draws.
pub struct Painter {
    pub conn: RustConnection,
    pub root: Window,
    pub window: Window,
    gc: u32,
}

impl Painter {
    /// With a black window all over the screen.
    pub fn start(desk: &ConsentUi, width: u16, height: u16) -> Self {
        let (conn, screen) = RustConnection::connect(Some(&desk.display)).unwrap();
        let root = conn.setup().roots[screen].root;
        let (window, gc) = (conn.generate_id().unwrap(), conn.generate_id().unwrap());
        let settings = CreateWindowAux::new().background_pixel(0).override_redirect(1);
        let class = WindowClass::INPUT_OUTPUT;
        xproto::create_window(&conn, 0, window, root, 0, 0, width, height, 0, class, 0, &settings)
            .unwrap();
        xproto::map_window(&conn, window).unwrap();
        xproto::create_gc(&conn, gc, window, &CreateGCAux::new()).unwrap();
        conn.sync().unwrap();
        Self { conn, root, window, gc }
    }

    /// Fills a rectangle with a colour, and returns when it is on the screen.
    pub fn fill(&self, colour: u32, x: i16, y: i16, width: u16, height: u16) {
        let settings = xproto::ChangeGCAux::new().foreground(colour);
        xproto::change_gc(&self.conn, self.gc, &settings).unwrap();
        let area = Rectangle { x, y, width, height };
        xproto::poly_fill_rectangle(&self.conn, self.window, self.gc, &[area]).unwrap();
        self.conn.sync().unwrap();
    }

    /// Draws pixels, each blue, green, red and one byte more.
    pub fn draw(&self, x: i16, y: i16, width: u16, height: u16, pixels: &[u8]) {
        let format = xproto::ImageFormat::Z_PIXMAP;
        xproto::put_image(
            &self.conn,
            format,
            self.window,
            self.gc,
            width,
            height,
            x,
            y,
            0,
            24,
            pixels,
        )
        .unwrap();
        self.conn.sync().unwrap();
    }
}
