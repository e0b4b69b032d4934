//! The layout of each window, in the screen's pixels. Nothing is drawn here.

use super::sentence::{Part, Sentence};
use super::sentences;
use super::theme::{Colour, Theme};
use super::typesetting::{Cut, Span, TextBlock, TextBox, Typesetter};
use super::{Choice, Question};

/// A rectangle within a window, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl Area {
    /// Whether a point is inside.
    pub fn has(&self, x: f32, y: f32) -> bool {
        (self.x..self.x + self.w).contains(&x) && (self.y..self.y + self.h).contains(&y)
    }

    /// The area, larger by `by` on each side.
    pub fn grown(&self, by: f32) -> Self {
        Self { x: self.x - by, y: self.y - by, w: self.w + 2.0 * by, h: self.h + 2.0 * by }
    }
}

/// An element of the picture other than text.
pub enum Shape {
    /// A filled area: corner radius, colour.
    Fill(Area, f32, Colour),
    /// A line along an area's edge, inside of it: corner radius, width, colour.
    Frame(Area, f32, f32, Colour),
    Icon(Icon, Area, Colour),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Beware,
    Screen,
    /// Somebody sees the screen.
    Live,
    /// Nobody sees the screen.
    Idle,
    Paused,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The button that agrees.
    Primary,
    /// Any other button.
    Plain,
    /// The button that stops the sharing.
    Stop,
    /// A switch with its text beside it, on or off.
    Switch(bool),
}

pub struct Button {
    pub choice: Choice,
    pub area: Area,
    pub kind: Kind,
    pub label: TextBlock,
}

/// A window's content.
pub struct Scene {
    pub width: f32,
    pub height: f32,
    /// The background.
    pub ground: Colour,
    /// From back to front.
    pub shapes: Vec<Shape>,
    /// Each with its top left corner.
    pub texts: Vec<(f32, f32, TextBlock)>,
    /// In the order of Tab.
    pub buttons: Vec<Button>,
}

/// Makes scenes out of texts, buttons and shapes.
pub struct SceneBuilder<'a> {
    pub fonts: &'a mut Typesetter,
    pub theme: Theme,
    /// Pixels per unit. Sizes in units are the same on every monitor.
    pub scale: f32,
}

/// Font sizes and their line heights, in units.
const LARGE: (f32, f32) = (20.0, 28.0);
pub const BODY: (f32, f32) = (13.0, 20.0);
const SMALL: (f32, f32) = (11.0, 16.0);
/// A window's inner margin and its width, in units.
const MARGIN: f32 = 28.0;
const WIDTH: f32 = 540.0;

