//! JPEG inside Tight.

use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};

use crate::format::Colour;

/// How good a JPEG the viewer wants: from 0 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quality(pub(crate) u8);

/// JPEG's own scale for each level, as the common servers have it.
const SCALE: [u8; 10] = [15, 29, 41, 42, 62, 77, 79, 86, 92, 100];

/// The JPEG of a block; `bytes` is room to work in. Nothing if it can't be one.
pub(crate) fn encode(
    block: &[Colour],
    width: u16,
    quality: Quality,
    bytes: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let level = usize::from(quality.0.min(9));
    bytes.clear();
    bytes.extend(block.iter().flat_map(|colour| colour.to_le_bytes()));
    let sampling = if level < 8 { Subsampling::S420 } else { Subsampling::S444 };
    let width = usize::from(width);
    compress(bytes, width, block.len() / width, PixelFormat::Bgrx, SCALE[level], sampling).ok()
}
