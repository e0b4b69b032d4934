//! Scenes become pictures.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

use super::hands::Touch;
use super::layout::{Area, Button, Kind, Mark, Scene, Sign};
use super::look::{Colour, Look, mix};
use super::text::Type;

/// How much brighter a button is under the pointer, and when it is held.
pub const HOVER: f32 = 0.12;
pub const PRESSED: f32 = 0.24;

/// Draws a scene; `touch` says which button is under the pointer, held or in focus.
pub fn picture(
    scene: &mut Scene,
    touch: Touch,
    look: &Look,
    fonts: &mut Type,
    scale: f32,
) -> Option<Pixmap> {
    let mut on = Pixmap::new(scene.width as u32, scene.height as u32)?;
    let [red, green, blue] = scene.ground;
    on.fill(Color::from_rgba8(red, green, blue, 255));
    for mark in &scene.marks {
        match *mark {
            Mark::Fill(area, radius, colour) => fill(&mut on, rounded(area, radius), colour),
            Mark::Frame(area, radius, width, colour) => frame(&mut on, area, radius, width, colour),
            Mark::Sign(sign, area, colour) => draw_sign(&mut on, sign, area, colour, scene.ground),
        }
    }
    for (x, y, laid) in &mut scene.texts {
        fonts.draw(&mut on, laid, *x, *y);
    }
    for (i, button) in scene.buttons.iter_mut().enumerate() {
        draw_button(&mut on, button, touch.of(i), look, fonts, scale);
    }
    Some(on)
}

/// How one button is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// The pointer is over it.
    pub hover: bool,
    /// It is held.
    pub pressed: bool,
    /// Enter presses it.
    pub focus: bool,
}

fn draw_button(
    on: &mut Pixmap,
    button: &mut Button,
    touched: Touched,
    look: &Look,
    fonts: &mut Type,
    scale: f32,
) {
    let lighter = match (touched.pressed, touched.hover) {
        (true, _) => PRESSED,
        (false, true) => HOVER,
        (false, false) => 0.0,
    };
    let ground = match button.kind {
        Kind::Primary => look.accent,
        Kind::Plain => look.raise,
        Kind::Stop => look.bad,
    };
    let radius = 6.0 * scale;
    fill(on, rounded(button.area, radius), mix(ground, look.fg, lighter));
    if button.kind == Kind::Plain {
        frame(on, button.area, radius, scale.round().max(1.0), look.edge);
    }
    if touched.focus {
        let gap = (2.0 * scale).round();
        let ring = button.area.grown(gap * 2.0);
        frame(on, ring, radius + gap * 2.0, gap, look.accent);
    }
    let Area { x, y, w, h } = button.area;
    let (width, height) = (button.label.width, button.label.height);
    fonts.draw(on, &mut button.label, x + (w - width) / 2.0, y + (h - height) / 2.0);
}

fn draw_sign(on: &mut Pixmap, sign: Sign, area: Area, colour: Colour, ground: Colour) {
    // Drawn on a grid of 16.
    let unit = area.w / 16.0;
    let at = |x: f32, y: f32| (area.x + x * unit, area.y + y * unit);
    let part = |x: f32, y: f32, w: f32, h: f32| Area {
        x: area.x + x * unit,
        y: area.y + y * unit,
        w: w * unit,
        h: h * unit,
    };
    let (middle, centre) = at(8.0, 8.0);
    let circle = |radius: f32| PathBuilder::from_circle(middle, centre, radius * unit);
    match sign {
        Sign::Beware => {
            let corners = [at(8.0, 1.8), at(15.0, 14.0), at(1.0, 14.0)];
            stroke(on, polygon(&corners), 2.0 * unit, colour);
            fill(on, polygon(&corners), colour);
            fill(on, rounded(part(7.1, 5.4, 1.8, 4.6), 0.9 * unit), ground);
            fill(on, rounded(part(7.1, 11.2, 1.8, 1.8), 0.9 * unit), ground);
        }
        Sign::Screen => {
            frame(on, part(0.5, 1.5, 15.0, 10.0), 2.0 * unit, 1.6 * unit, colour);
            fill(on, rounded(part(7.2, 11.0, 1.6, 3.0), 0.0), colour);
            fill(on, rounded(part(4.0, 13.4, 8.0, 1.6), 0.8 * unit), colour);
        }
        Sign::Live => {
            fill(on, circle(4.4), colour);
            stroke(on, circle(7.0), 1.2 * unit, mix(ground, colour, 0.6));
        }
        Sign::Idle => stroke(on, circle(5.4), 1.8 * unit, colour),
        Sign::Paused => {
            fill(on, rounded(part(3.0, 2.0, 3.6, 12.0), unit), colour);
            fill(on, rounded(part(9.4, 2.0, 3.6, 12.0), unit), colour);
        }
    }
}

fn fill(on: &mut Pixmap, path: Option<Path>, colour: Colour) {
    if let Some(path) = path {
        on.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }
}

fn stroke(on: &mut Pixmap, path: Option<Path>, width: f32, colour: Colour) {
    let stroke =
        Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
    if let Some(path) = path {
        on.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }
}

fn frame(on: &mut Pixmap, area: Area, radius: f32, width: f32, colour: Colour) {
    let inside = area.grown(-width / 2.0);
    stroke(on, rounded(inside, (radius - width / 2.0).max(0.0)), width, colour);
}

fn paint(colour: Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

fn polygon(corners: &[(f32, f32)]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (i, &(x, y)) in corners.iter().enumerate() {
        if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.close();
    path.finish()
}

fn rounded(Area { x, y, w, h }: Area, radius: f32) -> Option<Path> {
    if radius <= 0.0 {
        return Some(PathBuilder::from_rect(Rect::from_xywh(x, y, w, h)?));
    }
    let r = radius.min(w / 2.0).min(h / 2.0);
    // How far a curve's handles are from its corner, for the nearest to a circle.
    let k = r * 0.447_715_24;
    let (right, bottom) = (x + w, y + h);
    let mut path = PathBuilder::new();
    path.move_to(x + r, y);
    path.line_to(right - r, y);
    path.cubic_to(right - k, y, right, y + k, right, y + r);
    path.line_to(right, bottom - r);
    path.cubic_to(right, bottom - k, right - k, bottom, right - r, bottom);
    path.line_to(x + r, bottom);
    path.cubic_to(x + k, bottom, x, bottom - k, x, bottom - r);
    path.line_to(x, y + r);
    path.cubic_to(x, y + k, x + k, y, x + r, y);
    path.close();
    path.finish()
}
