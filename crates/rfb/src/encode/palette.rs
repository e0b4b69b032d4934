//! The colours of a block, and how it looks.

use crate::format::Colour;

/// Slots of the table: four times as many as colours, so that looking one up is short.
const SLOTS: usize = 1024;
/// More colours than this no encoding can number.
pub(crate) const MOST: usize = 256;

/// What a block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// As many colours as [`Palette::colours`] has; the block's pixels are numbered.
    Few,
    /// More than a palette takes, in areas and lines, as people draw.
    Many,
    /// More than a palette takes, and nearly no pixel is like its neighbour.
    Photo,
}

/// Numbers a block's colours.
#[derive(Debug)]
pub(crate) struct Palette {
    /// In the order in which they were met.
    pub(crate) colours: Vec<Colour>,
    /// Each pixel's number, if there are few colours.
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

    /// Looks at a block.
    pub(crate) fn look(&mut self, block: &[Colour], most: usize) -> Content {
        self.numbers.resize(block.len(), 0);
        self.colours.clear();
        if self.are_two(block) {
            return Content::Few;
        }
        self.values.fill(0);
        let Some(mut last) = block.first().copied() else { return Content::Few };
        let Some(mut number) = self.number_of(last, most) else { return Content::Many };
        for (at, eight) in block.chunks(8).enumerate() {
            let start = at * 8;
            if eight.iter().fold(0, |bits, colour| bits | (colour ^ last)) == 0 {
                self.numbers[start..start + eight.len()].fill(number);
                continue;
            }
            for (at, colour) in eight.iter().enumerate() {
                let Some(found) = self.number_of(*colour, most) else {
                    return if is_photo(block) { Content::Photo } else { Content::Many };
                };
                number = found;
                self.numbers[start + at] = number;
            }
            last = eight[eight.len() - 1];
        }
        Content::Few
    }

    /// One or two colours, as most of a terminal is: a processor does many pixels of that at a time.
    fn are_two(&mut self, block: &[Colour]) -> bool {
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

    /// The number of a colour, a new one if it isn't known yet; nothing if there are too many.
    fn number_of(&mut self, colour: Colour, most: usize) -> Option<u8> {
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

/// Drawn things have runs; a camera's pixels differ from their neighbours. A third is far from both.
fn is_photo(block: &[Colour]) -> bool {
    let changes = block.windows(2).map(|pair| usize::from(pair[0] != pair[1])).sum::<usize>();
    changes * 3 > block.len()
}