impl SceneBuilder<'_> {
    /// The window that asks; `clipboard` is its switch.
    pub fn question(&mut self, question: &Question, clipboard: bool) -> Scene {
        let mut scene = self.sheet(Icon::Screen, self.theme.accent, "Support session");
        let sentence = sentences::asks(&question.requester);
        // An unknown requester takes a longer text, all of which should be read: it gets a
        // smaller font.
        let size = if question.requester.is_unknown() { (16.0, 24.0) } else { LARGE };
        let headline = self.spans(&sentence, self.theme.fg, self.theme.fg);
        self.below(&mut scene, 14.0, &headline, size, 4);
        if !question.requester.is_unknown() {
            let claim = [self.span(
                "This is what they say about themselves; this program can't check it.",
                self.theme.fg_3,
            )];
            self.below(&mut scene, 2.0, &claim, BODY, 2);
        }
        self.facts(&mut scene, question);
        let means = [self.span(sentences::means(question.clipboard), self.theme.fg_2)];
        self.below(&mut scene, 16.0, &means, BODY, 6);
        if question.open_to_readers {
            let open = "The connection to this server is not encrypted (http): on the way others can read names and chat, and what a web page shows.";
            let open = [self.span(open, self.theme.wait)];
            self.below(&mut scene, 8.0, &open, BODY, 3);
        }
        let switch = question.clipboard.then(|| self.switch(&mut scene, clipboard));
        self.warning(&mut scene);
        let share = if clipboard { Choice::ShareWithClipboard } else { Choice::Share };
        self.buttons(
            &mut scene,
            &[(share, Kind::Primary, "Share my screen"), (Choice::Decline, Kind::Plain, "Decline")],
        );
        let hint = [self.span("Esc declines", self.theme.fg_3)];
        let hint = self.lay(&hint, SMALL, self.px(200.0), 1);
        let y = scene.buttons[0].area.y + (scene.buttons[0].area.h - hint.height) / 2.0;
        scene.texts.push((self.px(MARGIN), y, hint));
        // The last one in the order of Tab: who presses Tab once and Enter means the first button.
        scene.buttons.extend(switch);
        scene
    }

    /// Adds the row with the switch of the clipboard.
    fn switch(&mut self, scene: &mut Scene, on: bool) -> Button {
        let label = [self.span("Send them everything that I copy, too", self.theme.fg)];
        let label = self.lay(&label, BODY, self.px(WIDTH - 2.0 * MARGIN - 26.0), 1);
        let (w, h) = (self.px(26.0) + label.width, self.px(24.0));
        let area = Area { x: self.px(MARGIN), y: scene.height + self.px(8.0), w, h };
        scene.height = area.y + h;
        Button { choice: Choice::ToggleClipboard, area, kind: Kind::Switch(on), label }
    }

    /// The window that shows one message.
    pub fn message(&mut self, title: &str, text: &str) -> Scene {
        let mut scene = self.sheet(Icon::Screen, self.theme.accent, "Support session");
        let title = [Span { bold: true, ..self.span(&sentences::notice(title), self.theme.fg) }];
        self.below(&mut scene, 14.0, &title, LARGE, 3);
        let text = [self.span(&sentences::notice(text), self.theme.fg_2)];
        self.below(&mut scene, 10.0, &text, BODY, 10);
        self.buttons(&mut scene, &[(Choice::Decline, Kind::Plain, "Close")]);
        scene
    }

    /// A window with its heading only.
    fn sheet(&mut self, icon: Icon, colour: Colour, heading: &str) -> Scene {
        let mut scene = Scene::new(self.px(WIDTH), self.px(MARGIN - 6.0), self.theme.panel);
        let size = self.px(16.0);
        let at = Area { x: self.px(MARGIN), y: scene.height, w: size, h: size };
        scene.shapes.push(Shape::Icon(icon, at, colour));
        let heading = [self.span(heading, self.theme.fg_3)];
        let block = self.lay(&heading, SMALL, self.px(300.0), 1);
        let (x, height) = (at.x + size + self.px(8.0), block.height);
        scene.texts.push((x, scene.height + (size - height) / 2.0, block));
        scene.height += size;
        scene
    }

    /// Adds a paragraph at the bottom.
    fn below(
        &mut self,
        scene: &mut Scene,
        gap: f32,
        spans: &[Span],
        size: (f32, f32),
        lines: usize,
    ) {
        let block = self.lay(spans, size, self.px(WIDTH - 2.0 * MARGIN), lines);
        scene.height += self.px(gap);
        let height = block.height;
        scene.texts.push((self.px(MARGIN), scene.height, block));
        scene.height += height;
    }

    /// Adds the PIN and the host, which the customer can compare on the phone.
    fn facts(&mut self, scene: &mut Scene, question: &Question) {
        let card = Area {
            x: self.px(MARGIN),
            y: scene.height + self.px(16.0),
            w: self.px(WIDTH - 2.0 * MARGIN),
            h: self.px(60.0),
        };
        scene.shapes.push(Shape::Fill(card, self.px(8.0), self.theme.bg));
        scene.shapes.push(Shape::Frame(card, self.px(8.0), self.px(1.0), self.theme.line));
        let facts = [
            (0.0, 130.0, "PIN", sentences::pin(&question.pin)),
            (160.0, 290.0, "Through the server", sentences::host(&question.host)),
        ];
        for (x, width, label, fact) in facts {
            let x = card.x + self.px(16.0 + x);
            let label = [self.span(label, self.theme.fg_3)];
            let label = self.lay(&label, SMALL, self.px(width), 1);
            let fact = [Span { mono: true, ..self.span(&fact, self.theme.fg) }];
            let (size, leading) = (self.px(14.0), self.px(20.0));
            let room = TextBox { size, leading, width: self.px(width), lines: 1, cut: Cut::Start };
            let fact = self.fonts.lay(&fact, room);
            scene.texts.push((x, card.y + self.px(10.0), label));
            scene.texts.push((x, card.y + self.px(28.0), fact));
        }
        scene.height = card.y + card.h;
    }

    fn warning(&mut self, scene: &mut Scene) {
        let sentence = [Span {
            bold: true,
            ..self.span("Did somebody call you unasked? Decline.", self.theme.wait)
        }];
        let size = self.px(16.0);
        let block = self.lay(&sentence, BODY, self.px(WIDTH - 2.0 * MARGIN - 26.0), 2);
        scene.height += self.px(12.0);
        let y = scene.height + (self.px(BODY.1) - size) / 2.0;
        let at = Area { x: self.px(MARGIN), y, w: size, h: size };
        scene.shapes.push(Shape::Icon(Icon::Beware, at, self.theme.wait));
        let height = block.height;
        scene.texts.push((self.px(MARGIN + 26.0), scene.height, block));
        scene.height += height;
    }

    /// Adds a row of buttons at the bottom right, and completes the window.
    fn buttons(&mut self, scene: &mut Scene, row: &[(Choice, Kind, &str)]) {
        let mut buttons = self.row(row);
        let y = (scene.height + self.px(24.0)).max(self.px(90.0));
        let mut x = scene.width - self.px(MARGIN);
        for button in buttons.iter_mut().rev() {
            (button.area.x, button.area.y) = (x - button.area.w, y);
            x -= button.area.w + self.px(10.0);
        }
        scene.height = y + buttons[0].area.h + self.px(MARGIN - 4.0);
        scene.buttons = buttons;
        let frame = Shape::Frame(scene.all(), 0.0, self.px(1.0).max(1.0), self.theme.line);
        scene.shapes.push(frame);
    }

    /// Buttons with their sizes, but without positions.
    pub fn row(&mut self, row: &[(Choice, Kind, &str)]) -> Vec<Button> {
        let high = self.px(32.0);
        row.iter()
            .map(|&(choice, kind, label)| {
                let colour = if kind == Kind::Plain { self.theme.fg } else { self.theme.ink };
                let label = [Span { bold: kind != Kind::Plain, ..self.span(label, colour) }];
                let label = self.lay(&label, BODY, self.px(300.0), 1);
                let area = Area { x: 0.0, y: 0.0, w: label.width + self.px(28.0), h: high };
                Button { choice, area, kind, label }
            })
            .collect()
    }

    /// Lays out text of a size and line height in units, in a width in pixels.
    pub fn lay(
        &mut self,
        spans: &[Span],
        (size, leading): (f32, f32),
        width: f32,
        lines: usize,
    ) -> TextBlock {
        let (size, leading) = (self.px(size), self.px(leading));
        self.fonts.lay(spans, TextBox { size, leading, width, lines, cut: Cut::End })
    }

    /// A stretch of the program's own text.
    pub fn span(&self, text: &str, colour: Colour) -> Span {
        Span { text: text.to_owned(), colour, bold: false, mono: false }
    }

    /// A sentence. Its names and words are brighter and heavier than the program's own text.
    pub fn spans(&self, sentence: &Sentence, plain: Colour, name: Colour) -> Vec<Span> {
        let of = |part: &Part| match part {
            Part::Plain(_) | Part::Break => self.span(part.text(), plain),
            Part::Name(text) => Span { bold: true, ..self.span(text, name) },
            Part::Words(text) => Span { mono: true, ..self.span(text, self.theme.accent) },
        };
        sentence.0.iter().map(of).collect()
    }

    /// Converts units to whole pixels.
    pub fn px(&self, units: f32) -> f32 {
        (units * self.scale).round()
    }
}

impl Scene {
    pub fn new(width: f32, height: f32, ground: Colour) -> Self {
        let (shapes, texts, buttons) = (Vec::new(), Vec::new(), Vec::new());
        Self { width, height, ground, shapes, texts, buttons }
    }

    /// The whole window.
    pub fn all(&self) -> Area {
        Area { x: 0.0, y: 0.0, w: self.width, h: self.height }
    }
}
