//! The layout of the banner: who watches, with the buttons that must always be there, and below it a line
//! for each question with its own buttons. So however much there is to ask, Stop stays where it is, and nothing is
//! wider than the monitor.

use super::scene::{Area, BODY, Button, Icon, Kind, Scene, SceneBuilder, Shape};
use super::sentence::{Part, Sentence};
use super::theme::Colour;
use super::typesetting::TextBlock;
use super::{Banner, Choice, ClipboardState, sentences};

/// The banner's greatest width in units: longer lines are hard to read.
const WIDEST: f32 = 1040.0;
/// The most lines for one sentence, and for the words to compare.
const LINES: usize = 3;
/// The most viewers whose names, and whose words, are tried to be shown.
const NAMED: usize = 6;
const WORDED: usize = 12;
/// To how many characters names are shortened, one after the other, where a sentence has too little room.
const SHORTER: [usize; 4] = [28, 20, 14, 10];
/// The gaps in units between buttons, between lines, and around lines with buttons.
const GAP: f32 = 8.0;
const BETWEEN: f32 = 2.0;
const AROUND: f32 = 6.0;
/// The margins in units: on the left with the room for the icon, and on the right.
const SIDE: f32 = 38.0;
const PAD: f32 = 12.0;

/// What is said of another program with the same PIN.
const OTHER_PROGRAM: &str = "Somebody else tried to share a screen with your PIN and was refused. If that was you on another computer, you can move the sharing there.";

