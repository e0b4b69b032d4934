//! Draws the window at rest: flat colours, text, a gradient, a picture like a photo, and
//! the square.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use x11rb::{
    connection::{Connection as _, RequestConnection as _},
    protocol::xproto::{
        ChangeGCAux, ConnectionExt as _, CreateGCAux, Drawable, Gcontext, ImageFormat, Pixmap,
        Rectangle, Window,
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

/// The square's colours, one after the other.
const COLOURS: [u32; 4] = [0x00d0_3030, 0x0020_a040, 0x0030_50e0, 0x00e0_c020];
const SQUARE: Rectangle = Rectangle { x: 64, y: 64, width: 64, height: 64 };
const PAPER: u32 = 0x00ff_ffff;
const INK: u32 = 0x0020_2020;
/// The line height of the core font `fixed`, which every server has built in.
pub const LINE: u16 = 13;
const ASCENT: i16 = 11;
const LETTER: u16 = 6;
/// The size of the frame's number, which is drawn as sixteen blocks.
pub const NUMBER: (u16, u16) = (256, 16);

pub struct Drawing {
    pub display: Arc<RustConnection>,
    pub window: Window,
    depth: u8,
    size: Mutex<(u16, u16)>,
    pen: Gcontext,
    square: Gcontext,
    colour: AtomicUsize,
}

impl Drawing {
    pub fn new(display: Arc<RustConnection>, window: Window, depth: u8, size: (u16, u16)) -> Self {
        let font = display.generate_id().unwrap();
        display.open_font(font, b"fixed").unwrap();
        let (pen, square) = (display.generate_id().unwrap(), display.generate_id().unwrap());
        let plain = CreateGCAux::new().font(font).graphics_exposures(0);
        display.create_gc(pen, window, &plain).unwrap();
        display.create_gc(square, window, &CreateGCAux::new()).unwrap();
        Self { window, depth, size: Mutex::new(size), pen, square, colour: 0.into(), display }
    }

    pub fn size(&self) -> (u16, u16) {
        *self.size.lock().unwrap()
    }

    pub fn resized(&self, size: (u16, u16)) {
        *self.size.lock().unwrap() = size;
        self.scene();
    }

    /// Draws the whole scene.
    pub fn scene(&self) {
        let (width, height) = self.size();
        self.text(self.window, 0, height / LINE + 1, 0);
        let (photo_width, photo_height) = ((width / 3).max(1), (height / 3).max(1));
        let photo = photo(photo_width, photo_height, 0);
        self.image(self.window, width / 2, height / 4, photo_width, &photo);
        let gradient: Vec<u8> = (0..64u32)
            .flat_map(|y| (0..256u32).flat_map(move |x| [x as u8, (y * 4) as u8, 128, 0]))
            .collect();
        self.image(self.window, 160, 64, 256, &gradient);
        self.draw_square();
        self.display.sync().unwrap();
    }

    pub fn next_colour(&self) {
        self.colour.fetch_add(1, Ordering::Relaxed);
        self.draw_square();
        self.display.flush().unwrap();
    }

    fn draw_square(&self) {
        let colour = COLOURS[self.colour.load(Ordering::Relaxed) % COLOURS.len()];
        let with = ChangeGCAux::new().foreground(colour);
        self.display.change_gc(self.square, &with).unwrap();
        self.display.poly_fill_rectangle(self.window, self.square, &[SQUARE]).unwrap();
    }

    /// Draws lines of text on white, the first of them at the height `top`. `from` selects
    /// the text.
    pub fn text(&self, on: Drawable, top: u16, lines: u16, from: u32) {
        let width = self.size().0;
        let paper = Rectangle { x: 0, y: top as i16, width, height: lines.saturating_mul(LINE) };
        self.ink(PAPER);
        self.display.poly_fill_rectangle(on, self.pen, &[paper]).unwrap();
        let ink = ChangeGCAux::new().foreground(INK).background(PAPER);
        self.display.change_gc(self.pen, &ink).unwrap();
        for line in 0..lines {
            let y = (top + line * LINE) as i16 + ASCENT;
            let text = words(from + u32::from(line), width / LETTER);
            // A request holds at most 255 letters.
            for (place, part) in text.as_bytes().chunks(255).enumerate() {
                let x = (place * 255 * usize::from(LETTER)) as i16;
                self.display.image_text8(on, self.pen, x, y, part).unwrap();
            }
        }
    }

    /// Draws an image in strips, because the length of a request is limited.
    pub fn image(&self, on: Drawable, left: u16, top: u16, width: u16, pixels: &[u8]) {
        let row = usize::from(width) * 4;
        let rows = ((self.display.maximum_request_bytes() - 64) / row).min(256);
        for (strip, bytes) in pixels.chunks(rows * row).enumerate() {
            let (y, height) = (top as i16 + (strip * rows) as i16, (bytes.len() / row) as u16);
            self.display
                .put_image(
                    ImageFormat::Z_PIXMAP,
                    on,
                    self.pen,
                    width,
                    height,
                    left as i16,
                    y,
                    0,
                    self.depth,
                    bytes,
                )
                .unwrap();
        }
    }

    /// Draws the frame's number in blocks.
    pub fn number(&self, on: Drawable, top: i16, number: u16) {
        self.ink(0);
        let (width, height) = NUMBER;
        let all = Rectangle { x: 0, y: top, width, height };
        self.display.poly_fill_rectangle(on, self.pen, &[all]).unwrap();
        let set = (0..16).filter(|bit| number & (0x8000 >> bit) != 0);
        let blocks: Vec<_> =
            set.map(|bit| Rectangle { x: bit * 16, y: top, width: 16, height }).collect();
        self.ink(PAPER);
        self.display.poly_fill_rectangle(on, self.pen, &blocks).unwrap();
    }

    pub fn pixmap(&self, width: u16, height: u16) -> Pixmap {
        let pixmap = self.display.generate_id().unwrap();
        self.display.create_pixmap(self.depth, pixmap, self.window, width, height).unwrap();
        pixmap
    }

    /// Copies the rows of `of` that begin at `from` to the height `to` of the window.
    pub fn show(&self, of: Drawable, from: u16, to: u16, width: u16, height: u16) {
        self.display
            .copy_area(of, self.window, self.pen, 0, from as i16, 0, to as i16, width, height)
            .unwrap();
    }

    fn ink(&self, colour: u32) {
        self.display.change_gc(self.pen, &ChangeGCAux::new().foreground(colour)).unwrap();
    }
}

/// A line of text that looks like words; the same for the same number.
fn words(number: u32, letters: u16) -> String {
    let mut state = number.wrapping_mul(2_654_435_761) | 1;
    let mut line = format!("{number:06} ");
    while line.len() < usize::from(letters) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let pick = state >> 24;
        line.push(if pick < 40 { ' ' } else { char::from(b'a' + (pick % 26) as u8) });
    }
    line
}

/// A picture like that of a camera: soft shapes that move, and grain.
pub fn photo(width: u16, height: u16, time: u16) -> Vec<u8> {
    let mut grain = 0x9e37_79b9_u32 ^ u32::from(time);
    let at = f32::from(time) * 0.35;
    let across: Vec<f32> = (0..width).map(|x| (f32::from(x) * 0.011 + at).sin()).collect();
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 4);
    for y in 0..height {
        let down = (f32::from(y) * 0.017 - at).cos();
        for wave in &across {
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = ((grain >> 28) as f32) - 8.0;
            let light = 128.0 + 50.0 * wave + 40.0 * down + noise;
            let warm = 20.0 * wave * down;
            pixels.extend([(light - warm) as u8, light as u8, (light + warm) as u8, 0]);
        }
    }
    pixels
}
