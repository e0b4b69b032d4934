//! Lays out and draws text of any script, with the fonts of the computer.

use cosmic_text::{
    Attrs, Buffer, Color, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, Metrics, Shaping,
    SwashCache, Weight, Wrap,
};
use tiny_skia::{Pixmap, PremultipliedColorU8};

use super::scene::Area;
use super::theme::Colour;
use crate::screen::ScreenError;

/// The first of these that is installed is used; characters that it lacks come from any font that
/// has them.
// Fonts that desktops bring along: with one of its own the program, which customers download for
// one session, would be larger, and its window would look like a stranger on the desktop.
const SANS: [&str; 9] = [
    "Inter",
    "Noto Sans",
    "Ubuntu",
    "Cantarell",
    "Open Sans",
    "Roboto",
    "DejaVu Sans",
    "Liberation Sans",
    "FreeSans",
];
const MONO: [&str; 6] = [
    "JetBrains Mono",
    "Noto Sans Mono",
    "Ubuntu Mono",
    "DejaVu Sans Mono",
    "Liberation Mono",
    "FreeMono",
];

/// The most drawn glyphs in the cache.
const MOST_GLYPHS: usize = 4096;

/// The fonts and their drawn glyphs.
pub struct Typesetter {
    fonts: FontSystem,
    glyphs: SwashCache,
}

/// A stretch of text that looks the same.
#[derive(Debug, Clone)]
pub struct Span {
    pub text: String,
    pub colour: Colour,
    pub bold: bool,
    /// In a font whose characters all have the same width.
    pub mono: bool,
}

/// A text's font size and the space for it, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct TextBox {
    pub size: f32,
    /// The distance from one line to the next.
    pub leading: f32,
    /// The width at which lines are broken.
    pub width: f32,
    /// The most lines; the last one ends in an ellipsis if there is more.
    pub lines: usize,
    /// Where a text that is too long is cut.
    pub cut: Cut,
}

/// Where a text that is too long is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// At the end: for sentences.
    End,
    /// At the start: for hosts, whose end shows the owner.
    Start,
}

/// Text that is laid out.
pub struct TextBlock {
    buffer: Buffer,
    pub width: f32,
    pub height: f32,
    /// The distance from the top to the first line's baseline.
    pub baseline: f32,
    /// Whether there was more text than room.
    pub cut: bool,
}

impl Typesetter {
    /// Finds the computer's fonts. It takes a while, so it is done once.
    ///
    /// # Errors
    /// There is no usable font.
    pub fn new() -> Result<Self, ScreenError> {
        let mut fonts = FontSystem::new();
        let faces: Vec<_> = fonts.db().faces().map(|face| (face.id, face.weight)).collect();
        // cosmic-text panics when it lays out text without a single font that loads.
        if !faces.into_iter().any(|(id, weight)| fonts.get_font(id, weight).is_some()) {
            return Err(ScreenError::NoFonts);
        }
        let first = |names: &[&'static str]| {
            let there = |name: &str| {
                fonts
                    .db()
                    .faces()
                    .any(|face| face.families.iter().any(|(family, _)| family == name))
            };
            names.iter().copied().find(|name| there(name))
        };
        let (sans, mono) = (first(&SANS), first(&MONO));
        if let Some(sans) = sans {
            fonts.db_mut().set_sans_serif_family(sans);
        }
        if let Some(mono) = mono {
            fonts.db_mut().set_monospace_family(mono);
        }
        Ok(Self { fonts, glyphs: SwashCache::new() })
    }

    pub fn lay(&mut self, spans: &[Span], room: TextBox) -> TextBlock {
        let block = self.lay_all(spans, room);
        if block.fits(room) {
            return block;
        }
        // Only cosmic-text can cut a start or a single line, and it begins the last of several lines
        // with the space that ends the line before.
        let shorter = (room.lines > 1 && room.cut == Cut::End)
            .then(|| self.lay_beginning(spans, room))
            .flatten();
        TextBlock {
            cut: true,
            ..shorter.unwrap_or_else(|| ellipsized(&mut self.fonts, block, room))
        }
    }

