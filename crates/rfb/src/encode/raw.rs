//! Raw (RFC 6143, 7.7.1), for viewers that take nothing better.

use crate::format::{Colour, Format, PixelLayout};

pub(crate) fn encode(block: &[Colour], format: Format, to: &mut Vec<u8>) {
    if format.is_own() {
        return to.extend(block.iter().flat_map(|colour| colour.to_le_bytes()));
    }
    format.put_all(block, PixelLayout::Whole, to);
}
