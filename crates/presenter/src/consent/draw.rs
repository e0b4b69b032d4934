//! Draws a scene as a picture.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

use super::button_input::ButtonStates;
use super::scene::{Area, Button, Icon, Kind, Scene, Shape};
use super::theme::{Colour, Theme, mix};
use super::typesetting::Typesetter;

/// How much brighter a button is under the pointer, and while it is held down.
pub const HOVER: f32 = 0.12;
pub const PRESSED: f32 = 0.24;

/// Draws a scene. `states` are those of its buttons.
pub fn picture(
    scene: &mut Scene,
    states: ButtonStates,
    theme: &Theme,
    fonts: &mut Typesetter,
    scale: f32,
) -> Option<Pixmap> {
    let mut on = Pixmap::new(scene.width as u32, scene.height as u32)?;
    let [red, green, blue] = scene.ground;
    on.fill(Color::from_rgba8(red, green, blue, 255));
    for shape in &scene.shapes {
        match *shape {
            Shape::Fill(area, radius, colour) => fill(&mut on, rounded(area, radius), colour),
            Shape::Frame(area, radius, width, colour) => {
                frame(&mut on, area, radius, width, colour)
            }
            Shape::Icon(icon, area, colour) => draw_icon(&mut on, icon, area, colour, scene.ground),
        }
    }
    for (x, y, block) in &mut scene.texts {
        fonts.draw(&mut on, block, *x, *y);
    }
    for (i, button) in scene.buttons.iter_mut().enumerate() {
        draw_button(&mut on, button, states.button(i), theme, fonts, scale);
    }
    Some(on)
}

/// The state of one button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ButtonState {
    /// The pointer is over it.
    pub hover: bool,
    /// It is held down.
    pub pressed: bool,
    /// It has the focus, so Enter presses it.
    pub focus: bool,
}

fn draw_button(
    on: &mut Pixmap,
    button: &mut Button,
    state: ButtonState,
    theme: &Theme,
    fonts: &mut Typesetter,
    scale: f32,
) {
    if let Kind::Switch(is_on) = button.kind {
        return draw_switch(on, button, is_on, state, theme, fonts, scale);
    }
    let lighter = match (state.pressed, state.hover) {
        (true, _) => PRESSED,
        (false, true) => HOVER,
        (false, false) => 0.0,
    };
    let ground = match button.kind {
        Kind::Primary => theme.accent,
        Kind::Plain | Kind::Switch(_) => theme.raise,
        Kind::Stop => theme.bad,
    };
    let radius = 6.0 * scale;
    fill(on, rounded(button.area, radius), mix(ground, theme.fg, lighter));
    if button.kind == Kind::Plain {
        frame(on, button.area, radius, scale.round().max(1.0), theme.edge);
    }
    if state.focus {
        let gap = (2.0 * scale).round();
        let ring = button.area.grown(gap * 2.0);
        frame(on, ring, radius + gap * 2.0, gap, theme.accent);
    }
    let Area { x, y, w, h } = button.area;
    let (width, height) = (button.label.width, button.label.height);
    fonts.draw(on, &mut button.label, x + (w - width) / 2.0, y + (h - height) / 2.0);
}

fn draw_switch(
    on: &mut Pixmap,
    button: &mut Button,
    is_on: bool,
    state: ButtonState,
    theme: &Theme,
    fonts: &mut Typesetter,
    scale: f32,
) {
    let Area { x, y, h, .. } = button.area;
    let side = (16.0 * scale).round();
    let mark = Area { x, y: y + ((h - side) / 2.0).round(), w: side, h: side };
    let line = scale.round().max(1.0);
    fill(on, rounded(mark, 4.0 * scale), theme.raise);
    let edge = if state.hover || state.focus { theme.fg } else { theme.edge };
    frame(on, mark, 4.0 * scale, line, edge);
    if is_on {
        fill(on, rounded(mark.grown(-(4.0 * scale).round()), scale), theme.fg);
    }
    if state.focus {
        let gap = (2.0 * scale).round();
        frame(on, button.area.grown(gap * 2.0), 6.0 * scale, gap, theme.accent);
    }
    let height = button.label.height;
    fonts.draw(on, &mut button.label, x + (26.0 * scale).round(), y + (h - height) / 2.0);
}

fn draw_icon(on: &mut Pixmap, icon: Icon, area: Area, colour: Colour, ground: Colour) {
    // Icons are designed on a grid of 16 by 16.
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
    match icon {
        Icon::Beware => {
            let corners = [at(8.0, 1.8), at(15.0, 14.0), at(1.0, 14.0)];
            stroke(on, polygon(&corners), 2.0 * unit, colour);
            fill(on, polygon(&corners), colour);
            fill(on, rounded(part(7.1, 5.4, 1.8, 4.6), 0.9 * unit), ground);
            fill(on, rounded(part(7.1, 11.2, 1.8, 1.8), 0.9 * unit), ground);
        }
        Icon::Screen => {
            frame(on, part(0.5, 1.5, 15.0, 10.0), 2.0 * unit, 1.6 * unit, colour);
            fill(on, rounded(part(7.2, 11.0, 1.6, 3.0), 0.0), colour);
            fill(on, rounded(part(4.0, 13.4, 8.0, 1.6), 0.8 * unit), colour);
        }
        Icon::Live => {
            fill(on, circle(4.4), colour);
            stroke(on, circle(7.0), 1.2 * unit, mix(ground, colour, 0.6));
        }
        Icon::Idle => stroke(on, circle(5.4), 1.8 * unit, colour),
        Icon::Paused => {
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
    // With this distance of its handles from the corner, a Bézier curve comes closest to a circle.
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
