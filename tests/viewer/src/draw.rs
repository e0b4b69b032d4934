//! Things to look at.

use rfb::{Picture, Rect};

/// Chance that can be repeated.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, n: u32) -> u32 {
        if n == 0 { 0 } else { self.next() % n }
    }
}

fn each(picture: &mut Picture, area: Rect, mut colour: impl FnMut(u16, u16) -> u32) {
    let width = usize::from(picture.width());
    for y in area.y..area.y + area.h {
        for x in area.x..area.x + area.w {
            let at = (usize::from(y) * width + usize::from(x)) * 4;
            let [b, g, r, _] = colour(x, y).to_le_bytes();
            picture.pixels_mut()[at..at + 4].copy_from_slice(&[b, g, r, (x ^ y) as u8]);
        }
    }
}

/// One colour; the byte that means nothing has anything in it.
pub fn paint(picture: &mut Picture, area: Rect, colour: u32) {
    each(picture, area, |_, _| colour);
}

/// No pixel like the other.
pub fn noise(picture: &mut Picture, area: Rect, seed: u64) {
    let mut chance = Lcg(seed);
    each(picture, area, |x, y| {
        let wave = (u32::from(x) * 3 + u32::from(y) * 5 + chance.below(16)) & 0xff;
        wave << 16 | (255 - wave) << 8 | (wave / 2 + chance.below(8))
    });
}

/// Like a terminal: glyphs of 8 by 16 out of few shapes, each line from its own seed.
pub fn text(picture: &mut Picture, area: Rect, first_line: u64) {
    each(picture, area, |x, y| {
        let (x, y) = (u64::from(x - area.x), u64::from(y - area.y));
        let line = first_line + y / 16;
        let letter = u64::from(Lcg(line * 977 + x / 8 * 7_919_003).next() % 61);
        let bits = Lcg(letter * 16 + y % 16).next();
        let is_ink = y % 16 > 2 && letter < 45 && bits >> (x % 8) & 1 == 1 && x % 8 > 0;
        if is_ink { 0xe0_e0_d0 } else { 0x10_18_20 }
    });
}

/// Moves what is in the area; what is uncovered stays as it was.
pub fn scroll(picture: &mut Picture, area: Rect, (dx, dy): (i32, i32)) {
    let before = picture.clone();
    let width = usize::from(picture.width());
    for y in 0..i32::from(area.h) {
        for x in 0..i32::from(area.w) {
            let (fx, fy) = (x - dx, y - dy);
            if (0..i32::from(area.w)).contains(&fx) && (0..i32::from(area.h)).contains(&fy) {
                let from = before.row(area.x + fx as u16, area.y + fy as u16, 1);
                let at =
                    (usize::from(area.y + y as u16) * width + usize::from(area.x + x as u16)) * 4;
                picture.pixels_mut()[at..at + 4].copy_from_slice(from);
            }
        }
    }
}