    /// Lays out the whole text, in as many lines as it takes.
    fn lay_all(&mut self, spans: &[Span], room: TextBox) -> TextBlock {
        let mut buffer = Buffer::new(&mut self.fonts, Metrics::new(room.size, room.leading));
        buffer.set_wrap(if room.lines > 1 { Wrap::WordOrGlyph } else { Wrap::None });
        buffer.set_size(Some(room.width.max(1.0)), None);
        let spans = spans.iter().map(|span| (span.text.as_str(), attrs(span)));
        let plain = Attrs::new().family(Family::SansSerif);
        buffer.set_rich_text(spans, &plain, Shaping::Advanced, None);
        buffer.shape_until_scroll(&mut self.fonts, false);
        TextBlock::of(buffer, room)
    }

    /// Lays out as much of the text's beginning as there is room for, and an ellipsis.
    fn lay_beginning(&mut self, spans: &[Span], room: TextBox) -> Option<TextBlock> {
        let mut best = None;
        let (mut fits, mut all) =
            (0, spans.iter().map(|span| span.text.chars().count()).sum::<usize>());
        while fits + 1 < all {
            let tried = usize::midpoint(fits, all);
            let block = self.lay_all(&beginning(spans, tried), room);
            if block.fits(room) {
                (fits, best) = (tried, Some(block));
            } else {
                all = tried;
            }
        }
        best
    }

    /// Draws a text with its top left corner at a point. Nothing is drawn outside of its own lines,
    /// so that combining characters piled on a name don't cover the text above.
    pub fn draw(&mut self, on: &mut Pixmap, block: &mut TextBlock, x: f32, y: f32) {
        // Strangers choose the names, so the cache of their glyphs has to be bounded.
        if self.glyphs.image_cache.len() > MOST_GLYPHS {
            self.glyphs = SwashCache::new();
        }
        let (left, top) = (x.round() as i32, y.round() as i32);
        let clip = Area { x, y, w: block.width + 2.0, h: block.height };
        let (width, height) = (on.width() as i32, on.height() as i32);
        let pixels = on.pixels_mut();
        let ink = Color::rgb(255, 255, 255);
        block.buffer.draw(&mut self.fonts, &mut self.glyphs, ink, |x, y, w, h, colour| {
            for y in y + top..y + top + h as i32 {
                for x in x + left..x + left + w as i32 {
                    let inside = (0..width).contains(&x) && (0..height).contains(&y);
                    if inside && clip.has(x as f32, y as f32) {
                        let pixel = &mut pixels[(y * width + x) as usize];
                        *pixel = blend(*pixel, colour);
                    }
                }
            }
        });
    }
}

impl TextBlock {
    fn of(buffer: Buffer, room: TextBox) -> Self {
        let (width, lines) = extent(&buffer);
        let baseline = buffer.layout_runs().next().map_or(0.0, |run| run.line_y);
        let height = lines as f32 * room.leading;
        Self { buffer, width: width.ceil(), height, baseline, cut: false }
    }

    fn fits(&self, room: TextBox) -> bool {
        let (width, lines) = extent(&self.buffer);
        lines <= room.lines && width <= room.width
    }

    /// The text of each line.
    #[cfg(test)]
    pub fn lines(&self) -> Vec<String> {
        let of = |run: cosmic_text::LayoutRun<'_>| {
            let start = run.glyphs.iter().map(|glyph| glyph.start).min()?;
            let end = run.glyphs.iter().map(|glyph| glyph.end).max()?;
            run.text.get(start..end).map(str::to_owned)
        };
        self.buffer.layout_runs().filter_map(of).collect()
    }
}

