//! A block's palette, and the guess whether it is a photo.

use crate::format::Colour;

/// Slots of the hash table: four times as many as colours, so that there are few collisions.
const SLOTS: usize = 1024;
/// The most colours that an encoding can number.
pub(crate) const MOST: usize = 256;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Few colours: those in [`Palette::colours`], by which [`Palette::numbers`] gives the pixels.
    Few,
    /// More colours than a palette takes, in areas and lines as programs draw them.
    Many,
    /// More colours than a palette takes, and hardly a pixel that equals its neighbour.
    Photo,
}

/// The colours of the block that was analysed last.
#[derive(Debug)]
pub(crate) struct Palette {
    /// In the order in which they occur.
    pub(crate) colours: Vec<Colour>,
    /// Each pixel's index in `colours`, if there are few.
    pub(crate) numbers: Vec<u8>,
    keys: [Colour; SLOTS],
    /// Zero for an empty slot, else one more than the number.
    values: [u16; SLOTS],
}

impl Palette {
    pub(crate) fn new() -> Self {
        let (colours, numbers) = (Vec::with_capacity(MOST), Vec::new());
        Self { colours, numbers, keys: [0; SLOTS], values: [0; SLOTS] }
    }

    /// Fills the palette with the block's colours, unless there are more than `most`.
    pub(crate) fn analyse(&mut self, block: &[Colour], most: usize) -> Content {
        self.numbers.resize(block.len(), 0);
        self.colours.clear();
        if self.fill_with_two(block) {
            return Content::Few;
        }
        self.values.fill(0);
        let Some(mut last) = block.first().copied() else { return Content::Few };
        let Some(mut number) = self.index_of(last, most) else { return Content::Many };
        for (at, eight) in block.chunks(8).enumerate() {
            let start = at * 8;
            // Most of a screen is areas of one colour: eight equal pixels take no look-up.
            if eight.iter().fold(0, |bits, colour| bits | (colour ^ last)) == 0 {
                self.numbers[start..start + eight.len()].fill(number);
                continue;
            }
            for (at, colour) in eight.iter().enumerate() {
                let Some(found) = self.index_of(*colour, most) else {
                    return if is_photo(block) { Content::Photo } else { Content::Many };
                };
                number = found;
                self.numbers[start + at] = number;
            }
            last = eight[eight.len() - 1];
        }
        Content::Few
    }

    /// Fills the palette if there are one or two colours, as in most of a terminal. It is a case of its own because
    /// the compiler can vectorise it.
    fn fill_with_two(&mut self, block: &[Colour]) -> bool {
        let Some(one) = block.first().copied() else { return true };
        let other = block.iter().copied().find(|colour| *colour != one).unwrap_or(one);
        let (eights, rest) = block.as_chunks::<8>();
        let is_third = |colour: &Colour| u32::from(*colour != one) & u32::from(*colour != other);
        let thirds =
            |colours: &[Colour; 8]| colours.iter().map(is_third).fold(0, |all, one| all | one);
        if eights.iter().any(|eight| thirds(eight) != 0)
            || rest.iter().any(|one| is_third(one) != 0)
        {
            return false;
        }
        self.colours.push(one);
        if other != one {
            self.colours.push(other);
        }
        let numbers = self.numbers.iter_mut().zip(block);
        numbers.for_each(|(number, colour)| *number = u8::from(*colour != one));
        true
    }

    /// The index of a colour, which is added if it is new; `None` if there are more than `most` then.
    fn index_of(&mut self, colour: Colour, most: usize) -> Option<u8> {
        // Fibonacci hashing: the product's upper 10 bits are the slot.
        let mut slot = (colour.wrapping_mul(0x9e37_79b1) >> 22) as usize;
        loop {
            if self.values[slot] == 0 {
                if self.colours.len() >= most {
                    return None;
                }
                self.keys[slot] = colour;
                self.colours.push(colour);
                self.values[slot] = self.colours.len() as u16;
            }
            if self.keys[slot] == colour {
                return Some((self.values[slot] - 1) as u8);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// Whether more than a third of the pixels differ from the one before. Drawn content has far fewer of them, and a
/// camera's picture far more.
fn is_photo(block: &[Colour]) -> bool {
    let changes = block.windows(2).map(|pair| usize::from(pair[0] != pair[1])).sum::<usize>();
    changes * 3 > block.len()
}
