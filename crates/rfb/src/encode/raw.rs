//! Raw: for viewers that take nothing else.

use crate::format::{Colour, Format, Shape};

/// Writes a block.
pub(crate) fn encode(block: &[Colour], format: Format, to: &mut Vec<u8>) {
    if format.is_own() {
        return to.extend(block.iter().flat_map(|colour| colour.to_le_bytes()));
    }
    format.put_all(block, Shape::Whole, to);
}