/// A text that is too long, cut by cosmic-text.
fn ellipsized(fonts: &mut FontSystem, mut block: TextBlock, room: TextBox) -> TextBlock {
    let limit = EllipsizeHeightLimit::Lines(room.lines);
    block.buffer.set_ellipsize(match room.cut {
        Cut::End => Ellipsize::End(limit),
        Cut::Start => Ellipsize::Start(limit),
    });
    block.buffer.shape_until_scroll(fonts, false);
    TextBlock::of(block.buffer, room)
}

/// The first `most` characters, and an ellipsis.
fn beginning(spans: &[Span], most: usize) -> Vec<Span> {
    let mut left = most;
    let mut kept = Vec::new();
    for span in spans {
        if left == 0 {
            break;
        }
        let text: String = span.text.chars().take(left).collect();
        left -= text.chars().count();
        kept.push(Span { text, ..span.clone() });
    }
    if let Some(last) = kept.last_mut() {
        last.text = format!("{}…", last.text.trim_end());
    }
    kept
}

/// The width of the widest line, and the number of lines.
fn extent(buffer: &Buffer) -> (f32, usize) {
    buffer.layout_runs().fold((0.0, 0), |(width, lines), run| (run.line_w.max(width), lines + 1))
}

fn attrs(span: &Span) -> Attrs<'static> {
    let [red, green, blue] = span.colour;
    let family = if span.mono { Family::Monospace } else { Family::SansSerif };
    let weight = if span.bold { Weight::BOLD } else { Weight::NORMAL };
    Attrs::new().family(family).weight(weight).color(Color::rgb(red, green, blue))
}

/// Blends a colour over an opaque pixel.
fn blend(under: PremultipliedColorU8, over: Color) -> PremultipliedColorU8 {
    let alpha = u32::from(over.a());
    let one = |under: u8, over: u8| {
        ((u32::from(over) * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8
    };
    let (red, green, blue) =
        (one(under.red(), over.r()), one(under.green(), over.g()), one(under.blue(), over.b()));
    PremultipliedColorU8::from_rgba(red, green, blue, 255).unwrap_or(under)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;

    fn span(text: &str) -> Span {
        Span { text: text.to_owned(), colour: [255, 255, 255], bold: false, mono: false }
    }

    fn room(width: f32, lines: usize) -> TextBox {
        TextBox { size: 13.0, leading: 19.0, width, lines, cut: Cut::End }
    }

    #[test]
    fn a_text_that_is_too_long_ends_in_the_lines_it_has() {
        let mut fonts = Typesetter::new().unwrap();
        let long = span(&"many words and ".repeat(40));
        for lines in [1, 3] {
            let block = fonts.lay(std::slice::from_ref(&long), room(200.0, lines));
            assert_eq!(block.height, lines as f32 * 19.0);
            assert!(block.width <= 200.0, "{}", block.width);
            assert!(block.cut);
            let begins_with_a_space = block.lines().iter().any(|line| line.starts_with(' '));
            assert!(!begins_with_a_space, "{:?}", block.lines());
        }
    }

    #[test]
    fn no_text_of_a_stranger_makes_it_fail() {
        let with = RefCell::new((Typesetter::new().unwrap(), Pixmap::new(300, 60).unwrap()));
        let shapes = "[a\u{300}-\u{36f}]{0,60}";
        let turned = "[א-ת٠-٩0-9a-c \u{200d}\u{fe0f}👩-👯(),]{0,60}";
        let cases = ProptestConfig::with_cases(64);
        proptest!(cases, |(raw in ".{0,60}", shapes in shapes, turned in turned, width in 1.0_f32..250.0)| {
            let (fonts, on) = &mut *with.borrow_mut();
            for text in [raw, shapes, turned] {
                let text = super::super::sentences::notice(&text);
                let sentence = span(&format!("\u{2068}{text}\u{2069} watches"));
                let mut block = fonts.lay(&[sentence], room(width, 2));
                prop_assert!(block.height <= 2.0 * 19.0);
                fonts.draw(on, &mut block, 4.0, 4.0);
            }
        });
    }
}