type Row<'a> = &'a [(Choice, Kind, &'a str)];

/// Texts with their places relative to the block, and the block's size.
#[derive(Default)]
struct Block {
    texts: Vec<(f32, f32, TextBlock)>,
    width: f32,
    height: f32,
}

impl Block {
    fn of(line: TextBlock) -> Self {
        let mut block = Self::default();
        block.add_below(line);
        block
    }

    fn add_below(&mut self, line: TextBlock) {
        self.width = self.width.max(line.width);
        let y = self.height;
        self.height += line.height;
        self.texts.push((0.0, y, line));
    }

    fn is_cut(&self) -> bool {
        self.texts.iter().any(|(_, _, text)| text.cut)
    }
}

/// A text and the buttons that belong to it.
struct BannerLine {
    text: Block,
    buttons: Vec<Button>,
    /// Whether the buttons are below the text, since beside them there is too little room for it.
    below: bool,
}

impl BannerLine {
    fn plain(text: Block) -> Self {
        Self { text, buttons: Vec::new(), below: false }
    }
}

impl SceneBuilder<'_> {
    /// The banner while the screen is shared, no wider than `most` pixels.
    pub fn banner(&mut self, banner: &Banner, notice: Option<&str>, most: f32) -> Scene {
        let (icon, colour) = self.state(banner);
        let (side, stripe) = (self.px(SIDE), self.px(3.0));
        let room = most.floor().min(self.px(WIDEST)) - side - self.px(PAD);
        let mut lines = vec![self.first(banner, colour, room)];
        self.below_first(&mut lines, banner, notice, room);
        let wide = lines.iter().map(|line| self.width(line)).fold(0.0, f32::max);
        let mut scene = Scene::new(side + wide + self.px(PAD), stripe, self.theme.panel);
        let (size, mut middle) = (self.px(16.0), None);
        let mut after_buttons = true;
        for line in lines {
            let buttons = !line.buttons.is_empty();
            scene.height += self.px(if after_buttons || buttons { AROUND } else { BETWEEN });
            let top = scene.height;
            self.place(&mut scene, line);
            middle.get_or_insert(top + (scene.height - top) / 2.0);
            after_buttons = buttons;
        }
        scene.height += self.px(7.0);
        let all = scene.all();
        let y = middle.unwrap_or_default() - size / 2.0;
        let at = Area { x: self.px(14.0), y, w: size, h: size };
        scene.shapes.push(Shape::Frame(all, 0.0, self.px(1.0).max(1.0), self.theme.edge));
        scene.shapes.push(Shape::Fill(Area { h: stripe, ..all }, 0.0, colour));
        scene.shapes.push(Shape::Icon(icon, at, colour));
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

    /// Who watches, with the buttons that are always there.
    fn first(&mut self, banner: &Banner, colour: Colour, room: f32) -> BannerLine {
        let toggle = if banner.paused {
            (Choice::Resume, Kind::Plain, "Let them control")
        } else {
            (Choice::Pause, Kind::Plain, "Pause control")
        };
        let buttons = self.row(&[toggle, (Choice::Stop, Kind::Stop, "Stop")]);
        let plain = if banner.reconnecting || banner.paused { colour } else { self.theme.fg_2 };
        let room = room - self.taken(&buttons);
        BannerLine { text: self.watched(banner, room, plain), buttons, below: false }
    }

    /// Who watches, with as many names as fit, in one line or else in one for each clause. Names are shortened
    /// before anything else is left out.
    fn watched(&mut self, banner: &Banner, room: f32, plain: Colour) -> Block {
        let count = banner.viewers.len().clamp(1, NAMED);
        let spans = self.spans(&sentences::watched(banner, count), plain, self.theme.fg);
        let mut block = Block::of(self.lay(&spans, BODY, room, 1));
        let most = self.px(BODY.1) * LINES as f32;
        let fewer = (1..=count).rev().map(|named| (named, usize::MAX));
        for (named, letters) in fewer.chain(SHORTER.map(|letters| (1, letters))) {
            if !block.is_cut() && block.height <= most {
                break;
            }
            block = Block::default();
            for clause in sentences::watched(banner, named).shortened(letters).clauses() {
                let spans = self.spans(&clause, plain, self.theme.fg);
                block.add_below(self.lay(&spans, BODY, room, LINES));
            }
        }
        block
    }

    /// The words to compare, whose stream the server could read, the questions, and the notice.
    fn below_first(
        &mut self,
        lines: &mut Vec<BannerLine>,
        banner: &Banner,
        notice: Option<&str>,
        room: f32,
    ) {
        let (wait, plain) = (self.theme.wait, self.theme.fg_2);
        let words = self.words(banner, room);
        lines.extend((words.height > 0.0).then(|| BannerLine::plain(words)));
        let unsealed = sentences::unsealed(banner);
        lines.extend(unsealed.map(|it| BannerLine::plain(Block::of(self.whole(&it, wait, room)))));
        if let Some(newcomer) = &banner.newcomer {
            let row = [
                (Choice::LetIn(newcomer.id), Kind::Plain, "Let in"),
                (Choice::Refuse(newcomer.id), Kind::Plain, "Refuse"),
            ];
            lines.push(self.with_buttons(&sentences::lets_in(newcomer), wait, &row, room));
        }
        if let Some(question) = banner.other_program {
            let row = [
                (Choice::Move(question), Kind::Plain, "Move it there"),
                (Choice::Stay(question), Kind::Plain, "Stay here"),
            ];
            let said = Sentence(vec![Part::Plain(OTHER_PROGRAM.to_owned())]);
            lines.push(self.with_buttons(&said, wait, &row, room));
        }
        let of_clipboard = match &banner.clipboard {
            ClipboardState::Kept => None,
            ClipboardState::Asked { question, .. } => {
                Some((Choice::SendClipboard(*question), Kind::Plain, "Send what I copied"))
            }
            ClipboardState::Shared => {
                Some((Choice::KeepClipboard, Kind::Plain, "Keep my clipboard"))
            }
        };
        if let (Some(button), Some(said)) = (of_clipboard, sentences::clipboard(banner)) {
            lines.push(self.with_buttons(&said, plain, &[button], room));
        }
        if let Some(notice) = notice {
            let spans = [self.span(&sentences::notice(notice), self.theme.info)];
            lines.push(BannerLine::plain(Block::of(self.lay(&spans, BODY, room, LINES))));
        }
    }

    /// A sentence with its buttons beside it, or below where that leaves the sentence too little room.
    fn with_buttons(
        &mut self,
        said: &Sentence,
        plain: Colour,
        row: Row<'_>,
        room: f32,
    ) -> BannerLine {
        let buttons = self.row(row);
        let spans = self.spans(said, plain, self.theme.fg);
        let text = self.lay(&spans, BODY, room - self.taken(&buttons), LINES);
        let below = text.cut;
        let text = if below { self.whole(said, plain, room) } else { text };
        BannerLine { text: Block::of(text), buttons, below }
    }

    /// Lays out a sentence. Where it doesn't fit its names are shortened: what is said of them is shown in any case.
    fn whole(&mut self, said: &Sentence, plain: Colour, room: f32) -> TextBlock {
        let spans = self.spans(said, plain, self.theme.fg);
        let mut block = self.lay(&spans, BODY, room, LINES);
        for letters in SHORTER {
            if !block.cut {
                break;
            }
            let spans = self.spans(&said.shortened(letters), plain, self.theme.fg);
            block = self.lay(&spans, BODY, room, LINES);
        }
        block
    }

    /// The width that buttons take from the text beside them.
    fn taken(&self, buttons: &[Button]) -> f32 {
        buttons.iter().map(|button| button.area.w + self.px(GAP)).sum::<f32>() + self.px(GAP)
    }

    fn width(&self, line: &BannerLine) -> f32 {
        let taken = if line.buttons.is_empty() { 0.0 } else { self.taken(&line.buttons) };
        if line.below { line.text.width.max(taken) } else { line.text.width + taken }
    }

    /// Adds a line at the bottom.
    fn place(&self, scene: &mut Scene, line: BannerLine) {
        let (top, side) = (scene.height, self.px(SIDE));
        let high = line.buttons.first().map_or(0.0, |button| button.area.h);
        let text = line.text.height;
        let (text_top, buttons_top, height) = if line.below {
            let under = text + self.px(BETWEEN);
            (top, top + under, under + high)
        } else {
            let height = text.max(high);
            let middled = |own: f32| (top + (height - own) / 2.0).round();
            (middled(text), middled(high), height)
        };
        let texts = line.text.texts.into_iter();
        scene.texts.extend(texts.map(|(x, y, block)| (side + x, text_top + y, block)));
        let mut right = scene.width - self.px(PAD);
        let mut buttons = line.buttons;
        for button in buttons.iter_mut().rev() {
            (button.area.x, button.area.y) = (right - button.area.w, buttons_top);
            right = button.area.x - self.px(GAP);
        }
        scene.buttons.extend(buttons);
        scene.height = top + height;
    }

    /// The words of as many viewers as there are lines for, each with the viewer's name.
    fn words(&mut self, banner: &Banner, room: f32) -> Block {
        let all = sentences::words(banner);
        for shown in (1..=all.len().min(WORDED)).rev() {
            let mut pieces = vec![self.lay(&[self.span("Words:", self.theme.fg_2)], BODY, room, 1)];
            for sentence in &all[..shown] {
                pieces.push(self.whole(sentence, self.theme.fg_2, room));
            }
            if shown < all.len() {
                let more = self.span(&format!("and {} more", all.len() - shown), self.theme.fg_2);
                pieces.push(self.lay(&[more], BODY, room, 1));
            }
            let block = flow(pieces, room, [self.px(8.0), self.px(18.0)]);
            if block.height <= self.px(BODY.1) * LINES as f32 || shown == 1 {
                return block;
            }
        }
        Block::default()
    }
}

/// Puts pieces side by side, and on the next line those that don't fit. `gaps` are the gap after
/// the first piece, and that after the others.
fn flow(pieces: Vec<TextBlock>, room: f32, gaps: [f32; 2]) -> Block {
    let (mut x, mut y, mut high) = (0.0_f32, 0.0, 0.0_f32);
    let mut block = Block::default();
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

#[cfg(test)]
mod tests;
