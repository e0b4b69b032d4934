//! The layout of the banner.

use super::scene::{Area, BODY, Icon, Kind, Scene, SceneBuilder, Shape};
use super::theme::Colour;
use super::typesetting::TextBlock;
use super::{Banner, Choice, ClipboardState, sentences};

/// The banner's greatest width in units.
const WIDEST: f32 = 920.0;
/// The most lines for the words to compare.
const WORD_LINES: f32 = 3.0;
/// The most viewers whose names, and whose words, are tried to be shown.
const NAMED: usize = 6;
const WORDED: usize = 12;

/// What is said of another program with the same PIN.
const OTHER_PROGRAM: &str = "Somebody else tried to share a screen with your PIN and was refused. If that was you on another computer, you can move the sharing there.";

/// Texts with their places relative to the block, and the block's size.
struct Block {
    texts: Vec<(f32, f32, TextBlock)>,
    width: f32,
    height: f32,
}

impl Block {
    fn add_below(&mut self, line: TextBlock) {
        self.width = self.width.max(line.width);
        let y = self.height;
        self.height += line.height;
        self.texts.push((0.0, y, line));
    }
}

impl SceneBuilder<'_> {
    /// The banner while the screen is shared, no wider than `most` pixels.
    pub fn banner(&mut self, banner: &Banner, notice: Option<&str>, most: f32) -> Scene {
        let (icon, colour) = self.state(banner);
        let toggle = if banner.paused {
            (Choice::Resume, Kind::Plain, "Let them control")
        } else {
            (Choice::Pause, Kind::Plain, "Pause control")
        };
        let (pad, side, gap) = (self.px(12.0), self.px(38.0), self.px(8.0));
        let mut row = Vec::new();
        if let Some(newcomer) = &banner.newcomer {
            row.push((Choice::LetIn(newcomer.id), Kind::Plain, "Let in"));
            row.push((Choice::Refuse(newcomer.id), Kind::Plain, "Refuse"));
        }
        if let Some(question) = banner.other_program {
            row.push((Choice::Move(question), Kind::Plain, "Move it there"));
            row.push((Choice::Stay(question), Kind::Plain, "Stay here"));
        }
        let of_clipboard = match &banner.clipboard {
            ClipboardState::Kept => None,
            ClipboardState::Asked { question, .. } => {
                Some((Choice::SendClipboard(*question), "Send it"))
            }
            ClipboardState::Shared => Some((Choice::KeepClipboard, "Keep my clipboard")),
        };
        row.extend(of_clipboard.map(|(choice, label)| (choice, Kind::Plain, label)));
        row.extend([toggle, (Choice::Stop, Kind::Stop, "Stop")]);
        let mut buttons = self.row(&row);
        let taken = buttons.iter().map(|button| button.area.w + gap).sum::<f32>() + gap;
        let room = (most.min(self.px(WIDEST)) - side - pad - taken).max(self.px(120.0));
        let plain = if banner.reconnecting || banner.paused { colour } else { self.theme.fg_2 };
        let first = self.sentence(banner, room, plain);
        let below = self.below_sentence(banner, notice, room + taken);
        let wide = (first.width.max(self.px(180.0)) + taken).max(below.width);
        let (row, stripe) = (buttons[0].area.h.max(first.height), self.px(3.0));
        let top = stripe + self.px(6.0);
        let under = top + row + if below.height > 0.0 { self.px(2.0) } else { 0.0 };
        let height = under + below.height + self.px(7.0);
        let mut scene = Scene::new(side + wide + pad, height, self.theme.panel);
        let all = scene.all();
        scene.shapes.push(Shape::Frame(all, 0.0, self.px(1.0).max(1.0), self.theme.edge));
        scene.shapes.push(Shape::Fill(Area { h: stripe, ..all }, 0.0, colour));
        let (size, middle) = (self.px(16.0), top + row / 2.0);
        let at = Area { x: self.px(14.0), y: middle - size / 2.0, w: size, h: size };
        scene.shapes.push(Shape::Icon(icon, at, colour));
        scene.texts.push((side, middle - first.height / 2.0, first));
        let placed = below.texts.into_iter();
        scene.texts.extend(placed.map(|(x, y, block)| (side + x, under + y, block)));
        let mut x = scene.width - pad;
        for button in buttons.iter_mut().rev() {
            (button.area.x, button.area.y) = (x - button.area.w, middle - button.area.h / 2.0);
            x -= button.area.w + gap;
        }
        scene.buttons = buttons;
        scene
    }

    /// The icon and the colour of the present state.
    fn state(&self, banner: &Banner) -> (Icon, Colour) {
        match (banner.reconnecting, banner.paused, banner.viewers.is_empty()) {
            (true, _, _) => (Icon::Beware, self.theme.wait),
            (false, true, _) => (Icon::Paused, self.theme.wait),
            (false, false, true) => (Icon::Idle, self.theme.fg_2),
            (false, false, false) => (Icon::Live, self.theme.bad),
        }
    }

    /// Who watches, in one line, with as many names as fit.
    fn sentence(&mut self, banner: &Banner, room: f32, plain: Colour) -> TextBlock {
        for named in (1..=banner.viewers.len().min(NAMED)).rev() {
            let spans = self.spans(&sentences::watched(banner, named), plain, self.theme.fg);
            let block = self.lay(&spans, BODY, f32::MAX, 1);
            if block.width <= room {
                return block;
            }
        }
        let spans = self.spans(&sentences::watched(banner, 1), plain, self.theme.fg);
        self.lay(&spans, BODY, room, 2)
    }

    /// The words to compare, the clipboard, and the notice.
    fn below_sentence(&mut self, banner: &Banner, notice: Option<&str>, room: f32) -> Block {
        let mut block = self.words(banner, room);
        let clipboard = sentences::clipboard(banner)
            .map(|sentence| self.spans(&sentence, self.theme.fg_2, self.theme.fg));
        let asks = banner.newcomer.as_ref().map(sentences::lets_in);
        let warned = sentences::unsealed(banner).into_iter().chain(asks);
        let mut warned: Vec<_> =
            warned.map(|it| self.spans(&it, self.theme.wait, self.theme.fg)).collect();
        if banner.other_program.is_some() {
            warned.push(vec![self.span(OTHER_PROGRAM, self.theme.wait)]);
        }
        let notice = notice.map(|it| vec![self.span(&sentences::notice(it), self.theme.info)]);
        for spans in warned.into_iter().chain(clipboard).chain(notice) {
            let line = self.lay(&spans, BODY, room, 3);
            block.add_below(line);
        }
        block
    }

    /// The words of as many viewers as there are lines for, each with the viewer's name.
    fn words(&mut self, banner: &Banner, room: f32) -> Block {
        let all = sentences::words(banner);
        for shown in (1..=all.len().min(WORDED)).rev() {
            let mut pieces = vec![self.lay(&[self.span("Words:", self.theme.fg_2)], BODY, room, 1)];
            for sentence in &all[..shown] {
                let spans = self.spans(sentence, self.theme.fg_2, self.theme.fg);
                pieces.push(self.lay(&spans, BODY, room, 2));
            }
            if shown < all.len() {
                let more = self.span(&format!("and {} more", all.len() - shown), self.theme.fg_2);
                pieces.push(self.lay(&[more], BODY, room, 1));
            }
            let block = flow(pieces, room, [self.px(8.0), self.px(18.0)]);
            if block.height <= self.px(BODY.1) * WORD_LINES || shown == 1 {
                return block;
            }
        }
        Block { texts: Vec::new(), width: 0.0, height: 0.0 }
    }
}

/// Puts pieces side by side, and on the next line those that don't fit. `gaps` are the gap after
/// the first piece, and that after the others.
fn flow(pieces: Vec<TextBlock>, room: f32, gaps: [f32; 2]) -> Block {
    let (mut x, mut y, mut high) = (0.0_f32, 0.0, 0.0_f32);
    let mut block = Block { texts: Vec::new(), width: 0.0, height: 0.0 };
    for piece in pieces {
        if x > 0.0 && x + piece.width > room {
            (x, y, high) = (0.0, y + high, 0.0);
        }
        high = high.max(piece.height);
        let right = x + piece.width;
        block.width = block.width.max(right);
        let gap = gaps[usize::from(!block.texts.is_empty())];
        // Fonts have different baselines; the pieces are aligned by them.
        let base = block.texts.first().map_or(piece.baseline, |(_, _, first)| first.baseline);
        block.texts.push((x, y + base - piece.baseline, piece));
        x = right + gap;
    }
    block.height = y + high;
    block
}
